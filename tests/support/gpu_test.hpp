// SPDX-License-Identifier: Apache-2.0
// Support for tests that need a GPU.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "parconv/device/devices.hpp"

namespace parconv::test {

/// True if a missing GPU is a failure: PARCONV_REQUIRE_GPU=1.
inline bool is_gpu_required() {
  const char* const text = std::getenv("PARCONV_REQUIRE_GPU");
  return text != nullptr && std::string(text) == "1";
}

}  // namespace parconv::test

/// Skips the test, with the reason, if there is no GPU; fails it under PARCONV_REQUIRE_GPU=1.
#define PARCONV_NEEDS_GPU()                                                              \
  do {                                                                                   \
    const ::parconv::GpuList list = ::parconv::find_gpus();                              \
    if (list.gpus.empty() && ::parconv::test::is_gpu_required()) FAIL() << list.problem; \
    if (list.gpus.empty()) GTEST_SKIP() << list.problem;                                 \
  } while (false)
