// How one piece of a LocalConv reaches a library: which operands are used where they are, which go through scratch memory, what
// is fused.
#pragma once

#include "compute/conv_library.hpp"

namespace parconv {

/// The ways to ask a library for a piece, from the best to the surest.
struct Attempt {
  enum class Samples { Apart, Together };  ///< dense each, with any pitch; or all in one run of memory
  enum class Padding { Implicit, Explicit };
  enum class Finish { Fused, Behind };
  enum class Source { AsIs, Widened };  ///< or in f32, for sums in f32 of 16-bit numbers

  Source source = Source::AsIs;
  Samples samples = Samples::Apart;
  Padding padding = Padding::Implicit;
  Finish finish = Finish::Fused;
};

/// In the order in which they are tried.
std::vector<Attempt> all_attempts();

/// A dense buffer in scratch memory.
struct ScratchBox {
  std::size_t offset_bytes = 0;
  std::size_t size_bytes = 0;
  std::size_t inner_bytes = 0;  ///< where the operand's first element is in the buffer, behind explicit padding
  OperandLayout inner{};        ///< of the operand's elements in the buffer
  bool is_padded = false;
};

/// The channels of an operand that a piece uses.
struct PiecePort {
  std::size_t offset_bytes = 0;  ///< from the operand's first element
  OperandLayout layout{};
  std::optional<ScratchBox> scratch{};  ///< what stands in for it
};

struct StridedPiece {
  StridedConv conv{};
  PiecePort src{};
  PiecePort dst{};
  /// Of a residual that the call adds. Its scratch is used if it is not fit, or lies in the place of dst.
  std::optional<PiecePort> residual{};
  bool is_residual_fit = true;
  /// What is done to what the call made, in the scratch of dst or in place: its sources are that, then the residual. Without a
  /// value the call makes the result.
  std::optional<LocalOp> behind{};
  std::size_t residual_offset_bytes = 0;
  std::size_t scratch_bytes = 0;  ///< before the library's workspace; a multiple of 256
};

/// Plans a piece of `op`. Nothing if the attempt is the same as an earlier one.
std::optional<StridedPiece> plan_strided_piece(const LocalOp& op, const ChannelPiece& piece, const Attempt& attempt,
                                               const ConvLibrary& library);

/// The operand begins in its buffer at a multiple of this many elements: it is dense in all axes before the one with this stride.
/// Example: rows of a 2-D image with a margin begin at a multiple of a row.
index_t place_unit(const OperandLayout& layout);

/// Scratch memory is given out in multiples of this.
inline constexpr std::size_t scratch_alignment = 256;

}  // namespace parconv
