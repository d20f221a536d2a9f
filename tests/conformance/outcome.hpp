// SPDX-License-Identifier: Apache-2.0
// Outcome of a case, as a line of a file.
#pragma once

#include <string>
#include <vector>

namespace parconv::test {

/// LeftOut: it failed as it must, since what the suite expects is wrong.
enum class Verdict { Passed, Refused, LeftOut, Failed };

struct Outcome {
  std::string name{};
  Verdict verdict = Verdict::Failed;
  /// Splits that ran, space-separated.
  std::string splits{};
  /// Largest absolute difference from the expected outputs.
  double difference = 0;
  /// Inputs made constant, space-separated.
  std::string constants{};
  /// Why it was refused or left out, or how it failed.
  std::string reason{};
};

const char* name_of(Verdict verdict);

/// Tab-separated fields; tabs and newlines within become spaces.
std::string to_line(const Outcome& outcome);

/// Inverse of `write_outcomes`. Throws Error(InputMissing or BadData).
std::vector<Outcome> read_outcomes(const std::string& path);
void write_outcomes(const std::string& path, const std::vector<Outcome>& outcomes);

/// "402 of 1072 models passed, 670 refused, 0 left out, 0 failed".
std::string counts_text(const std::vector<Outcome>& outcomes);
/// Of a case that is known to have wrong data: left out if it failed, failed if it passed all the same.
Outcome judged_as_wrong_data(Outcome outcome, const std::string& reason);

std::size_t count_of(const std::vector<Outcome>& outcomes, Verdict verdict);

}  // namespace parconv::test
