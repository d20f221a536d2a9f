// SPDX-License-Identifier: Apache-2.0
// Human-readable tables of plans and programs. Pure.
#pragma once

#include <span>
#include <string>

#include "parconv/program/program.hpp"

namespace parconv {

/// Optional parts of an explanation.
struct ExplainOptions {
  /// Lists, below each layer, the groups of its communications and the box that every rank owns.
  bool lists_ranks = false;
  /// > 0: adds a line with the bytes between hosts of this many consecutive ranks.
  int ranks_per_host = 0;
};

/// Renders a plan as a table, at most 130 columns wide: per layer the split, owned sizes, bytes sent and copied, and how its
/// results move; then totals, communications by kind, and memory per rank. "allgather(4)+p2p" is an allgather in groups of 4
/// ranks, with messages beside it; "sum(4)" a reduce-scatter, "gather(8)->0" a gather at rank 0, "->*" at several roots. Local.
/// Precondition: `programs` are those of all ranks, compiled from `layout`.
std::string explain(const Network& network, const Plan& plan, const Layout& layout, std::span<const Program> programs,
                    const ExplainOptions& options = {});

/// "sums cut inside leaves, so last bits may differ from one rank's: conv1, conv2 and 3 more layers\n"; empty if there are none.
/// Local. Precondition: validate(plan, network) passed.
std::string off_leaves_text(const Network& network, const Plan& plan);

}  // namespace parconv
