// A plan and its programs as text for people. Pure.
#pragma once

#include <span>
#include <string>

#include "parconv/program/program.hpp"

namespace parconv {

struct ExplainOptions {
  /// Below each layer the box that every rank owns.
  bool lists_ranks = false;
};

/// Figures of one layer over all ranks, per micro-batch.
struct LayerFigures {
  index_t sent_bytes = 0;      ///< started by this layer: its output on the way to others, and its partial sums
  index_t received_bytes = 0;  ///< awaited before and in this layer
  index_t copied_bytes = 0;
  index_t messages = 0;
  index_t weight_bytes = 0;  ///< over all ranks: replicas count
  double flops = 0;          ///< over all ranks: what is computed twice counts twice
};

/// The figures of every layer, then those of storing the outputs. `programs` are those of all ranks.
std::vector<LayerFigures> figures_of(const Network& network, const Layout& layout, std::span<const Program> programs);

/// What each layer is split into, owns, sends, copies and computes; totals, and memory per rank. `programs` are those of all
/// ranks. At most 130 columns wide.
std::string explain(const Network& network, const Plan& plan, const Layout& layout, std::span<const Program> programs,
                    const ExplainOptions& options = {});

}  // namespace parconv
