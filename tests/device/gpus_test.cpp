// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"
#include "support/gpu_test.hpp"

namespace parconv {
namespace {

TEST(Gpus, AreListedOrTheReasonIsReported) {
  const GpuList list = find_gpus();
  EXPECT_EQ(list.gpus.empty(), !list.problem.empty()) << list.problem;
}

TEST(Gpus, RejectsAMissingGpu) {
  const GpuList list = find_gpus();
  const auto make_one_too_many = [&] { make_cuda_device(static_cast<int>(list.gpus.size())); };
  if (!list.gpus.empty()) {
    EXPECT_THROW(make_one_too_many(), Bug);
    return;
  }
  try {
    make_one_too_many();
    FAIL() << "made a device without a GPU";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_EQ(error.what(), list.problem);
  }
}

TEST(Gpus, ReportTheirProperties) {
  PARCONV_NEEDS_GPU();
  for (const GpuInfo& gpu : find_gpus().gpus) {
    EXPECT_FALSE(gpu.name.empty());
    EXPECT_EQ(gpu.uuid.size(), 32U);
    EXPECT_GE(gpu.major, 7);
    EXPECT_GT(gpu.total_bytes, 0U);
  }
}

}  // namespace
}  // namespace parconv
