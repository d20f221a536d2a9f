// SPDX-License-Identifier: Apache-2.0
// Ranks hold only the weights that they use.
#include <gtest/gtest.h>

#include "engine/splits/split_fixture.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

constexpr index_t width = 128;

/// Twelve equal convolutions: stages of equal weight, filters and channels in multiples of 16 for each of four ranks.
Network equal_layers() {
  RandomNetworkBuilder builder(3, Weights::Reals);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  ValueId value = builder.input(Extents{{1, width, 1, 8, 8}});
  for (int k = 0; k < 12; ++k) value = builder.conv(value, {.oc = width, .window = {{WindowAxis{}, three, three}}});
  return builder.build({value});
}

class WeightsTest : public SplitTest {
 protected:
  static index_t weight_bytes(const Network& network, const std::string& spec, Overlap overlap) {
    const auto backend = make_backend({.name = "auto"});
    const Plan plan = make_plan(network, parse_split(spec, num_ranks(), 2), num_ranks());
    DistributedRun run(network, plan, {.overlap = overlap}, *backend);
    return run.engine().memory().weight_bytes;
  }

  /// Bytes of filters and biases in the model.
  static constexpr index_t model_bytes = 12 * (width * width * 9 + width) * 4;
};

TEST_F(WeightsTest, AreDividedWithTheWork) {
  const Network network = equal_layers();
  for (const std::string spec : {"f", "c", "stages"})
    for (const Overlap overlap : {Overlap::Off, Overlap::On}) {
      SCOPED_TRACE(concat(spec, overlap == Overlap::On ? ", overlap" : ""));
      const index_t mine = weight_bytes(network, spec, overlap);
      const index_t all = control().sum(mine);
      EXPECT_GE(all, model_bytes - 12 * width * 4);
      EXPECT_LE(all, model_bytes * 12 / 10);
      EXPECT_LE(mine * num_ranks(), model_bytes * 12 / 10) << "the weights of rank " << rank();
    }
}

TEST_F(WeightsTest, AreHeldOnceByEveryRankWhereImagesAreDivided) {
  const Network network = equal_layers();
  for (const std::string spec : {"h", "w", "n"})
    for (const Overlap overlap : {Overlap::Off, Overlap::On}) {
      SCOPED_TRACE(concat(spec, overlap == Overlap::On ? ", overlap" : ""));
      const index_t mine = weight_bytes(network, spec, overlap);
      if (spec == "n" && rank() > 0) {  // one sample
        EXPECT_EQ(mine, 0);
        continue;
      }
      EXPECT_GE(mine, model_bytes - 12 * width * 4);
      EXPECT_LE(mine, model_bytes * 12 / 10);
    }
}

}  // namespace
}  // namespace parconv::test
