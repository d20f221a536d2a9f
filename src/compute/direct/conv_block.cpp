// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/conv_block.hpp"

#include <algorithm>
#include <utility>

#include "compute/compute_type.hpp"
#include "compute/conv/deconv_phases.hpp"
#include "compute/main_index.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::direct {
namespace {

/// What the blocks of a LocalConv and the phases of a LocalDeconv have in common.
ConvShape shape_of(const LocalOp& op, const ChannelBlock& block) {
  const OperandLayout& src = op.srcs[main_index(op)];
  ConvShape shape{.groups = block.groups,
                  .ic = block.filter.ic.size(),
                  .oc = block.dst.size() / block.groups,
                  .in = src.extents,
                  .out = op.dst.extents,
                  .src_strides = src.strides,
                  .dst_strides = op.dst.strides,
                  .src_type = src.type,
                  .dst_type = op.dst.type,
                  .channels = block.filter.ic};
  if (op.epilogue.residual < 0) return shape;
  const OperandLayout& residual = op.srcs[static_cast<std::size_t>(op.epilogue.residual)];
  shape.residual_strides = residual.strides;
  shape.residual_type = residual.type;
  return shape;
}

ConvEpilogue epilogue_of(const LocalOp& op, const ChannelBlock& block) {
  ConvEpilogue epilogue{.activation = op.epilogue.activation};
  const auto first = static_cast<std::size_t>(block.dst.lo), count = static_cast<std::size_t>(block.dst.size());
  if (!op.epilogue.bias.empty()) epilogue.bias = std::span(op.epilogue.bias).subspan(first, count);
  return epilogue;
}

std::vector<float> read_weights(const Filter& filter, const FilterBox& box, const FilterReader& read, DType type) {
  std::vector<float> weights = read(filter, box);
  PARCONV_EXPECT(std::ssize(weights) == box.volume(), weights.size(), " elements for a box of ", box.volume());
  round_weights(weights, type);
  return weights;
}

index_t bytes_of(index_t elems, DType type) { return elems * static_cast<index_t>(size_of(type)); }

ConvBlock make_block(const LocalOp& op, const ChannelBlock& block, const ConvShape& shape, const PackedFilters::Shared& filter,
                     int threads) {
  return {.conv = DirectConv(shape, filter.memory, epilogue_of(op, block), threads),
          .src_bytes = bytes_of(block.src.lo, shape.src_type),
          .dst_bytes = bytes_of(block.dst.lo, shape.dst_type),
          .residual_bytes = bytes_of(block.dst.lo, shape.residual_type),
          .filter_bytes = filter.is_new ? filter.memory->size_bytes() : 0};
}

// ---- Phases --------------------------------------------------------------------------------------------------------------

/// One phase of a transposed convolution, and the numbers of its first output along the axes.
struct NumberedPhase {
  Phase phase{};
  Extents number{{0, 0, 0, 0, 0}};

