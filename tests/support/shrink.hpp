// SPDX-License-Identifier: Apache-2.0
// Properties of random cases, and the smallest case that a failing one can be reduced to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "support/random.hpp"

namespace parconv::test {

/// Generates a case from the choices of a Random and checks it with assertions of GoogleTest. A thrown exception is a failure
/// too.
using Property = std::function<void(Random&)>;

struct Trials {
  int count = 100;
  std::uint64_t seed = 1;     ///< of the first trial; the next one has the next seed
  int max_reductions = 5000;  ///< runs of the property that the reduction may take
};

/// A case that fails, as small as reductions made it.
struct Counterexample {
  Choices choices{};
  std::string place{};    ///< file and line of the first failed assertion, or the type of what was thrown
  std::string message{};  ///< of that failure
  std::uint64_t seed = 0;
  int reductions = 0;
};

/// Runs the property on `trials.count` random cases. The first one that fails is reduced: choices are removed and lowered while
/// the failure stays at the same place, as in MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation" (ECOOP 2020).
/// The result is shortlex-minimal with respect to single reductions, unless `max_reductions` came first. Nothing is reported.
std::optional<Counterexample> find_counterexample(const Property& property, const Trials& trials);

/// The same; adds one failure of GoogleTest: that of the reduced case, and the line of C++ that repeats it.
void for_all(const Property& property, const Trials& trials);

/// Runs the property on one case: what to keep of a counterexample.
void replay(const Property& property, const Choices& choices);

}  // namespace parconv::test
