// SPDX-License-Identifier: Apache-2.0
#include "compute/conv/conv_geometry.hpp"
#include "compute/conv/deconv_phases.hpp"
#include "compute/conv/strided_block.hpp"
#include "compute/main_index.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// The aligned workspace within scratch, which itself is aligned to 64 bytes only.
std::byte* aligned_up(std::byte* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  return data + (scratch_alignment - address % scratch_alignment) % scratch_alignment;
}

/// A channel block with its prepared call.
class BlockCall {
 public:
  BlockCall(StridedBlock block, std::unique_ptr<ConvCall> call, ConvLibrary& library)
      : block_(std::move(block)), call_(std::move(call)), library_(library) {
    if (block_.behind) behind_ = library.make_kernel(*block_.behind);
    if (is_widened())
      widen_ = library.make_kernel({.kind = LocalCopy{}, .srcs = {block_.src.layout}, .dst = block_.src.scratch->inner});
  }

  void execute(const std::byte* src, const std::byte* residual, std::byte* dst, std::byte* scratch) {
    std::byte* const base = aligned_up(scratch);
    std::byte* const place = dst + block_.dst.offset_bytes;
    std::byte* const made = block_.dst.scratch ? base + block_.dst.scratch->offset_bytes : place;
    const std::byte* const added = residual == nullptr ? nullptr : residual + block_.residual_offset_bytes;
    call_->execute({.src = fetched(src, base),
                    .residual = block_.residual ? fetched_residual(added, made, base) : nullptr,
                    .dst = made,
                    .workspace = base + block_.scratch_bytes});
    if (!behind_) return;
    const std::array<const std::byte*, 2> srcs{made, added};
    behind_->execute(std::span(srcs).first(block_.behind->srcs.size()), place, base + block_.scratch_bytes);
  }

  std::size_t scratch_bytes() const {
    std::size_t work = call_->workspace_bytes();
    for (const Kernel* kernel : {behind_.get(), widen_.get()})
      if (kernel != nullptr) work = std::max(work, kernel->scratch_bytes());
    const std::size_t bytes = block_.scratch_bytes + work;
    return bytes == 0 ? 0 : bytes + scratch_alignment;
  }

  std::size_t resident_bytes() const {
    std::size_t sum = call_->resident_bytes();
    for (const Kernel* kernel : {behind_.get(), widen_.get()})
      if (kernel != nullptr) sum += kernel->resident_bytes();
    return sum;
  }

  std::string implementation() const {
    std::string text = call_->implementation();
    if (block_.src.scratch) text += block_.src.scratch->is_padded ? ", padded copy" : ", copy";
    if (widen_) text += " in f32";
    if (behind_) text += ", separate epilogue";
    return text;
  }

 private:
  bool is_widened() const { return block_.src.scratch && block_.src.scratch->inner.type != block_.src.layout.type; }

  /// The source in the layout of the call.
  const std::byte* fetched(const std::byte* src, std::byte* base) const {
    const std::byte* const place = src + block_.src.offset_bytes;
    if (!block_.src.scratch) return place;
    const ScratchBox& box = *block_.src.scratch;
    std::byte* const begin = base + box.offset_bytes;
    if (box.is_padded) library_.zero(begin, box.size_bytes);
    if (widen_)
      widen_->execute({&place, 1}, begin + box.inner_bytes, base + block_.scratch_bytes);
    else
      library_.copy({place, block_.src.layout}, {begin + box.inner_bytes, box.inner});
    return begin;
  }

  const std::byte* fetched_residual(const std::byte* place, const std::byte* made, std::byte* base) const {
    if (block_.is_residual_fit && place != made) return place;
    const ScratchBox& box = *block_.residual->scratch;
    library_.copy({place, block_.residual->layout}, {base + box.offset_bytes, box.inner});
    return base + box.offset_bytes;
  }

  StridedBlock block_;
  std::unique_ptr<ConvCall> call_;
  ConvLibrary& library_;
  std::unique_ptr<Kernel> behind_{};
  std::unique_ptr<Kernel> widen_{};  ///< converts the source if the call computes in another type
};

/// Executes the channel blocks in order.
class StridedConvKernel final : public Kernel {
 public:
  StridedConvKernel(const LocalOp& op, std::vector<BlockCall> blocks)
      : blocks_(std::move(blocks)), src_(main_index(op)), residual_(op.epilogue.residual) {}

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    const std::byte* const residual = residual_ < 0 ? nullptr : srcs[static_cast<std::size_t>(residual_)];
    for (BlockCall& block : blocks_) block.execute(srcs[src_], residual, dst, scratch);
  }

  std::size_t scratch_bytes() const override {
    std::size_t most = 0;
    for (const BlockCall& block : blocks_) most = std::max(most, block.scratch_bytes());
    return most;
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = 0;
    for (const BlockCall& block : blocks_) sum += block.resident_bytes();
    return sum;
  }
  std::string implementation() const override { return blocks_.front().implementation(); }

 private:
  std::vector<BlockCall> blocks_;
  std::size_t src_;
  int residual_;
};

