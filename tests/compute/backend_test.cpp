// The factory of backends.
#include <gtest/gtest.h>

#include "parconv/compute/backend.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"

namespace parconv {
namespace {

TEST(MakeBackend, ByName) { EXPECT_EQ(make_backend({.name = "reference"})->name(), "reference"); }

TEST(MakeBackend, AutoIsTheFastest) {
  const std::string name = make_backend({})->name();
  EXPECT_TRUE(name == "onednn" || name == "reference") << name;
  try {
    EXPECT_EQ(make_backend({.name = "onednn"})->name(), name) << "a build with oneDNN takes it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_EQ(name, "reference") << "a build without oneDNN has only this";
  }
}

TEST(MakeBackend, RefusesOthersAndNamesThem) {
  try {
    make_backend({.name = "abacus"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Unavailable);
    EXPECT_NE(std::string(error.what()).find("abacus"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("reference"), std::string::npos) << error.hint();
  }
}

TEST(MakeBackend, RefusesOneOfGpusWithoutAGpu) {
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

TEST(MakeBackend, RefusesNoThreads) { EXPECT_THROW(make_backend({.threads = 0}), Bug); }

}  // namespace
}  // namespace parconv
