// How one piece of a LocalConv reaches oneDNN: which memory is used as it is and which is copied to become dense, or of another
// type.
#pragma once

#include <optional>

#include "compute/onednn_conv.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv::onednn {

/// The channels of an operand that a piece uses, for one call.
struct OperandPart {
  std::size_t offset_bytes = 0;  ///< from the operand's first element
  std::size_t pitch_bytes = 0;   ///< from one call to the next
  OperandLayout layout{};        ///< of the samples of one call
};

/// A dense buffer in scratch memory that stands in for an operand; its type is that of `inner`.
struct DenseCopy {
  std::size_t scratch_bytes = 0;  ///< where the buffer is in scratch
  std::size_t size_bytes = 0;
  std::size_t inner_bytes = 0;  ///< where the operand's first element is in the buffer (behind explicit padding)
  OperandLayout inner{};        ///< of the operand's elements in the buffer
  bool is_padded = false;
};

/// One operand of the convolution: as it is, or through a copy.
struct Port {
  OperandPart part{};
  std::optional<DenseCopy> copy{};
};

enum class Padding { Implicit, Explicit };

/// How a piece is computed. Where `type` is not that of the source, this is converted, and weights are rounded all the same.
struct PieceChoice {
  Padding padding = Padding::Implicit;
  DType type = DType::F32;
};

/// Everything about a piece but its weights.
struct PiecePlan {
  DenseConv conv{};  ///< of one call, not folded
  index_t calls = 1;
  Port src{};
  Port dst{};
  std::optional<OperandPart> residual{};
  std::size_t copies_bytes = 0;  ///< of scratch for the copies; a multiple of 64
};

/// Plans `piece`. All samples are computed in one call where the operands are used as they are, otherwise one sample a call.
/// Padding::Explicit copies src into a buffer with zeros around it, if there is padding. Where oneDNN cannot finish results or is
/// not trusted with it, dst is a copy in f32, so that results are rounded once.
PiecePlan plan_piece(const LocalOp& op, const LocalConv& conv, const ChannelPiece& piece, const PieceChoice& choice);

/// A piece for every group of `piece`.
std::vector<ChannelPiece> ungrouped(const ChannelPiece& piece);

/// True if some output's window lies wholly in padding. oneDNN 2.6.3 crashes on those when it adds to dst; explicit padding
/// keeps them from it.
bool has_window_in_padding(const DenseConv& conv);

/// True if the bits of oneDNN's results may depend on how much of the input a rank has: where it is padded along its innermost
/// axis by more than half a window, or where that axis is d or h (which `folded` moves to w). Explicit padding keeps a cut
/// along d or h, or among the filters, from changing bits.
bool has_unsteady_padding(const DenseConv& conv);

/// The source that is not the residual.
std::size_t main_operand(const LocalOp& op);

}  // namespace parconv::onednn