/// The bias of the block's channels; zeros if the layer has none.
std::vector<float> bias_of(const LocalOp& op, const ChannelBlock& block) {
  if (op.epilogue.bias.empty()) return std::vector<float>(static_cast<std::size_t>(block.dst.size()));
  return {op.epilogue.bias.begin() + block.dst.lo, op.epilogue.bias.begin() + block.dst.hi};
}

BlockCall make_block(const LocalOp& op, const ChannelBlock& block, const FilterReader& read, ConvLibrary& library) {
  const auto& conv = std::get<LocalConv>(op.kind);
  for (const Attempt& attempt : all_attempts()) {
    const auto planned = plan_strided_block(op, block, attempt, library);
    if (!planned) continue;
    const std::vector<float> bias = planned->conv.has_bias ? bias_of(op, block) : std::vector<float>{};
    const ConvFilter filter{.filter = conv.filter, .box = block.filter, .read = read, .bias = bias};
    if (auto call = library.make_call(planned->conv, filter)) return {*planned, std::move(call), library};
  }
  const auto first = plan_strided_block(op, block, {}, library);
  throw Error(ExitCode::Unavailable, concat("no implementation of the convolution ", to_string(first->conv)),
              "Use another --dtype, split this layer another way, or use --device cpu.");
}

void expect_usable(const LocalOp& op) {
  PARCONV_EXPECT(op.srcs.size() > main_index(op), "a convolution without a source");
  PARCONV_EXPECT(op.epilogue.residual < static_cast<int>(op.srcs.size()), "residual ", op.epilogue.residual);
  PARCONV_EXPECT(volume(op.dst.extents) > 0, op.dst.extents);
}

/// Every stride-th element of an operand, from the first element of a phase.
struct PhaseView {
  std::size_t offset_bytes = 0;
  OperandLayout layout{};
};

PhaseView view_of_phase(const OperandLayout& operand, const Window& window, const Phase& phase,
                        const std::array<index_t, 3>& first) {
  PhaseView view{.layout = operand};
  index_t offset = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const Axis axis = spatial_axes[k];
    offset += first[k] * operand.strides[axis];
    view.layout.extents[axis] = phase.axes[k].count;
    view.layout.strides[axis] = operand.strides[axis] * window.axes[k].stride;
  }
  view.offset_bytes = static_cast<std::size_t>(offset) * size_of(operand.type);
  return view;
}

/// The inputs from the first one that a phase reads.
PhaseView source_of_phase(const OperandLayout& src, const Phase& phase) {
  PhaseView view{.layout = src};
  index_t offset = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const Axis axis = spatial_axes[k];
    offset += phase.axes[k].skip * src.strides[axis];
    view.layout.extents[axis] -= phase.axes[k].skip;
  }
  view.offset_bytes = static_cast<std::size_t>(offset) * size_of(src.type);
  return view;
}

/// True if no input contributes to the phase.
bool has_no_inputs(const OperandLayout& src, const Phase& phase) {
  if (phase.is_empty()) return true;
  for (std::size_t k = 0; k < 3; ++k) {
    const PhaseAxis& axis = phase.axes[k];
    if (axis.window.clipped_input_range({0, axis.count}, src.extents[spatial_axes[k]] - axis.skip).is_empty()) return true;
  }
  return false;
}

/// The convolution of a phase. Its filter has no identity, so it is never shared.
LocalConv conv_of_phase(const LocalDeconv& deconv, const Phase& phase) {
  LocalConv conv{.blocks = deconv.blocks, .filter = {.oc = deconv.filter.oc, .ic_per_group = deconv.filter.ic_per_group}};
  for (std::size_t k = 0; k < 3; ++k) {
    conv.window.axes[k] = phase.axes[k].window;
    conv.filter.kernel[k] = phase.axes[k].window.kernel;
    for (ChannelBlock& block : conv.blocks) block.filter.kernel[k] = {0, conv.filter.kernel[k]};
  }
  return conv;
}

/// The prepared kernel of one phase.
struct PhaseCall {
  std::unique_ptr<Kernel> kernel{};
  std::vector<std::size_t> src_offsets_bytes{};
  std::vector<std::size_t> srcs{};  ///< indices among the sources of the whole call
  std::size_t dst_offset_bytes = 0;
};

class StridedDeconvKernel final : public Kernel {
 public:
  explicit StridedDeconvKernel(std::vector<PhaseCall> phases) : phases_(std::move(phases)) {}

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    std::array<const std::byte*, 2> addresses{};
    for (const PhaseCall& phase : phases_) {
      for (std::size_t k = 0; k < phase.srcs.size(); ++k) addresses[k] = srcs[phase.srcs[k]] + phase.src_offsets_bytes[k];
      phase.kernel->execute(std::span(addresses).first(phase.srcs.size()), dst + phase.dst_offset_bytes, scratch);
    }
  }

  std::size_t scratch_bytes() const override {
    std::size_t most = 0;
    for (const PhaseCall& phase : phases_) most = std::max(most, phase.kernel->scratch_bytes());
    return most;
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = 0;
    for (const PhaseCall& phase : phases_) sum += phase.kernel->resident_bytes();
    return sum;
  }
  std::string implementation() const override { return concat("phases of ", phases_.front().kernel->implementation()); }

 private:
  std::vector<PhaseCall> phases_;
};

