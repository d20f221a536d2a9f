// SPDX-License-Identifier: Apache-2.0
// conformance_table FOLDER EXPECTED: joins FOLDER/np1.tsv to np4.tsv to FOLDER/conformance.md and FOLDER/passes.txt. The last
// line of its output counts. The exit status is 1 if a model failed, if one of the names in the file EXPECTED is in the suite and
// did not pass, or if fewer models passed than EXPECTED names.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>

#include "conformance/summary.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

struct Request {
  std::string folder{};
  std::string expected{};
};

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", std::gmtime(&now))};
}

TableHeading heading() {
#if defined(__clang__)
  const char* compiler = "clang++ " __clang_version__;
#else
  const char* compiler = "g++ " __VERSION__;
#endif
  return {.date = today(), .parconv = PARCONV_VERSION, .suite = PARCONV_SUITE_VERSION, .compiler = compiler};
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ExitCode::InputMissing, concat("cannot open '", path, "'"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text).flush()) throw Error(ExitCode::Io, concat("cannot write '", path, "'"));
}

std::string as_lines(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

std::vector<Outcome> all_outcomes(const std::string& folder) {
  std::vector<RanksOutcomes> runs;
  for (const int num_ranks : {1, 2, 3, 4})
    runs.push_back({.num_ranks = num_ranks, .outcomes = read_outcomes(concat(folder, "/np", num_ranks, ".tsv"))});
  return merged(runs);
}

/// Set difference from \ without; both sorted.
std::vector<std::string> missing(const std::vector<std::string>& from, const std::vector<std::string>& without) {
  std::vector<std::string> result;
  std::set_difference(from.begin(), from.end(), without.begin(), without.end(), std::back_inserter(result));
  return result;
}

/// True if this version of the suite has a model of this name.
bool is_in_suite(const std::vector<Outcome>& outcomes, const std::string& name) {
  return std::any_of(outcomes.begin(), outcomes.end(), [&](const Outcome& outcome) { return outcome.name == name; });
}

/// Prints the problems; returns true if there are none.
bool report(const Request& request, const std::vector<Outcome>& outcomes) {
  const std::vector<std::string> expected = lines_of(request.expected), passed = passes(outcomes);
  if (!std::is_sorted(expected.begin(), expected.end()))
    throw Error(ExitCode::BadData, concat("the names in '", request.expected, "' are not sorted"));
  std::vector<std::string> lost = missing(expected, passed);
  const std::vector<std::string> gained = missing(passed, expected);
  const std::size_t absent = std::erase_if(lost, [&](const std::string& name) { return !is_in_suite(outcomes, name); });
  for (const Outcome& outcome : outcomes)
    if (outcome.verdict == Verdict::Failed) std::printf("failed: %s: %s\n", outcome.name.c_str(), outcome.reason.c_str());
  for (const std::string& name : lost) std::printf("passed before, now not: %s\n", name.c_str());
  if (absent > 0) std::printf("%zu models that are expected to pass are not in this version of the suite\n", absent);
  if (!gained.empty())
    std::printf("%zu models pass that are not expected to: take %s/passes.txt as %s\n", gained.size(), request.folder.c_str(),
                request.expected.c_str());
  if (passed.size() < expected.size()) std::printf("fewer than %zu models passed\n", expected.size());
  return lost.empty() && passed.size() >= expected.size() && count_of(outcomes, Verdict::Failed) == 0;
}

int run(const Request& request) {
  const std::vector<Outcome> outcomes = all_outcomes(request.folder);
  write(request.folder + "/conformance.md", markdown(heading(), outcomes));
  write(request.folder + "/passes.txt", as_lines(passes(outcomes)));
  const bool is_good = report(request, outcomes);
  std::printf("%s (1, 2, 3 and 4 ranks)\n", counts_text(outcomes).c_str());
  return is_good ? 0 : 1;
}

}  // namespace
}  // namespace parconv::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: conformance_table FOLDER EXPECTED\n");
    return static_cast<int>(parconv::ExitCode::Usage);
  }
  try {
    return parconv::test::run({.folder = argv[1], .expected = argv[2]});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
