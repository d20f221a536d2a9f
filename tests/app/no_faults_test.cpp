// SPDX-License-Identifier: Apache-2.0
// Builds without PARCONV_FAULTS have no fault injection.
#include <gtest/gtest.h>

#include <cstdlib>

#include "fault.hpp"

namespace parconv::app {
namespace {

TEST(NoFaults, TheEnvironmentIsIgnored) {
  ASSERT_EQ(::setenv("PARCONV_FAULT", "rank=0,phase=run,kind=throw", 1), 0);
  EXPECT_EQ(fault_from_environment().kind, FaultKind::None);
  ASSERT_EQ(::setenv("PARCONV_FAULT", "phase=nowhere", 1), 0);
  EXPECT_EQ(fault_from_environment().kind, FaultKind::None);
}

TEST(NoFaults, NoKindIsRaised) {
  for (const FaultKind kind : {FaultKind::Throw, FaultKind::Exit, FaultKind::Hang, FaultKind::Kill})
    EXPECT_NO_THROW(raise_fault(kind));
}

}  // namespace
}  // namespace parconv::app
