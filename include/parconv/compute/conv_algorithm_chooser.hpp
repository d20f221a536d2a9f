// SPDX-License-Identifier: Apache-2.0
// The interface to the timing of convolution algorithms.
#pragma once

#include <memory>
#include <span>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Chooses convolution algorithms before kernels are prepared. Local: no method communicates.
class ConvAlgorithmChooser {
 public:
  virtual ~ConvAlgorithmChooser() = default;

  virtual ConvAlgorithmMachine machine() const = 0;

  /// The distinct calls that a backend would make for `ops` and that have no entry in `choices`, in order. An entry without an
  /// engine leads to the next formulation of the same operator, so repeat until the result is empty.
  virtual std::vector<std::string> open_calls(std::span<const LocalOp> ops, const ConvAlgorithms& choices) = 0;

  /// The fastest algorithm of a call returned by open_calls. Blocks; temporarily allocates the operands of the call. Throws
  /// Error(OutOfMemory) if they do not fit.
  virtual ConvAlgorithm choose(const std::string& call) = 0;
};

/// Creates the chooser for the backend that make_backend creates from the same options. Local. Throws Error(Unavailable) if the
/// library does not work. Precondition: options.device is a GPU and outlives the chooser.
std::unique_ptr<ConvAlgorithmChooser> make_conv_algorithm_chooser(const BackendOptions& options);

}  // namespace parconv
