// SPDX-License-Identifier: Apache-2.0
// Measured steps of all ranks, added up by layer.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/control.hpp"
#include "parconv/program/costs.hpp"
#include "parconv/program/program.hpp"
#include "parconv/report/slow_rank.hpp"

namespace parconv {

/// Measurements of one step of a program.
struct MeasuredStep {
  double seconds = 0;
  index_t calls = 0;
  /// Kernel::implementation; empty for steps that do not compute.
  std::string implementation{};
};

inline constexpr std::size_t num_tracks = 3;

/// Seconds per Track.
using TrackSeconds = std::array<double, num_tracks>;

/// One layer over all ranks.
struct LayerReport {
  NodeId node = -1;  ///< the number of nodes for storing the outputs
  std::string name{};
  std::string op{};
  std::string split{};
  int stage = 0;
  Costs costs{};                ///< of all ranks per micro-batch
  TrackSeconds max_seconds{};   ///< of the slowest rank on each track
  TrackSeconds mean_seconds{};  ///< over ranks
  /// Of the first rank that computes the layer; several are joined by '+'.
  std::string implementation{};
};

/// Measurements and costs of all layers.
struct StepReport {
  std::vector<LayerReport> layers{};
  Costs costs{};                        ///< of all layers
  double max_wait_seconds = 0;          ///< of the rank that waited longest for messages
  std::optional<SlowRank> slow_rank{};  ///< in computing, or else in files; on rank 0
};

/// Sums the measured steps and costs of all ranks by layer. Collective. The result is complete on rank 0 and lacks
/// implementations elsewhere. Precondition: `steps` has one entry per step of `program`.
StepReport collect_steps(Control& control, const Network& network, const Layout& layout, const Program& program,
                         std::span<const MeasuredStep> steps);

/// A human-readable table of the layers. Local.
std::string layer_table(const StepReport& report);

}  // namespace parconv