  bool has_outputs() const { return phase.axes[0].count * phase.axes[1].count * phase.axes[2].count > 0; }
};

std::vector<NumberedPhase> numbered_phases(const LocalOp& op, const LocalDeconv& deconv) {
  std::vector<NumberedPhase> phases;
  index_t k = 0;
  const auto& [d, h, w] = deconv.window.axes;
  for (const Phase& phase : phases_of(op, deconv)) {
    phases.push_back({phase, {{0, 0, k / w.stride / h.stride, k / w.stride % h.stride, k % w.stride}}});
    ++k;
  }
  return phases;
}

/// Narrows the shape of the whole operands to a phase.
ConvShape shape_of_phase(const ConvShape& whole, const LocalDeconv& deconv, const Phase& phase) {
  ConvShape shape = whole;
  shape.order = TapOrder::Descending;
  shape.leaves = deconv.leaves;
  for (Axis axis : spatial_axes) {
    const PhaseAxis& along = phase.axes[static_cast<std::size_t>(axis) - 2];
    shape.window[axis] = along.window;
    shape.out[axis] = along.count;
    shape.in[axis] = std::max<index_t>(0, shape.in[axis] - along.skip);
    shape.dst_strides[axis] *= deconv.window[axis].stride;
    shape.residual_strides[axis] *= deconv.window[axis].stride;
  }
  return shape;
}

/// A phase without taps: sums of no products, which get the epilogue like others.
ConvShape without_products(ConvShape shape) {
  shape.window = {};
  for (Axis axis : spatial_axes) shape.in[axis] = 0;
  shape.ic = 1;
  shape.leaves = {.channels = 1, .count = 1};
  shape.channels = {0, 1};
  return shape;
}

PackedFilters::Shared pack(const ConvShape& shape, const std::vector<float>& weights, InstructionSet set) {
  return {.memory = std::make_shared<const PackedFilter>(layout_of(shape, set), weights), .is_new = true};
}

std::vector<float> weights_of_phase(const ConvShape& shape, const ChannelBlock& block, const FilterReader& read) {
  FilterBox box = block.filter;
  for (std::size_t k = 0; k < 3; ++k) box.kernel[k] = {0, shape.window.axes[k].kernel};
  return read_weights({}, box, read, shape.src_type);
}

index_t offset_of(const Extents& at, const Extents& strides) {
  index_t offset = 0;
  for (Axis axis : spatial_axes) offset += at[axis] * strides[axis];
  return offset;
}

}  // namespace

std::vector<ConvBlock> conv_blocks(const LocalOp& op, const FilterReader& read, const DirectOptions& options,
                                   PackedFilters& cache) {
  const auto& conv = std::get<LocalConv>(op.kind);
  const DType type = compute_type(op);
  std::vector<ConvBlock> blocks;
  for (const ChannelBlock& block : conv.blocks) {
    ConvShape shape = shape_of(op, block);
    shape.window = conv.window;
    shape.leaves = conv.leaves;
    const FilterLayout layout = layout_of(shape, options.set);
    const auto filter = cache.get(
        conv.filter, block.filter, type, [&](const PackedFilter& packed) { return packed.layout() == layout; },
        [&] { return PackedFilter(layout, read_weights(conv.filter, block.filter, read, type)); });
    blocks.push_back(make_block(op, block, shape, filter, options.threads));
  }
  return blocks;
}

std::vector<ConvBlock> deconv_blocks(const LocalOp& op, const FilterReader& read, const DirectOptions& options) {
  const auto& deconv = std::get<LocalDeconv>(op.kind);
  FilterBoxes boxes(deconv.filter, read);
  std::vector<ConvBlock> blocks;
  for (const NumberedPhase& numbered : numbered_phases(op, deconv)) {
    if (!numbered.has_outputs()) continue;
    const auto& [phase, number] = numbered;
    const FilterReader read_phase = phase_reader(boxes, deconv, phase);
    Extents skip{{0, 0, 0, 0, 0}};
    for (Axis axis : spatial_axes) skip[axis] = phase.axes[static_cast<std::size_t>(axis) - 2].skip;
    for (const ChannelBlock& block : deconv.blocks) {
      const ConvShape whole = shape_of(op, block);
      ConvShape shape = shape_of_phase(whole, deconv, phase);
      std::vector<float> weights(static_cast<std::size_t>(shape.groups * shape.oc));
      if (phase.is_empty())
        shape = without_products(shape);
      else
        weights = weights_of_phase(shape, block, read_phase);
      blocks.push_back(make_block(op, block, shape, pack(shape, weights, options.set), options.threads));
      blocks.back().src_bytes += bytes_of(offset_of(skip, whole.src_strides), whole.src_type);
      blocks.back().dst_bytes += bytes_of(offset_of(number, whole.dst_strides), whole.dst_type);
      blocks.back().residual_bytes += bytes_of(offset_of(number, whole.residual_strides), whole.residual_type);
    }
  }
  return blocks;
}

}  // namespace parconv::direct
