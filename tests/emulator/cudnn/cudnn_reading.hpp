// SPDX-License-Identifier: Apache-2.0
// Translation of a recorded plan and variant pack to an operation graph.
#pragma once

#include "cudnn_compute.hpp"
#include "cudnn_records.hpp"

namespace parconv::emulator {

/// The operations of a plan. Aborts on unsupported attributes.
Graph graph_of(const Record& plan);

/// The addresses of a variant pack.
Memory memory_of(const Record& pack, std::size_t workspace_bytes);

/// Describes an address problem: a tensor has no address, is not in device memory, or is not 16-byte aligned. Empty if there is
/// none. Aborts if a tensor extends beyond its allocation.
std::string problem_of(const Graph& graph, const Memory& memory);

}  // namespace parconv::emulator
