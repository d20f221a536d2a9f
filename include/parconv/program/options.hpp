// SPDX-License-Identifier: Apache-2.0
// Options of the compiler.
#pragma once

#include "parconv/program/placement.hpp"

namespace parconv {

/// Overlap of computation and messages.
enum class Overlap {
  Off,  ///< a whole operator, then its communication
  On    ///< operators in strips; each strip's communication starts as soon as the strip exists
};

/// Ranks that store the network's outputs.
enum class StoreKind {
  Owners,  ///< every rank stores its owned box
  Chunks,  ///< whole chunks of the output file per rank, spread over the ranks that own the output
  Root     ///< everything is gathered on rank 0
};

/// The ranks that store the network's outputs, and the granularity of the parts.
struct StoreRule {
  StoreKind kind = StoreKind::Owners;
  /// Extents of a chunk of the output file in elements; used for Chunks only.
  Extents chunk{};
};

/// Choices of the compiler beyond the plan. Equal on all ranks of a job, since programs have to match.
struct CompileOptions {
  Overlap overlap = Overlap::Off;
  StoreRule store{};
  /// Operands of convolutions must be dense per sample (see MemoryRules).
  bool needs_dense = true;
  /// Type of activations in memory and in messages, and of the products of convolutions; see types_of_values. Partial sums are
  /// f32.
  DType type = DType::F32;
};

}  // namespace parconv
