// SPDX-License-Identifier: Apache-2.0
// Moves of elements within a tensor: chains of Reshape and Transpose, and the needed boxes of a part of the result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/model/rearrangement.hpp"
#include "parconv/model/shape.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Ints = std::vector<index_t>;
using Perm = std::vector<int>;

Rearrange transposed_of(const Ints& dims, const Perm& perm) { return transposed(in_order(dims), perm); }

// ---- Chains -------------------------------------------------------------------------------------------------------------

TEST(Rearrangement, HasTheLargestFactors) {
  EXPECT_EQ(in_order({2, 3, 1}), (Rearrange{{6}, {0}, {2, 3, 1}}));
  EXPECT_EQ(in_order({1, 1}), (Rearrange{{}, {}, {1, 1}}));
  EXPECT_EQ(transposed_of({2, 3}, {1, 0}), (Rearrange{{2, 3}, {1, 0}, {3, 2}}));
  EXPECT_EQ(transposed_of({2, 3, 4, 5}, {0, 2, 3, 1}), (Rearrange{{2, 3, 20}, {0, 2, 1}, {2, 4, 5, 3}}));
  EXPECT_EQ(transposed_of({2, 1, 4}, {1, 0, 2}), (Rearrange{{8}, {0}, {1, 2, 4}}));
}

TEST(Rearrangement, TransposingBackIsTheIdentity) {
  EXPECT_EQ(transposed(transposed_of({2, 3, 4}, {2, 0, 1}), Perm{1, 2, 0}), in_order({2, 3, 4}));
  EXPECT_TRUE(keeps_order(in_order({2, 3})));
  EXPECT_FALSE(keeps_order(transposed_of({2, 3}, {1, 0})));
}

TEST(Rearrangement, AShuffleIsAChainOfThree) {
  const auto grouped = reshaped(in_order({2, 6, 4}), {2, 2, 3, 4});
  const auto shuffled = reshaped(transposed(grouped.value(), Perm{0, 2, 1, 3}), {2, 6, 4});
  EXPECT_EQ(shuffled, (Rearrange{{2, 2, 3, 4}, {0, 2, 1, 3}, {2, 6, 4}}));
}

TEST(Rearrangement, ReshapesWhileTheOrderIsKept) {
  EXPECT_EQ(reshaped(*reshaped(in_order({4, 6}), {2, 12}), {3, 8}), in_order({3, 8}));
  EXPECT_FALSE(reshaped(transposed_of({2, 3}, {1, 0}), {2, 3}));
  EXPECT_TRUE(reshaped(transposed_of({2, 3}, {1, 0}), {6}));
  EXPECT_FALSE(reshaped(transposed_of({4, 6}, {1, 0}), {4, 6}));
  EXPECT_TRUE(reshaped(transposed_of({4, 6}, {1, 0}), {2, 12}));
}

TEST(Rearrangement, LinesUpWithTheAxes) {
  const Extents image{{2, 4, 1, 6, 5}};
  EXPECT_EQ(aligned(in_order({2, 120}), image), (Rearrange{{2, 4, 6, 5}, {0, 1, 2, 3}, {2, 120}}));
  EXPECT_EQ(aligned(in_order({2, 2, 12, 5}), image), (Rearrange{{2, 2, 2, 6, 5}, {0, 1, 2, 3, 4}, {2, 2, 12, 5}}));
  EXPECT_EQ(aligned(in_order({2, 3, 8, 5}), image), std::nullopt);
  EXPECT_EQ(aligned(in_order({1, 1}), {}), (Rearrange{{}, {}, {1, 1}}));
}

/// The elements of a tensor that held 0, 1, 2, ... before the chain.
Ints elements_of(const Rearrange& chain) {
  Ints strides(chain.factors.size(), 1);
  for (std::size_t k = chain.factors.size(); k-- > 1;) strides[k - 1] = strides[k] * chain.factors[k];
  Ints elements{0};
  for (const int k : chain.order) {
    Ints next;
    for (const index_t element : elements)
      for (index_t value = 0; value < chain.factors[static_cast<std::size_t>(k)]; ++value)
        next.push_back(element + value * strides[static_cast<std::size_t>(k)]);
    elements = std::move(next);
  }
  return elements;
}

