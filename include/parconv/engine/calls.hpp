// SPDX-License-Identifier: Apache-2.0
// The backend calls of a program.
#pragma once

#include <optional>
#include <vector>

#include "parconv/model/local_op.hpp"
#include "parconv/program/program.hpp"

namespace parconv {

/// The memory layout of a region.
OperandLayout layout_of(const Program& program, const Region& region);

/// The source regions of a step's call, in order, and its destination region.
struct CallRegions {
  std::vector<Region> srcs{};
  Region dst{};
};
/// The regions of a step's call; empty unless the step is a Compute or Reduce.
std::optional<CallRegions> call_regions(const Step& step);

/// The call of a step, with the layouts of its operands. Precondition: the step is a Compute or Reduce.
LocalOp local_op_of(const Network& network, const Program& program, const Step& step);

/// The calls of all steps, in order: those that an engine prepares. Pure.
std::vector<LocalOp> local_ops_of(const Network& network, const Program& program);

}  // namespace parconv
