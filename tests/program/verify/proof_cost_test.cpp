// SPDX-License-Identifier: Apache-2.0
// Processor time of compiling and proving, for many layers on many ranks.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>

#include "parconv/program/compile.hpp"
#include "parconv/program/proof.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
const Window same{{WindowAxis{}, three, three}};

/// `layers` convolutions, every second of which adds a residual, as in a ResNet.
Network residual_chain(int layers, const Extents& extents) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  ValueId value = builder.conv(builder.input(extents), {.oc = 16, .window = same});
  for (int k = 1; k + 1 < layers; k += 2) {
    const ValueId inner = builder.relu(builder.conv(value, {.oc = 16, .window = same}));
    value = builder.relu(builder.sum({builder.conv(inner, {.oc = 16, .window = same}), value}));
  }
  return fuse(builder.build({builder.conv(value, {.oc = 16, .window = same})}));
}

double seconds_since(std::clock_t begin) { return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC; }

TEST(ProofCost, IsAtMostOneAndAHalfTimesThatOfCompiling) {
  constexpr int ranks = 4096;
  const Network network = residual_chain(170, {{64, 16, 1, 512, 512}});
  ASSERT_EQ(network.nodes.size(), 170U);
  const Plan plan = make_plan(network, parse_split("n=16,h=16,w=16", ranks, 2), ranks);
  std::clock_t begin = std::clock();
  const Layout layout = lay_out(network, plan, {});
  double compiling = seconds_since(begin);
  double proving = 0;
  Prover prover(network, ranks, {});
  index_t steps = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    begin = std::clock();
    const Program program = compile(network, layout, rank);
    compiling += seconds_since(begin);
    steps += std::ssize(program.steps);
    begin = std::clock();
    prover.add(program);
    proving += seconds_since(begin);
  }
  begin = std::clock();
  const Proof proof = prover.finish();
  proving += seconds_since(begin);
  std::printf("170 layers on %d ranks: compiled in %.2f s, proven in %.2f s (ratio %.2f)\n%s\n", ranks, compiling, proving,
              proving / compiling, to_string(proof).c_str());
  EXPECT_TRUE(proof.holds()) << to_string(proof);
  EXPECT_EQ(proof.steps_executed, 2 * steps);
  EXPECT_LE(proving, 1.5 * compiling);
}

}  // namespace
}  // namespace parconv::test
