// SPDX-License-Identifier: Apache-2.0
// The proof of compiled programs as an assertion.
#pragma once

#include <gtest/gtest.h>

#include <span>

#include "parconv/program/proof.hpp"

namespace parconv::test {

inline Proof proof_of(const Network& network, std::span<const Program> programs, const CompileOptions& options = {}) {
  return prove(network, programs, {.type = options.type});
}

/// True if the programs are proven; the findings otherwise.
inline testing::AssertionResult are_proven(const Network& network, std::span<const Program> programs,
                                           const CompileOptions& options = {}) {
  const Proof proof = proof_of(network, programs, options);
  if (proof.holds()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(proof);
}

}  // namespace parconv::test
