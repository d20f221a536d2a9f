// SPDX-License-Identifier: Apache-2.0
// Plans the library call of one channel block of a LocalConv: operands used in place, operands copied through scratch memory,
// fused operations.
#pragma once

#include "compute/conv/conv_library.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// One formulation of a block as a library call.
struct Attempt {
  enum class Samples { Apart, Together };  ///< dense per sample with any pitch, or contiguous over all samples
  enum class Padding { Implicit, Explicit };
  enum class Epilogue { Fused, Behind };
  enum class Source { AsIs, Widened };  ///< as it is, or converted to f32 for f32 sums of 16-bit values

  Source source = Source::AsIs;
  Samples samples = Samples::Apart;
  Padding padding = Padding::Implicit;
  Epilogue epilogue = Epilogue::Fused;
};

/// All attempts in the order in which they are tried, fastest first.
std::vector<Attempt> all_attempts();

/// A dense buffer in scratch memory.
struct ScratchBox {
  std::size_t offset_bytes = 0;
  std::size_t size_bytes = 0;
  std::size_t inner_bytes = 0;  ///< offset of the operand's first element in the buffer, after explicit padding
  OperandLayout inner{};        ///< of the operand's elements in the buffer
  bool is_padded = false;
};

/// The channels of an operand that a block uses.
struct BlockPort {
  std::size_t offset_bytes = 0;  ///< from the operand's first element
  OperandLayout layout{};
  std::optional<ScratchBox> scratch{};  ///< the copy used in its place
};

/// A planned block: its library call, its operands and the operation after the call.
struct StridedBlock {
  StridedConv conv{};
  BlockPort src{};
  BlockPort dst{};
  /// The residual that the call adds. Its copy is used if the layout is unsupported or it shares memory with dst.
  std::optional<BlockPort> residual{};
  bool is_residual_fit = true;
  /// The operation on the result of the call, in the scratch of dst or in place: its sources are that result, then the
  /// residual. Empty: the call computes the final result.
  std::optional<LocalOp> behind{};
  std::size_t residual_offset_bytes = 0;
  std::size_t scratch_bytes = 0;  ///< before the library's workspace; a multiple of 256
};

/// Plans a block of `op`. Empty if the attempt is equivalent to an earlier one.
std::optional<StridedBlock> plan_strided_block(const LocalOp& op, const ChannelBlock& block, const Attempt& attempt,
                                               const ConvLibrary& library);

/// The granularity, in elements, of the operand's offset in its buffer: the stride of the outermost axis up to which it is
/// dense. Example: an image with margin rows above and below begins at a multiple of a row.
index_t place_unit(const OperandLayout& layout);

/// The granularity of scratch memory.
inline constexpr std::size_t scratch_alignment = 256;

}  // namespace parconv
