// SPDX-License-Identifier: Apache-2.0
// The full pipeline from model file to result, for models that may be invalid in any way.
#pragma once

#include <string>

#include "support/random.hpp"

namespace parconv::test {

/// The last stage reached.
enum class Reached {
  Checked,  ///< read, planned, compiled and checked for all ranks; too large to compute
  Computed  ///< also computed by the engine, and compared with the oracle
};

/// Reads and summarises the model at `path`, plans a random split over 1 to 4 ranks, round-trips the plan, and compiles and
/// checks the programs of all ranks. Small networks are computed on one rank by the reference backend (bitwise equal to the
/// oracle) and by the fastest one. Throws Error for rejected models; anything else is a bug.
Reached process_model(const std::string& path, Random& random);

}  // namespace parconv::test
