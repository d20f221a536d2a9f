// SPDX-License-Identifier: Apache-2.0
#include "parconv/engine/job_verification.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {
namespace {

/// Elements along one axis of a sampled box.
constexpr index_t sampled_size(Axis axis) { return axis == Axis::N ? 1 : axis == Axis::C ? 4 : 2; }

/// The sampled corner at the low or high end of `box`.
Box corner_of(const Box& box, bool is_high) {
  Box corner = box;
  for (Axis axis : all_axes) {
    const Interval whole = box[axis];
    const index_t size = std::min(whole.size(), sampled_size(axis));
    corner[axis] = is_high ? Interval{whole.hi - size, whole.hi} : Interval{whole.lo, whole.lo + size};
  }
  return corner;
}

float element_at(ConstView view, const Extents& at) {
  index_t offset = 0;
  for (Axis axis : all_axes) offset += at[axis] * view.layout.strides[axis];
  return reinterpret_cast<const float*>(view.data)[offset];
}

template <class Visit>
void for_each_index(const Extents& extents, Visit&& visit) {
  Extents at{{0, 0, 0, 0, 0}};
  for (at[Axis::N] = 0; at[Axis::N] < extents[Axis::N]; ++at[Axis::N])
    for (at[Axis::D] = 0; at[Axis::D] < extents[Axis::D]; ++at[Axis::D])
      for (at[Axis::H] = 0; at[Axis::H] < extents[Axis::H]; ++at[Axis::H])
        for (at[Axis::W] = 0; at[Axis::W] < extents[Axis::W]; ++at[Axis::W])
          for (at[Axis::C] = 0; at[Axis::C] < extents[Axis::C]; ++at[Axis::C]) visit(at);
}

double distance(float actual, float expected) {
  if (actual == expected || (std::isnan(actual) && std::isnan(expected))) return 0;
  const double result = std::abs(static_cast<double>(actual) - static_cast<double>(expected));
  return std::isnan(result) ? std::numeric_limits<double>::infinity() : result;
}

bool are_same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

double largest_of(ConstView src) {
  HostTensor numbers(Box::whole(src.layout.extents));
  convert(src, numbers.view());
  const ConstView view = std::as_const(numbers).view();
  double largest = 0;
  for_each_index(src.layout.extents, [&](const Extents& at) {
    const float number = element_at(view, at);
    if (std::isfinite(number)) largest = std::max(largest, std::abs(static_cast<double>(number)));
  });
  return largest;
}

}  // namespace

Network with_all_outputs(const Network& network) {
  Network result = network;
  result.outputs.clear();
  for (const Node& node : network.nodes) result.outputs.push_back(node.output);
  return result;
}

std::vector<BoxesOfValues> boxes_to_verify(const Network& network, const Layout& layout, int rank, VerifyExtent extent) {
  std::vector<BoxesOfValues> passes(extent == VerifyExtent::Everything ? 1 : 2, BoxesOfValues(network.values.size()));
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    const Box owned = layout.placements[k].owned.box(rank);
    if (owned.is_empty()) continue;
    for (std::size_t pass = 0; pass < passes.size(); ++pass)
      passes[pass][static_cast<std::size_t>(network.nodes[k].output)] =
          extent == VerifyExtent::Everything ? owned : corner_of(owned, pass == 1);
  }
  return passes;
}

KeepingSink::KeepingSink(const Extents& extents, const std::vector<Box>& boxes) : extents_(extents) {
  for (const Box& box : boxes) kept_.push_back(box.is_empty() ? HostTensor() : HostTensor(box));
}

void KeepingSink::write(const Box& box, ConstView src) {
  largest_ = std::max(largest_, largest_of(src));
  for (HostTensor& tensor : kept_) {
    const Box common = intersect(box, tensor.box());
    if (common.is_empty()) continue;
    ConstView part = src;
    part.layout.extents = common.extents();
    index_t offset = 0;
    for (Axis axis : all_axes) offset += (common[axis].lo - box[axis].lo) * src.layout.strides[axis];
    part.data += offset * static_cast<index_t>(size_of(src.layout.type));
    convert(part, tensor.view(common));
  }
}

double LayerDifference::relative() const {
  if (worst == 0) return 0;
  return largest > 0 ? worst / largest : std::numeric_limits<double>::infinity();
}

void compare(ConstView actual, ConstView expected, LayerDifference& difference) {
  PARCONV_EXPECT(actual.layout.extents == expected.layout.extents, actual.layout.extents, " and ", expected.layout.extents);
  for_each_index(actual.layout.extents, [&](const Extents& at) {
    const float found = element_at(actual, at), wanted = element_at(expected, at);
    difference.worst = std::max(difference.worst, distance(found, wanted));
    if (!are_same(found, wanted)) difference.different_elems += 1;
    if (std::isfinite(wanted)) difference.largest = std::max(difference.largest, std::abs(static_cast<double>(wanted)));
    difference.compared_elems += 1;
  });
}

std::vector<KeepingSink> make_keeping_sinks(const Network& network, std::span<const BoxesOfValues> passes) {
  std::vector<KeepingSink> sinks;
  for (const Node& node : network.nodes) {
    std::vector<Box> boxes;
    for (const BoxesOfValues& pass : passes) boxes.push_back(pass[static_cast<std::size_t>(node.output)]);
    sinks.emplace_back(network.value(node.output).extents, std::move(boxes));
  }
  return sinks;
}

namespace {

/// Layers of sums are measured by the magnitudes of their terms too.
void measure_by_magnitudes(std::span<const HostTensor> values, const Network& network, std::span<LayerDifference> differences) {
  for (std::size_t k = 0; k < differences.size(); ++k) {
    const HostTensor& magnitudes = values[static_cast<std::size_t>(network.nodes[k].output)];
    if (!magnitudes.box().is_empty()) differences[k].largest = std::max(differences[k].largest, largest_of(magnitudes.view()));
  }
}

}  // namespace

std::vector<LayerDifference> differences_from_oracle(const Network& network, std::span<const KeepingSink> sinks,
                                                     std::span<const BoxesOfValues> passes, const OracleInput& input,
                                                     Backend& backend) {
  std::vector<LayerDifference> differences(network.nodes.size());
  for (std::size_t k = 0; k < differences.size(); ++k) {
    differences[k].node = static_cast<NodeId>(k);
    differences[k].largest = sinks[k].largest();
  }
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    const std::vector<HostTensor> expected = evaluate(network, input, passes[pass], backend);
    bool is_different = false;
    for (std::size_t k = 0; k < differences.size(); ++k) {
      const HostTensor& actual = sinks[k].kept()[pass];
      if (actual.box().is_empty()) continue;
      compare(actual.view(), expected[static_cast<std::size_t>(network.nodes[k].output)].view(), differences[k]);
      is_different = is_different || differences[k].worst > 0;
    }
    // A job with the bits of the reference does without.
    if (is_different) measure_by_magnitudes(evaluate_magnitudes(network, input, passes[pass], backend), network, differences);
  }
  return differences;
}

}  // namespace parconv
