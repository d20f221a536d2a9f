// Running a network over ranks under the splits that it allows, and comparing what comes out.
#pragma once

#include <string>
#include <vector>

#include "conformance/test_model.hpp"
#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/model/network.hpp"

namespace parconv::test {

/// The ranks of the test program, and what they compute with.
struct Ranks {
  Control& control;
  Communicator& communicator;
  Backend& backend;
};

/// Every axis that some value of the network has, all ranks along it, be it shorter than that; stages, if there are as many
/// operators; and the rule. On one rank nothing is divided.
std::vector<std::string> splits_of(const Network& network, int num_ranks);

/// A source for a tensor of `ndims` dimensions.
MemorySource source_of(const TestTensor& tensor);

/// The outputs of `network` in row-major ONNX order on rank 0; nothing elsewhere. Collective. What fails while the run is
/// prepared is the same Error on all ranks.
std::vector<TestTensor> run_split(const Network& network, const std::string& split, std::vector<MemorySource>& sources,
                                  const Ranks& ranks);

/// The largest absolute difference. Throws Error(BadData) naming the output if dimensions are not the same, or if a difference is
/// above 1e-7 + 1e-3 |expected|, the tolerance of the suite (for bfloat16 1e-7 + 2^-7 |expected|); numbers that are not finite
/// have to be the same.
double compared(const std::vector<TestTensor>& actual, const std::vector<TestTensor>& expected);

}  // namespace parconv::test