Ints transposed_elements(const Ints& elements, const Ints& dims, const Perm& perm) {
  Ints result;
  for (index_t at = 0; at < std::ssize(elements); ++at) {
    Ints index(dims.size());
    index_t rest = at;
    for (std::size_t k = perm.size(); k-- > 0;) {
      const auto dim = static_cast<std::size_t>(perm[k]);
      index[dim] = rest % dims[dim];
      rest /= dims[dim];
    }
    index_t from = 0;
    for (std::size_t k = 0; k < dims.size(); ++k) from = from * dims[k] + index[k];
    result.push_back(elements[static_cast<std::size_t>(from)]);
  }
  return result;
}

TEST(Rearrangement, MovesElementsAsItsSteps) {
  Random random(3);
  int num_refused = 0;
  for (int draw = 0; draw < 500; ++draw) {
    Ints dims;
    for (index_t count = random.integer(1, 4); count > 0; --count) dims.push_back(random.integer(1, 6));
    Rearrange chain = in_order(dims);
    Ints expected = elements_of(chain);
    for (index_t steps = random.integer(1, 5); steps > 0; --steps) {
      Perm perm(chain.dims.size());
      std::iota(perm.begin(), perm.end(), 0);
      for (std::size_t k = 1; k < perm.size(); ++k)
        std::swap(perm[k], perm[static_cast<std::size_t>(random.integer(0, std::ssize(perm) - 1))]);
      expected = transposed_elements(expected, chain.dims, perm);
      chain = transposed(chain, perm);
      Ints next = chain.dims;
      for (std::size_t k = 0; k < next.size(); ++k)
        if (next[k] % 2 == 0 && random.once_in(2)) {
          next[k] /= 2;
          next.insert(next.begin() + static_cast<std::ptrdiff_t>(k), 2);
        }
      if (next.size() > 1 && random.once_in(2)) {
        next[0] *= next[1];
        next.erase(next.begin() + 1);
      }
      const auto seen = reshaped(chain, next);
      num_refused += seen ? 0 : 1;
      if (seen) chain = *seen;
    }
    ASSERT_EQ(elements_of(chain), expected) << "draw " << draw;
  }
  EXPECT_LT(num_refused, 200) << "dimensions that cut through what was transposed are few";
}

// ---- Digits -------------------------------------------------------------------------------------------------------------

TEST(IndexDigits, NameTheSmallestBox) {
  // Channels of 3 x 4, the slow digit is a row.
  const IndexDigits digits{{{}, {{3, 4, Axis::H, 1}, {4, 1, Axis::C, 1}}, {}, {}, {}}};
  const auto sources = [&](Interval channels) { return sources_of(digits, Box::whole({}).with(Axis::C, channels)); };
  EXPECT_EQ(sources({0, 12}), Box::whole({{1, 4, 1, 3, 1}}));
  EXPECT_EQ(sources({5, 7}), Box::whole({}).with(Axis::H, {1, 2}).with(Axis::C, {1, 3}));
  EXPECT_EQ(sources({7, 9}), Box::whole({}).with(Axis::H, {1, 3}).with(Axis::C, {0, 4}));
  EXPECT_EQ(sources({11, 12}), Box::whole({}).with(Axis::H, {2, 3}).with(Axis::C, {3, 4}));
}

// ---- Rules --------------------------------------------------------------------------------------------------------------

Network network_of(const Extents& in, const Rearrange& chain) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  return builder.build({builder.rearrange(builder.input(in, 5), chain)});
}

std::array<Axis, num_axes> axes_of(const Network& network) { return work_axes(network, network.nodes[0], 0); }

TEST(Rearrange, InputAxesFollowTheirSlowestFactor) {
  const Extents image{{2, 8, 1, 6, 4}};
  const auto axes = [&](const Rearrange& chain) { return axes_of(network_of(image, chain)); };
  const auto [n, c, d, h, w] = all_axes;
  EXPECT_THAT(axes(transposed_of({2, 8, 6, 4}, {0, 1, 3, 2})), ElementsAre(n, c, d, w, h));
  EXPECT_THAT(axes(transposed_of({2, 8, 6, 4}, {0, 3, 1, 2})), ElementsAre(n, h, d, w, c));
  EXPECT_THAT(axes(in_order({2, 8 * 6 * 4})), ElementsAre(n, c, d, h, w));
  EXPECT_THAT(axes(in_order({2, 8, 24})), ElementsAre(n, c, d, h, w));
  // Blocks of 2 x 2 become channels in front of the old ones: rows stay with rows.
  const auto blocks = reshaped(in_order({2, 8, 6, 4}), {2, 8, 3, 2, 2, 2});
  EXPECT_THAT(axes(*reshaped(transposed(*blocks, Perm{0, 3, 5, 1, 2, 4}), {2, 32, 3, 2})), ElementsAre(n, c, d, h, w));
}

