// SPDX-License-Identifier: Apache-2.0
#include "conformance/summary.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

/// Appends the words of `more` that `words` lacks.
void add_words(std::string& words, const std::string& more) {
  std::istringstream stream(more);
  for (std::string word; stream >> word;)
    if ((" " + words + " ").find(" " + word + " ") == std::string::npos) words += (words.empty() ? "" : " ") + word;
}

void merge(Outcome& whole, const Outcome& part, int num_ranks) {
  add_words(whole.splits, part.splits);
  whole.difference = std::max(whole.difference, part.difference);
  if (whole.verdict == Verdict::Failed) return;
  if (part.verdict == Verdict::Failed) {
    whole.verdict = Verdict::Failed;
    whole.reason = concat("on ", num_ranks, " ranks: ", part.reason);
  } else if (part.verdict != whole.verdict || part.constants != whole.constants) {
    whole.verdict = Verdict::Failed;
    whole.reason = concat("read in another way on ", num_ranks, " ranks");
  }
}

/// Strips model-specific details: names, numbers, dimensions.
std::string generalised(std::string reason) {
  static const std::array<std::pair<std::regex, const char*>, 6> rules{{
      {std::regex("node '[^']*' \\((\\w+)\\)"), "$1"},
      {std::regex("'[^']*'"), "'…'"},
      {std::regex("\\[[^\\]]*\\]"), "[…]"},
      {std::regex("\\b\\d+(x\\d+)+\\b"), "#"},
      {std::regex("-?\\b\\d+(\\.\\d+)?(e-?\\d+)?\\b"), "#"},
      {std::regex("^# nodes? (is|are) not supported.*"), "operators that are not supported"},
  }};
  for (const auto& [pattern, replacement] : rules) reason = std::regex_replace(reason, pattern, replacement);
  return reason;
}

using Counts = std::map<std::string, int>;

Counts reasons_of(const std::vector<Outcome>& outcomes) {
  Counts counts;
  for (const Outcome& outcome : outcomes)
    if (outcome.verdict == Verdict::Refused) ++counts[generalised(outcome.reason)];
  return counts;
}

/// Number of models rejected for each unknown operator, alone or among others.
Counts operators_of(const std::vector<Outcome>& outcomes) {
  static const std::regex unknown("operator (\\w+) is not supported");
  Counts counts;
  for (const Outcome& outcome : outcomes) {
    if (outcome.verdict != Verdict::Refused) continue;
    std::set<std::string> names;
    for (std::sregex_iterator it(outcome.reason.begin(), outcome.reason.end(), unknown), end; it != end; ++it)
      names.insert((*it)[1]);
    for (const std::string& name : names) ++counts[name];
  }
  return counts;
}

/// Escapes text for a table cell.
std::string cell(const std::string& text) { return std::regex_replace(text, std::regex("\\|"), "\\|"); }

void write_counts(std::ostream& out, const std::string& what, const Counts& counts) {
  std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  out << "| models | " << what << " |\n|---:|---|\n";
  for (const auto& [text, count] : sorted) out << "| " << count << " | " << cell(text) << " |\n";
  out << "\n";
}

std::string note(const Outcome& outcome) {
  if (outcome.verdict != Verdict::Passed) return outcome.reason;
  return outcome.constants.empty() ? "" : concat("constant: ", outcome.constants);
}

void write_lines(std::ostream& out, const std::vector<Outcome>& outcomes) {
  out << "| model | result | splits | largest difference | note |\n|---|---|---|---|---|\n";
  for (const Outcome& outcome : outcomes) {
    out << "| " << outcome.name << " | " << name_of(outcome.verdict) << " | " << outcome.splits << " | ";
    if (outcome.verdict == Verdict::Passed) out << outcome.difference;
    out << " | " << cell(note(outcome)) << " |\n";
  }
}

}  // namespace

std::vector<Outcome> merged(const std::vector<RanksOutcomes>& runs) {
  std::vector<Outcome> result = runs.front().outcomes;
  for (const RanksOutcomes& run : runs) {
    const bool has_same_cases = std::equal(result.begin(), result.end(), run.outcomes.begin(), run.outcomes.end(),
                                           [](const Outcome& a, const Outcome& b) { return a.name == b.name; });
    if (!has_same_cases)
      throw Error(ExitCode::BadData, concat("the cases on ", run.num_ranks, " ranks are not those on ", runs.front().num_ranks));
    for (std::size_t k = 0; k < result.size(); ++k) merge(result[k], run.outcomes[k], run.num_ranks);
  }
  return result;
}

namespace {

/// How many models are not compared, and why.
std::string left_out_text(const std::vector<Outcome>& outcomes) {
  const std::size_t count = count_of(outcomes, Verdict::LeftOut);
  if (count == 0) return "none is left out";
  return concat(count, count == 1 ? " is" : " are", " left out, since what the suite expects is wrong (see the last column)");
}

}  // namespace

std::string markdown(const TableHeading& heading, const std::vector<Outcome>& outcomes) {
  std::ostringstream out;
  out << "# Conformance with the ONNX test suite\n\n"
      << "**" << counts_text(outcomes) << "**, each on 1, 2, 3 and 4 ranks. Made by `ctest -R conformance` on " << heading.date
      << ": parconv " << heading.parconv << ", " << heading.suite << ", " << heading.compiler << ".\n\n"
      << "A model passes if its outputs are those that the suite expects (within 1e-7 + 1e-3 of the expected value; of bfloat16, "
         "whose "
         "expected values the suite cuts off, one unit in the last place) on every "
         "number "
         "of ranks under every\nsplit that is named: all ranks along one axis, also where it is shorter than that; as many "
         "stages; "
         "and the rule (`auto`). `1` is one rank.\nInputs that are weights, bounds, axes or shapes are made constants, as few as "
         "possible; they are named in the last column.\nA model is refused with what `parconv_app inspect` says of it; "
      << left_out_text(outcomes) << ".\n\n"
      << "## Refusals by reason\n\n";
  write_counts(out, "reason", reasons_of(outcomes));
  out << "Operators that are not supported, with the number of models that need them:\n\n";
  write_counts(out, "operator", operators_of(outcomes));
  out << "## All models\n\n";
  write_lines(out, outcomes);
  return out.str();
}

std::vector<std::string> passes(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> names;
  for (const Outcome& outcome : outcomes)
    if (outcome.verdict == Verdict::Passed) names.push_back(outcome.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace parconv::test
