// The calls of a backend that a program comes down to.
#pragma once

#include <optional>
#include <vector>

#include "parconv/model/local_op.hpp"
#include "parconv/program/program.hpp"

namespace parconv {

/// How a region lies in memory.
OperandLayout layout_of(const Program& program, const Region& region);

/// The regions that a step reads as sources of its call, in order, and the one that it makes. Only Compute and Reduce have calls.
struct CallRegions {
  std::vector<Region> srcs{};
  Region dst{};
};
std::optional<CallRegions> call_regions(const Step& step);

/// The call of a step that has one, with the layouts of its operands.
LocalOp local_op_of(const Network& network, const Program& program, const Step& step);

/// The calls of all steps, in order. Pure: what an engine will prepare.
std::vector<LocalOp> local_ops_of(const Network& network, const Program& program);

}  // namespace parconv
