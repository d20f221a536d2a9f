// SPDX-License-Identifier: Apache-2.0
// Reports violations from the parts of the proof to the executed step.
#pragma once

#include <string>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/program/proof.hpp"

namespace parconv::verify {

/// Thrown inside the proof only; ends the execution of one rank.
struct Violation {
  Rule rule = Rule::Malformed;
  std::string what{};
};

template <class... Parts>
[[noreturn]] void violate(Rule rule, const Parts&... parts) {
  throw Violation{rule, concat(parts...)};
}

}  // namespace parconv::verify
