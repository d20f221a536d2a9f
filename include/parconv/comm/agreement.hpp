// SPDX-License-Identifier: Apache-2.0
// Facts that all ranks of a job must have in common.
#pragma once

#include <span>
#include <string>

#include "parconv/comm/control.hpp"

namespace parconv {

/// A fact about the job as one rank sees it: {"--dtype", "bf16"}, {"the contents of the model", "1c5e..."}.
struct Fact {
  std::string name{};
  std::string value{};

  friend bool operator==(const Fact&, const Fact&) = default;
};

/// Returns if all ranks pass the same facts, in the same order. Otherwise throws the same JobError(Config) on all ranks. It names
/// the first fact that differs, the lowest rank that differs from rank 0, and both values. Collective. `phase` names the work in
/// the error.
void require_agreement(Control& control, const std::string& phase, std::span<const Fact> facts);

}  // namespace parconv
