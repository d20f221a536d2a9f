// SPDX-License-Identifier: Apache-2.0
// Summary table of all cases over all rank counts.
#pragma once

#include <string>
#include <vector>

#include "conformance/outcome.hpp"

namespace parconv::test {

/// Outcomes at one rank count, sorted by name.
struct RanksOutcomes {
  int num_ranks = 1;
  std::vector<Outcome> outcomes{};
};

/// Merges runs: a case passed if it passed at every rank count, was refused if it was refused at every one, and otherwise
/// failed. Splits are the union, the difference is the maximum. Throws Error(BadData) if the runs have different cases.
std::vector<Outcome> merged(const std::vector<RanksOutcomes>& runs);

/// Heading of the table.
struct TableHeading {
  std::string date{};
  std::string parconv{};
  std::string suite{};
  std::string compiler{};
};

/// The table as Markdown: totals, refusals by reason and by operator, one line per case.
std::string markdown(const TableHeading& heading, const std::vector<Outcome>& outcomes);

/// Names of the passed cases, in order.
std::vector<std::string> passes(const std::vector<Outcome>& outcomes);

}  // namespace parconv::test
