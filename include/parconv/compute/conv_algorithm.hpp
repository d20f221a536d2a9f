// SPDX-License-Identifier: Apache-2.0
// The convolution algorithm of a GPU library as data, which ranks exchange and files store.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

/// A tuning parameter of an engine; `type` is the library's enumerator.
struct ConvAlgorithmKnob {
  int type = 0;
  index_t value = 0;

  friend bool operator==(const ConvAlgorithmKnob&, const ConvAlgorithmKnob&) = default;
};

/// A convolution algorithm: an engine of the library and its knobs.
struct ConvAlgorithm {
  static constexpr index_t no_engine = -1;

  index_t engine = no_engine;  ///< the library's index
  std::vector<ConvAlgorithmKnob> knobs{};
  /// Multiprocessors that the engine is limited to; 0: all.
  int multiprocessors = 0;
  index_t workspace_bytes = 0;
  double seconds = 0;  ///< measured time; 0: not measured

  /// False if the library does not support the call.
  bool computes() const { return engine != no_engine; }

  friend bool operator==(const ConvAlgorithm&, const ConvAlgorithm&) = default;
};

/// Algorithms by call. The key contains everything that the choice depends on: shapes, strides, types, fused operations and
/// rules.
using ConvAlgorithms = std::map<std::string, ConvAlgorithm>;

/// The GPU and library version that algorithms were chosen for; they are not valid for any other.
struct ConvAlgorithmMachine {
  std::string gpu{};
  int major = 0;  ///< compute capability
  int minor = 0;
  int multiprocessors = 0;
  std::string library{};  ///< "cuDNN 9.19.0"

  friend auto operator<=>(const ConvAlgorithmMachine&, const ConvAlgorithmMachine&) = default;
};

/// Example: "NVIDIA H200 (9.0, 132 multiprocessors), cuDNN 9.19.0".
std::string to_string(const ConvAlgorithmMachine& machine);

}  // namespace parconv