/// Prepares the calls of the phases.
struct PhaseMaker {
  const LocalOp& op;
  const LocalDeconv& deconv;
  FilterBoxes& boxes;
  ConvLibrary& library;

  /// `first` is the first output of the phase.
  PhaseCall make(const Phase& phase, const std::array<index_t, 3>& first) const {
    const PhaseView dst = view_of_phase(op.dst, deconv.window, phase, first);
    const std::size_t main = main_index(op);
    const bool is_fill = has_no_inputs(op.srcs[main], phase);
    PhaseCall call{.dst_offset_bytes = dst.offset_bytes};
    LocalOp part{.kind = LocalFill{}, .epilogue = op.epilogue, .srcs = {}, .dst = dst.layout};
    if (!is_fill) {
      part.kind = conv_of_phase(deconv, phase);
      add_source(call, part, main, source_of_phase(op.srcs[main], phase));
    }
    if (op.epilogue.residual >= 0) {
      const auto residual = static_cast<std::size_t>(op.epilogue.residual);
      part.epilogue.residual = static_cast<int>(part.srcs.size());
      add_source(call, part, residual, view_of_phase(op.srcs[residual], deconv.window, phase, first));
    }
    call.kernel = is_fill ? library.make_kernel(part) : make_strided_conv(part, phase_reader(boxes, deconv, phase), library);
    return call;
  }

  static void add_source(PhaseCall& call, LocalOp& part, std::size_t index, const PhaseView& view) {
    part.srcs.push_back(view.layout);
    call.srcs.push_back(index);
    call.src_offsets_bytes.push_back(view.offset_bytes);
  }
};

}  // namespace

std::string to_string(const StridedConv& conv) {
  const auto along = [&](auto&& number) {
    return concat(number(conv.window.axes[0]), "x", number(conv.window.axes[1]), "x", number(conv.window.axes[2]));
  };
  return concat(to_string(conv.src.extents), " ", name_of(conv.src.type), " -> ", to_string(conv.dst.extents), " ",
                name_of(conv.dst.type), ", kernel ", along([](const WindowAxis& a) { return a.kernel; }), ", stride ",
                along([](const WindowAxis& a) { return a.stride; }), ", dilation ",
                along([](const WindowAxis& a) { return a.dilation; }), ", padding ",
                along([](const WindowAxis& a) { return concat(a.pad_lo, "+", a.pad_hi); }), ", groups ", conv.groups);
}

std::vector<float> filter_channels_last(const ConvFilter& filter) {
  const std::vector<float> values = filter.read(filter.filter, filter.box);
  PARCONV_EXPECT(std::ssize(values) == filter.box.volume(), values.size(), " elements for a box of ", filter.box.volume());
  const auto& kernel = filter.box.kernel;
  return taps_before_channels(values, filter.box.ic.size(), kernel[0].size() * kernel[1].size() * kernel[2].size());
}

std::unique_ptr<Kernel> make_strided_conv(const LocalOp& op, const FilterReader& read_filter, ConvLibrary& library) {
  expect_usable(op);
  PARCONV_EXPECT(!std::get<LocalConv>(op.kind).blocks.empty(), "a convolution without blocks of filters");
  std::vector<BlockCall> blocks;
  for (const ChannelBlock& block : std::get<LocalConv>(op.kind).blocks)
    blocks.push_back(make_block(op, block, read_filter, library));
  return std::make_unique<StridedConvKernel>(op, std::move(blocks));
}

std::unique_ptr<Kernel> make_strided_deconv(const LocalOp& op, const FilterReader& read_filter, ConvLibrary& library) {
  expect_usable(op);
  const auto& deconv = std::get<LocalDeconv>(op.kind);
  FilterBoxes boxes(deconv.filter, read_filter);
  const PhaseMaker maker{op, deconv, boxes, library};
  std::vector<PhaseCall> calls;
  std::array<index_t, 3> first{0, 0, 0};
  for (const Phase& phase : phases_of(op, deconv)) {
    const auto& axes = phase.axes;
    if (axes[0].count > 0 && axes[1].count > 0 && axes[2].count > 0) calls.push_back(maker.make(phase, first));
    for (std::size_t k = 3; k-- > 0;) {  // the next phase, w fastest
      if (++first[k] < deconv.window.axes[k].stride) break;
      first[k] = 0;
    }
  }
  return std::make_unique<StridedDeconvKernel>(std::move(calls));
}

}  // namespace parconv
