// What `compile` may choose from.
#pragma once

#include "parconv/program/placement.hpp"

namespace parconv {

enum class Overlap {
  Off,  ///< a whole operator, then its communication
  On    ///< operators in strips; each strip's communication starts as soon as the strip exists
};

/// Who stores the network's outputs.
enum class StoreKind {
  Owners,  ///< every rank stores what it owns
  Chunks,  ///< whole chunks of the output file per rank, spread over the ranks that own the output
  Root     ///< everything is gathered on rank 0
};

struct StoreRule {
  StoreKind kind = StoreKind::Owners;
  /// Extents of a chunk, for Chunks.
  Extents chunk{};
};

struct CompileOptions {
  ReduceMode reduce = ReduceMode::Fast;
  Overlap overlap = Overlap::Off;
  StoreRule store{};
  /// Operands of convolutions must be dense per sample (see MemoryRules).
  bool needs_dense = true;
  /// Of activations in memory and in messages, and of what convolutions compute in; see types_of_values. Partial sums are f32.
  DType type = DType::F32;
};

}  // namespace parconv
