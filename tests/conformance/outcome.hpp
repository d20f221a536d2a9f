// What became of a case, as a line of a file.
#pragma once

#include <string>
#include <vector>

namespace parconv::test {

enum class Verdict { Passed, Refused, Failed };

struct Outcome {
  std::string name{};
  Verdict verdict = Verdict::Failed;
  /// Splits that were run, separated by spaces.
  std::string splits{};
  /// Largest absolute difference from the expected outputs.
  double difference = 0;
  /// Inputs that were made constants, separated by spaces.
  std::string constants{};
  /// Why it was refused, or how it failed.
  std::string reason{};
};

const char* name_of(Verdict verdict);

/// The fields with tabs between; tabs and line ends inside become spaces.
std::string to_line(const Outcome& outcome);

/// Reads what `write_outcomes` wrote. Throws Error(InputMissing or BadData).
std::vector<Outcome> read_outcomes(const std::string& path);
void write_outcomes(const std::string& path, const std::vector<Outcome>& outcomes);

/// "402 of 1072 models passed, 670 refused, 0 failed".
std::string counts_text(const std::vector<Outcome>& outcomes);
std::size_t count_of(const std::vector<Outcome>& outcomes, Verdict verdict);

}  // namespace parconv::test
