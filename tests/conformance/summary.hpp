// One table of what became of every case at all numbers of ranks.
#pragma once

#include <string>
#include <vector>

#include "conformance/outcome.hpp"

namespace parconv::test {

/// The outcomes of one number of ranks, sorted by name.
struct RanksOutcomes {
  int num_ranks = 1;
  std::vector<Outcome> outcomes{};
};

/// One outcome a case: passed if it passed on every number of ranks, refused if it was refused on every one, otherwise failed.
/// Splits are those of all, the difference is the largest. Throws Error(BadData) if the runs were not of the same cases.
std::vector<Outcome> merged(const std::vector<RanksOutcomes>& runs);

/// What the table says above its lines.
struct TableHeading {
  std::string date{};
  std::string parconv{};
  std::string suite{};
  std::string compiler{};
};

/// The table as Markdown: counts, refusals by reason and by operator, one line a case.
std::string markdown(const TableHeading& heading, const std::vector<Outcome>& outcomes);

/// Names of the cases that passed, in order.
std::vector<std::string> passes(const std::vector<Outcome>& outcomes);

}  // namespace parconv::test
