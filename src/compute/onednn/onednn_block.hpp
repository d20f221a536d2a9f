// SPDX-License-Identifier: Apache-2.0
// Plans the oneDNN calls of one channel block of a LocalConv: operands used in place, and operands copied to a dense layout or
// another type.
#pragma once

#include <optional>

#include "compute/onednn/onednn_conv.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv::onednn {

/// The channels of an operand that a block uses in one call.
struct OperandPart {
  std::size_t offset_bytes = 0;  ///< from the operand's first element
  std::size_t pitch_bytes = 0;   ///< between calls
  OperandLayout layout{};        ///< of the samples of one call
};

/// A dense copy of an operand in scratch memory, of the type of `inner`.
struct DenseCopy {
  std::size_t scratch_bytes = 0;  ///< offset of the buffer in scratch
  std::size_t size_bytes = 0;
  std::size_t inner_bytes = 0;  ///< offset of the operand's first element in the buffer, after explicit padding
  OperandLayout inner{};        ///< of the operand's elements in the buffer
  bool is_padded = false;
};

/// One operand of the convolution, in place or through a copy.
struct Port {
  OperandPart part{};
  std::optional<DenseCopy> copy{};
};

enum class Padding { Implicit, Explicit };

/// The choices for a block. If `type` is not the type of the source, the source is converted; weights are rounded to the source
/// type in any case.
struct BlockChoice {
  Padding padding = Padding::Implicit;
  DType type = DType::F32;
};

/// The plan of a block, without its weights.
struct BlockPlan {
  DenseConv conv{};  ///< of one call, not folded
  index_t calls = 1;
  Port src{};
  Port dst{};
  std::optional<OperandPart> residual{};
  std::size_t copies_bytes = 0;  ///< of scratch for the copies; a multiple of 64
};

/// Plans `block`. One call computes all samples if the operands are used in place, otherwise one call per sample.
/// Padding::Explicit copies src into a zero-padded buffer if there is padding. If parconv applies the activation, dst is an f32
/// copy, so that results are rounded once.
BlockPlan plan_block(const LocalOp& op, const LocalConv& conv, const ChannelBlock& block, const BlockChoice& choice);

/// One block per group of `block`.
std::vector<ChannelBlock> ungrouped(const ChannelBlock& block);

/// True if the window of some output lies entirely in padding. oneDNN 2.6.3 crashes on it when it adds to dst; explicit padding
/// avoids this.
bool has_window_in_padding(const DenseConv& conv);

}  // namespace parconv::onednn
