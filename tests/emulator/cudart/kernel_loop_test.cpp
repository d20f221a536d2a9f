// SPDX-License-Identifier: Apache-2.0
// The grid-stride loop of GPU kernels, run on the host.
#include <gtest/gtest.h>

#include <vector>

#include "emulator/cudart/device_code.hpp"
//
#include "cuda/cuda_for_each.hpp"

namespace parconv::emulator {
namespace {

struct Visit {
  int* visits = nullptr;
  void operator()(index_t k) const { ++visits[k]; }
};

std::vector<int> visits_of(index_t count, unsigned blocks, unsigned threads) {
  std::vector<int> visits(static_cast<std::size_t>(count) + 1);
  const LaunchGrid grid{.blocks = dim3(blocks), .threads = dim3(threads)};
  cuda::for_each_thread(grid, [&] { cuda::for_each_kernel<Visit>(count, Visit{visits.data()}); });
  return visits;
}

TEST(KernelLoop, VisitsEachIndexOnceForAnyGrid) {
  for (const index_t count : {0, 1, 31, 32, 96, 97, 1000})
    for (const unsigned blocks : {1u, 3u, 40u})
      for (const unsigned threads : {1u, 32u}) {
        std::vector<int> expected(static_cast<std::size_t>(count) + 1, 1);
        expected.back() = 0;
        EXPECT_EQ(visits_of(count, blocks, threads), expected) << count << " in " << blocks << " x " << threads;
      }
}

}  // namespace
}  // namespace parconv::emulator
