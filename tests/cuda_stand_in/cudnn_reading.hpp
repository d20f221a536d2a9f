// What an execution computes, read from the records of a plan and a variant pack.
#pragma once

#include "cudnn_compute.hpp"
#include "cudnn_records.hpp"

namespace parconv::stand_in {

/// The operations of a plan. Refuses attributes that would be left out.
Graph graph_of(const Record& plan);

/// Addresses of a variant pack.
Memory memory_of(const Record& pack, std::size_t workspace_bytes);

/// What is wrong with the addresses: a tensor has none, is not in the memory of a device or does not begin at a multiple of 16
/// bytes. Empty if nothing is. Gives up if a tensor goes beyond its allocation.
std::string problem_of(const Graph& graph, const Memory& memory);

}  // namespace parconv::stand_in
