// SPDX-License-Identifier: Apache-2.0
// Runs of a network under all its splits, and comparison of the outputs.
#pragma once

#include <string>
#include <vector>

#include "conformance/test_model.hpp"
#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/io/memory_source.hpp"
#include "parconv/model/network.hpp"

namespace parconv::test {

/// The ranks of the job and their backend.
struct Ranks {
  Control& control;
  Communicator& communicator;
  Backend& backend;
};

/// Splits by each axis that some value of the network has, over all ranks (even if the axis is shorter); by stages, if there
/// are enough operators; and `auto`. On one rank, no split.
std::vector<std::string> splits_of(const Network& network, int num_ranks);

/// A source with the tensor's elements and number of dimensions.
MemorySource source_of(const TestTensor& tensor);

/// The outputs of `network` in row-major ONNX order on rank 0; empty elsewhere. Collective. Errors in preparing the run are the
/// same on all ranks.
std::vector<TestTensor> run_split(const Network& network, const std::string& split, std::vector<MemorySource>& sources,
                                  const Ranks& ranks);

/// The largest absolute difference. Throws Error(BadData) naming the output if dimensions differ or a difference exceeds 1e-7 +
/// 1e-3 abs(expected), the tolerance of the suite (for bfloat16 1e-7 + 2^-7 abs(expected)). Non-finite values must be
/// identical.
double compared(const std::vector<TestTensor>& actual, const std::vector<TestTensor>& expected);

}  // namespace parconv::test
