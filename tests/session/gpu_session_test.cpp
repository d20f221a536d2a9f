// SPDX-License-Identifier: Apache-2.0
// Sessions on emulated GPUs: they run the programs that a dry run compiles on a machine without GPUs.
#include <gtest/gtest.h>

#include "parconv/session/compile_options.hpp"
#include "parconv/session/dry_run.hpp"
#include "parconv/session/files/span_data.hpp"
#include "parconv/session/session.hpp"
#include "session/program_text.hpp"
#include "support/mpi_test.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

constexpr Extents images{{2, 3, 1, 24, 20}};

Network network_of(index_t samples) {
  Extents extents = images;
  extents[Axis::N] = samples;
  return fuse(small_classifier(1, Weights::SmallIntegers, extents));
}

TEST(GpuSession, ProgramsAreThoseOfADryRun) {
  const std::vector<float> numbers(static_cast<std::size_t>(volume(images)));
  SpanSource source(numbers, {.extents = images});
  const Workload workload{.network = network_of, .sources = {&source}};
  JobContext job(control().split(0));
  for (const TransportChoice transport : {TransportChoice::Auto, TransportChoice::Nccl, TransportChoice::Staged})
    for (const OverlapChoice overlap : {OverlapChoice::Auto, OverlapChoice::On}) {
      SCOPED_TRACE(concat(choice_name(transport), ", overlap ", choice_name(overlap)));
      const Request request{.split = "h",
                            .devices = {.device = DeviceChoice::Cuda, .transport = transport},
                            .numerics = Numerics::F16,
                            .overlap = overlap};
      Session session(job, request);
      session.describe(workload);
      session.compile();
      const DryRun dry = dry_run(request, workload, {.ranks = num_ranks(), .gpu = "H200"});
      EXPECT_EQ(session.device().placement().device, dry.placement.device);
      EXPECT_EQ(session.device().placement().transport, dry.placement.transport);
      EXPECT_EQ(session.compile_options().needs_dense, memory_rules_on(DeviceKind::Gpu).needs_dense);
      EXPECT_EQ(text_of(session.rank_plan().program), text_of(dry.programs[static_cast<std::size_t>(rank())]));
    }
}

}  // namespace
}  // namespace parconv::test
