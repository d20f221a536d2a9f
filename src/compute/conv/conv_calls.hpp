// SPDX-License-Identifier: Apache-2.0
// The library calls of convolutions, listed before any is prepared.
#pragma once

#include <functional>

#include "compute/conv/conv_library.hpp"
#include "parconv/compute/conv_algorithm_chooser.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// The key of a call: operands with strides and types, window, fused operations, and the options that exclude algorithms.
std::string key_of(const StridedConv& conv, const GpuOptions& options);

/// The distinct library calls of the convolutions among `ops`, in order, for a library with the algorithms `choices`. A call
/// without an entry counts as supported. Reads no filters.
std::vector<StridedConv> calls_of(std::span<const LocalOp> ops, ConvLibrary& library, const GpuOptions& options,
                                  const ConvAlgorithms& choices);

/// Times the algorithms of one call and returns the fastest.
using ConvTimer = std::function<ConvAlgorithm(const StridedConv& conv)>;

/// The parts of a chooser. A choice that exceeds the workspace limit of the options counts as missing.
struct ConvChooserParts {
  ConvAlgorithmMachine machine{};
  std::unique_ptr<ConvLibrary> library{};  ///< only `fuses` is called
  GpuOptions options{};
  ConvTimer time{};
};

std::unique_ptr<ConvAlgorithmChooser> make_conv_chooser(ConvChooserParts parts);

}  // namespace parconv
