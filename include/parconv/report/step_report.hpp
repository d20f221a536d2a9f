// Measured steps of all ranks, added up by layer.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/control.hpp"
#include "parconv/program/program.hpp"

namespace parconv {

/// What was measured of one step of a program.
struct MeasuredStep {
  double seconds = 0;
  index_t calls = 0;
  /// What computed it; empty for steps that do not compute.
  std::string implementation{};
};

inline constexpr std::size_t num_lanes = 3;

/// One number per Lane.
using LaneSeconds = std::array<double, num_lanes>;

/// One layer over all ranks.
struct LayerReport {
  NodeId node = -1;  ///< the number of nodes for what is stored at the end
  std::string name{};
  std::string op{};
  std::string split{};
  int stage = 0;
  index_t sent_bytes = 0;      ///< by all ranks per micro-batch
  index_t copied_bytes = 0;    ///< by all ranks per micro-batch
  LaneSeconds max_seconds{};   ///< of the slowest rank in each lane
  LaneSeconds mean_seconds{};  ///< over ranks
  /// Of the first rank that computes the layer; several are joined by '+'.
  std::string implementation{};
};

struct StepReport {
  std::vector<LayerReport> layers{};
  index_t sent_bytes = 0;       ///< by all ranks per micro-batch
  double max_wait_seconds = 0;  ///< of the rank that waited longest for messages
};

/// Adds the steps of all ranks up. Collective. `steps` has one entry per step of `program`; the result is complete on rank 0, and
/// has the numbers but no implementations elsewhere.
StepReport collect_steps(Control& control, const Network& network, const Layout& layout, const Program& program,
                         std::span<const MeasuredStep> steps);

/// The layers as a table for people.
std::string layer_table(const StepReport& report);

}  // namespace parconv