TEST(Rearrange, NeedsTheSourcesOfItsBox) {
  const Extents image{{2, 8, 1, 6, 4}};
  const Network shuffle =
      network_of(image, *reshaped(transposed(*reshaped(in_order({2, 8, 24}), {2, 2, 4, 24}), Perm{0, 2, 1, 3}), {2, 8, 6, 4}));
  const auto need = [](const Network& network, const Box& computed) {
    const Node& node = network.nodes[0];
    return needed_box(network, node, 0, {computed, whole_contracted(network, node)});
  };
  const Box whole = Box::whole(image);
  EXPECT_EQ(need(shuffle, whole.with(Axis::H, {2, 5})), whole.with(Axis::H, {2, 5}));
  // Channels 2 and 3 are 1 and 5.
  EXPECT_EQ(need(shuffle, whole.with(Axis::C, {2, 4})), whole.with(Axis::C, {1, 6}));
  EXPECT_EQ(need(shuffle, whole.with(Axis::C, {2, 3})), whole.with(Axis::C, {1, 2}));
  const Network flat = network_of(image, in_order({2, 192}));
  // Elements [24, 72) of a sample are channels 1 and 2, [30, 33) are columns [2, 4) and 0 of rows 1 and 2 of channel 1.
  EXPECT_EQ(need(flat, Box::whole({{2, 192, 1, 1, 1}}).with(Axis::C, {24, 72})), whole.with(Axis::C, {1, 3}));
  EXPECT_EQ(need(flat, Box::whole({{2, 192, 1, 1, 1}}).with(Axis::C, {30, 33})),
            whole.with(Axis::C, {1, 2}).with(Axis::H, {1, 3}));
  EXPECT_EQ(need(flat, Box{}), Box{});
}

Extents small_extents(Random& random) {
  constexpr std::array<index_t, 8> sizes{1, 1, 2, 3, 4, 6, 8, 12};
  Extents extents;
  for (Axis axis : all_axes) extents[axis] = sizes[static_cast<std::size_t>(random.integer(0, axis == Axis::N ? 3 : 5))];
  return extents;
}

Interval random_interval(Random& random, index_t size) {
  const index_t lo = random.integer(0, size - 1);
  return {lo, random.integer(lo + 1, size)};
}

/// The source elements of `out`, index by index.
Box sources_by_index(const Network& network, const Box& out) {
  const Node& node = network.nodes[0];
  Box hull_of_all;
  Box at;
  for (index_t n = out[Axis::N].lo; n < out[Axis::N].hi; ++n)
    for (index_t c = out[Axis::C].lo; c < out[Axis::C].hi; ++c)
      for (index_t d = out[Axis::D].lo; d < out[Axis::D].hi; ++d)
        for (index_t h = out[Axis::H].lo; h < out[Axis::H].hi; ++h)
          for (index_t w = out[Axis::W].lo; w < out[Axis::W].hi; ++w) {
            at.intervals = {Interval{n, n + 1}, {c, c + 1}, {d, d + 1}, {h, h + 1}, {w, w + 1}};
            const Box one = needed_box(network, node, 0, {at, whole_contracted(network, node)});
            EXPECT_EQ(volume(one), 1);
            hull_of_all = hull(hull_of_all, one);
          }
  return hull_of_all;
}

TEST(Rearrange, NeedsTheHullOfItsElementsNeeds) {
  Random random(11);
  int num_equal = 0;
  for (int draw = 0; draw < 400; ++draw) {
    const Extents in = small_extents(random);
    const Network network = network_of(in, random_chain(random, in, draw % 4 == 0 ? Samples::Mixed : Samples::Apart));
    const Extents& out = network.value(network.outputs[0]).extents;
    Box computed;
    for (Axis axis : all_axes) computed[axis] = random_interval(random, out[axis]);
    const Box need = needed_box(network, network.nodes[0], 0, {computed, whole_contracted(network, network.nodes[0])});
    const Box expected = sources_by_index(network, computed);
    ASSERT_TRUE(need.contains(expected)) << "draw " << draw << ": " << need << " and " << expected;
    ASSERT_TRUE(Box::whole(in).contains(need));
    num_equal += need == expected;
  }
  EXPECT_GT(num_equal, 380) << "larger boxes are for two digits of an axis that name the same one";
}

