// SPDX-License-Identifier: Apache-2.0
// The backend factory.
#include <gtest/gtest.h>

#include "parconv/compute/backend.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"
#include "support/fakes/fake_device.hpp"

namespace parconv {
namespace {

TEST(MakeBackend, ByName) { EXPECT_EQ(make_backend({.name = "reference"})->name(), "reference"); }

TEST(MakeBackend, AutoIsOurOwn) {
  EXPECT_EQ(make_backend({})->name(), "cpu");
  EXPECT_EQ(make_backend({.type = DType::BF16})->name(), "cpu");
}

TEST(MakeBackend, CpuRefusesTypesOfFiles) { EXPECT_THROW(make_backend({.name = "cpu", .type = DType::F64}), Error); }

TEST(MakeBackend, RejectsUnknownNames) {
  try {
    make_backend({.name = "abacus"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_NE(std::string(error.what()).find("abacus"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("reference"), std::string::npos) << error.hint();
  }
}

TEST(MakeBackend, RejectsAGpuBackendWithoutAGpu) {
  const auto host = make_host_device();
  for (Device* const device : {static_cast<Device*>(nullptr), host.get()}) {
    try {
      make_backend({.name = "cudnn", .device = device});
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::Unavailable);
      EXPECT_NE(std::string(error.what()).find("CPUs"), std::string::npos) << error.what();
    }
  }
}

/// A custom device needs a custom backend: none of ours can access its memory, with or without streams.
TEST(MakeBackend, HasNoneForACustomDevice) {
  test::FakeDevice device;
  for (const char* name : {"auto", "reference", "onednn", "cudnn"}) {
    try {
      make_backend({.name = name, .device = &device});
      FAIL() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::Unavailable);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

TEST(MakeBackend, RejectsZeroThreads) { EXPECT_THROW(make_backend({.threads = 0}), Bug); }

}  // namespace
}  // namespace parconv
