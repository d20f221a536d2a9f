// SPDX-License-Identifier: Apache-2.0
#include "program/verify/mutation_cases.hpp"

#include <algorithm>
#include <array>

#include "support/branches.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

constexpr WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
constexpr Window same{{WindowAxis{}, three, three}};

CompileOptions options_for(Random& random) {
  return {.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
          .store = {.kind = random.once_in(2) ? StoreKind::Owners : StoreKind::Root},
          .needs_dense = !random.once_in(4),
          .type = random.once_in(4) ? DType::BF16 : DType::F32};
}

struct NamedSplit {
  const char* split;
  int ranks;
};

constexpr std::array<NamedSplit, 9> named_splits{
    {{"h", 3}, {"c", 4}, {"c=2,h=2", 4}, {"w=2,h=2", 4}, {"stages=3", 3}, {"f=2,c=2", 4}, {"n=2,h=2", 4}, {"c=3", 3}, {"w", 2}}};

void plan_named_split(MutationCase& result, std::uint64_t seed) {
  const NamedSplit& named = named_splits[seed % named_splits.size()];
  result.network = fuse(small_classifier(seed, Weights::SmallIntegers, Extents{{2, 6, 1, 14, 12}}));
  result.plan = make_plan(result.network, parse_split(named.split, named.ranks, 2), named.ranks);
}

/// Convolutions with a residual, a Concat, and a skip over all stages.
Network skipping_network(std::uint64_t seed) {
  RandomNetworkBuilder builder(seed, Weights::SmallIntegers);
  const ValueId first = builder.conv(builder.input({{1, 5, 1, 9, 8}}), {.oc = 8, .window = same});
  const ValueId second = builder.relu(builder.conv(first, {.oc = 8, .window = same}));
  const ValueId sum = builder.relu(builder.sum({builder.conv(second, {.oc = 8, .window = same}), second}));
  const ValueId joined = builder.concat({sum, builder.conv(sum, {.oc = 4}), first});
  const ValueId last = builder.conv(joined, {.oc = 8, .window = same});
  return fuse(builder.build({builder.sum({last, first}), builder.global_average(joined)}));
}

void plan_skips(MutationCase& result, std::uint64_t seed, Random& random) {
  result.network = skipping_network(seed);
  const int num_ranks = static_cast<int>(random.integer(2, 5));
  result.plan = random_plan(result.network, random, num_ranks, static_cast<int>(random.integer(2, 4)), random.once_in(2));
}

void plan_random_graph(MutationCase& result, std::uint64_t seed, Random& random) {
  result.network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(3, 9))));
  const int num_ranks = static_cast<int>(random.integer(2, 6));
  result.plan = random_plan(result.network, random, num_ranks, static_cast<int>(random.integer(1, 3)), random.once_in(2));
}

void plan_branches(MutationCase& result, std::uint64_t seed, Random& random) {
  const BranchedNetwork branched = random_branched_network(seed, Weights::SmallIntegers);
  const int num_ranks = static_cast<int>(random.integer(3, 6));
  result.network = branched.network;
  result.plan = random_plan(branched.network, random, num_ranks, static_cast<int>(random.integer(1, 2)), false,
                            ranks_of_nodes(branched, num_ranks));
}

}  // namespace

MutationCase mutation_case(std::uint64_t seed) {
  Random random(seed * 7351 + 11);
  MutationCase result{.options = options_for(random)};
  switch (seed % 4) {
    case 0:
      plan_named_split(result, seed / 4);
      break;
    case 1:
      plan_skips(result, seed, random);
      break;
    case 2:
      plan_random_graph(result, seed, random);
      break;
    default:
      plan_branches(result, seed, random);
  }
  set_leaf_rule(result.network, seed % 8 < 4 ? LeafRule::Fine : LeafRule::Coarse);
  result.programs = compile_all(result.network, lay_out(result.network, result.plan, result.options));
  return result;
}

Features features_of(const MutationCase& mutation_case) {
  Features features;
  for (const Node& node : mutation_case.network.nodes) {
    features.has_concat = features.has_concat || std::holds_alternative<Concat>(node.op);
    features.has_residual = features.has_residual || node.epilogue.has_residual;
  }
  for (const Program& program : mutation_case.programs) {
    features.has_stages = features.has_stages || last_stage(program) > 0;
    for (const Buffer& buffer : program.buffers) features.has_several_slots = features.has_several_slots || buffer.slots > 1;
    for (const Step& step : program.steps) {
      const auto* reduce = std::get_if<Reduce>(&step.action);
      features.has_divided_sums = features.has_divided_sums || (reduce != nullptr && reduce->partials.size() > 1);
    }
    for (const Communication& communication : program.communications)
      for (const Message& message : communication.receives)
        features.has_margins = features.has_margins || program.buffer(message.region.buffer).role == BufferRole::Owned;
  }
  return features;
}

}  // namespace parconv::test