TEST(Rearrange, IsSeparable) {
  Random random(12);
  for (int draw = 0; draw < 400; ++draw) {
    const Extents in = small_extents(random);
    const Network network = network_of(in, random_chain(random, in, draw % 4 == 0 ? Samples::Mixed : Samples::Apart));
    const Node& node = network.nodes[0];
    const Box whole = Box::whole(network.value(network.outputs[0]).extents);
    const auto need = [&](const Box& computed) {
      return needed_box(network, node, 0, {computed, whole_contracted(network, node)});
    };
    Box computed;
    for (Axis axis : all_axes) computed[axis] = random_interval(random, whole[axis].hi);
    const auto axes = axes_of(network);
    EXPECT_TRUE(std::is_permutation(axes.begin(), axes.end(), all_axes.begin()));
    for (Axis axis : all_axes) {
      const Axis from = axes[static_cast<std::size_t>(axis)];
      ASSERT_TRUE(need(whole.with(from, computed[from]))[axis].contains(need(computed)[axis])) << "draw " << draw;
    }
  }
}

TEST(Rearrange, RefusesFactorsThatDoNotFit) {
  const auto refusal = [](const Rearrange& op) {
    const std::vector<Shape> shapes{{.extents = {{2, 6, 1, 4, 1}}, .ndims = 3}};
    try {
      output_shape(op, shapes, "it");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal({{2, 6, 4}, {0, 2, 1}, {2, 4, 6}}), "");
  EXPECT_THAT(refusal({{2, 6, 4}, {0, 1, 1}, {2, 4, 6}}), HasSubstr("it: its order is no permutation"));
  EXPECT_THAT(refusal({{2, 6, 4}, {0, 1}, {2, 4, 6}}), HasSubstr("no permutation"));
  EXPECT_THAT(refusal({{2, 4, 6}, {0, 1, 2}, {2, 4, 6}}), HasSubstr("not those of an input of 2x6x1x4x1"));
  EXPECT_THAT(refusal({{2, 6}, {0, 1}, {2, 6}}), HasSubstr("not those of an input"));
  EXPECT_THAT(refusal({{2, 1, 6, 4}, {0, 1, 2, 3}, {2, 6, 4}}), HasSubstr("not those of an input"));
  EXPECT_THAT(refusal({{2, 6, 4}, {0, 1, 2}, {2, 4, 6}}), HasSubstr("not those of a result of 2x4x1x6x1"));
  EXPECT_THAT(refusal({{2, 6, 4}, {0, 1, 2}, {2, 6, 2, 1, 2, 1}}), HasSubstr("6 dimensions"));
}

TEST(Rearrange, AcceptsAnyNumberOfSeparateSamples) {
  for (const index_t before : {1, 2, 5})
    for (const index_t after : {1, 3, 5}) {
      const Network network = network_of({{before, 6, 1, 4, 3}}, transposed_of({before, 6, 4, 3}, {0, 3, 1, 2}));
      const Network other = with_batch(network, after);
      const Network expected = network_of({{after, 6, 1, 4, 3}}, transposed_of({after, 6, 4, 3}, {0, 3, 1, 2}));
      EXPECT_EQ(std::get<Rearrange>(other.nodes[0].op), std::get<Rearrange>(expected.nodes[0].op)) << before << " to " << after;
      EXPECT_EQ(other.value(other.outputs[0]).extents, (Extents{{after, 3, 1, 6, 4}}));
    }
}

TEST(Rearrange, RefusesOtherNumbersOfMixedSamples) {
  for (const Perm& perm : {Perm{1, 0, 2, 3}, Perm{1, 2, 0, 3}}) {
    const Network network = network_of({{6, 6, 1, 4, 3}}, transposed_of({6, 6, 4, 3}, perm));
    try {
      with_batch(network, 2);
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("mixes samples"));
    }
  }
}

}  // namespace
}  // namespace parconv::test
