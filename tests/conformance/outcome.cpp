// SPDX-License-Identifier: Apache-2.0
#include "conformance/outcome.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

constexpr std::array verdicts{Verdict::Passed, Verdict::Refused, Verdict::LeftOut, Verdict::Failed};

std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  return text;
}

Verdict verdict_of(const std::string& name) {
  const auto* found = std::find_if(verdicts.begin(), verdicts.end(), [&](Verdict verdict) { return name == name_of(verdict); });
  if (found == verdicts.end()) throw Error(ExitCode::BadData, concat("'", name, "' is not a verdict"));
  return *found;
}

Outcome outcome_of(const std::string& line) {
  std::istringstream fields(line);
  Outcome outcome;
  std::string verdict, difference;
  std::getline(fields, outcome.name, '\t');
  std::getline(fields, verdict, '\t');
  std::getline(fields, outcome.splits, '\t');
  std::getline(fields, difference, '\t');
  std::getline(fields, outcome.constants, '\t');
  std::getline(fields, outcome.reason, '\t');
  outcome.verdict = verdict_of(verdict);
  outcome.difference = std::stod(difference);
  return outcome;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Passed:
      return "passed";
    case Verdict::Refused:
      return "refused";
    case Verdict::LeftOut:
      return "left out";
    case Verdict::Failed:
      return "failed";
  }
  return "";
}

std::string to_line(const Outcome& outcome) {
  return concat(outcome.name, "\t", name_of(outcome.verdict), "\t", outcome.splits, "\t", outcome.difference, "\t",
                one_line(outcome.constants), "\t", one_line(outcome.reason));
}

std::vector<Outcome> read_outcomes(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ExitCode::InputMissing, concat("cannot open '", path, "'"), "run the tests conformance.np* first");
  std::vector<Outcome> outcomes;
  for (std::string line; std::getline(file, line);) outcomes.push_back(outcome_of(line));
  return outcomes;
}

void write_outcomes(const std::string& path, const std::vector<Outcome>& outcomes) {
  std::ofstream file(path);
  for (const Outcome& outcome : outcomes) file << to_line(outcome) << "\n";
  file.flush();
  if (!file) throw Error(ExitCode::Io, concat("cannot write '", path, "'"));
}

std::size_t count_of(const std::vector<Outcome>& outcomes, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(outcomes.begin(), outcomes.end(), [&](const Outcome& outcome) { return outcome.verdict == verdict; }));
}

std::string counts_text(const std::vector<Outcome>& outcomes) {
  return concat(count_of(outcomes, Verdict::Passed), " of ", outcomes.size(), " models passed, ",
                count_of(outcomes, Verdict::Refused), " refused, ", count_of(outcomes, Verdict::LeftOut), " left out, ",
                count_of(outcomes, Verdict::Failed), " failed");
}

Outcome judged_as_wrong_data(Outcome outcome, const std::string& reason) {
  if (outcome.verdict == Verdict::Refused) return outcome;
  const bool is_left_out = outcome.verdict == Verdict::Failed;
  outcome.verdict = is_left_out ? Verdict::LeftOut : Verdict::Failed;
  outcome.reason = is_left_out ? reason : "passes, but is listed as one with wrong data";
  return outcome;
}

}  // namespace parconv::test
