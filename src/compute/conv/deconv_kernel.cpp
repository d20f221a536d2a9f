// SPDX-License-Identifier: Apache-2.0
#include "compute/conv/deconv_kernel.hpp"

#include <algorithm>

#include "compute/conv/deconv_phases.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "compute/main_index.hpp"
#include "compute/scratch_bytes.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

Extents made_by(const Phase& phase, const Extents& dst) {
  return {{dst[Axis::N], dst[Axis::C], phase.axes[0].made, phase.axes[1].made, phase.axes[2].made}};
}

/// The convolution of a phase. Its filter has no identity: it is read through `reader_of` and never shared.
LocalOp conv_of(const LocalOp& op, const LocalDeconv& deconv, const Phase& phase) {
  LocalConv conv{.blocks = deconv.blocks,
                 .filter = {.oc = deconv.filter.oc, .ic_per_group = deconv.filter.ic_per_group},
                 .leaves = deconv.leaves};
  for (std::size_t k = 0; k < 3; ++k) {
    conv.window.axes[k] = phase.axes[k].window;
    conv.filter.kernel[k] = phase.axes[k].window.kernel;
    for (ChannelBlock& block : conv.blocks) block.filter.kernel[k] = {0, conv.filter.kernel[k]};
  }
  const Box made = Box::whole(made_by(phase, op.dst.extents));
  return {.kind = std::move(conv), .srcs = {op.srcs[main_index(op)]}, .dst = layout_within(made, made)};
}

/// A phase with its kernel and the location of its results in scratch.
struct PhaseCall {
  Phase phase{};
  std::unique_ptr<Kernel> kernel{};  ///< null: the phase has no taps or no outputs
  OperandLayout layout{};
  std::size_t scratch_bytes = 0;
};

/// Computes the phases into scratch one by one, then interleaves them into output rows and applies the epilogue.
class DeconvKernel final : public cpu::RowKernel {
 public:
  DeconvKernel(const LocalOp& op, std::vector<PhaseCall> phases) : RowKernel(op), phases_(std::move(phases)) {
    for (std::size_t k = 0; k < 3; ++k) strides_[k] = std::get<LocalDeconv>(op.kind).window.axes[k].stride;
    for (PhaseCall& call : phases_) {
      if (!call.kernel) continue;
      call.scratch_bytes = results_bytes_;
      results_bytes_ += aligned(static_cast<std::size_t>(volume(call.layout.extents)) * sizeof(float));
      work_bytes_ = std::max(work_bytes_, call.kernel->scratch_bytes());
    }
  }

  std::size_t scratch_bytes() const override { return results_bytes_ + work_bytes_; }

  std::size_t resident_bytes() const override {
    std::size_t bytes = RowKernel::resident_bytes();
    for (const PhaseCall& call : phases_)
      if (call.kernel) bytes += call.kernel->resident_bytes();
    return bytes;
  }

  std::string implementation() const override {
    const auto first = std::find_if(phases_.begin(), phases_.end(), [](const PhaseCall& call) { return call.kernel != nullptr; });
    return first == phases_.end() ? RowKernel::implementation() : concat("phases of ", first->kernel->implementation());
  }

 private:
  using RowIndex = cpu::RowIndex;

  void use(std::byte* scratch) override { results_ = scratch; }

  void begin(Sources srcs, std::byte* scratch) override {
    const Sources main = srcs.subspan(main_index(op()), 1);
    for (PhaseCall& call : phases_)
      if (call.kernel) call.kernel->execute(main, scratch + call.scratch_bytes, scratch + results_bytes_);
  }

  void make_row(Sources, const RowIndex& row, cpu::Row dst) override {
    const auto d = static_cast<std::size_t>(row.d % strides_[0]), h = static_cast<std::size_t>(row.h % strides_[1]);
    const std::size_t first = (d * static_cast<std::size_t>(strides_[1]) + h) * static_cast<std::size_t>(strides_[2]);
    const index_t phases = std::min(strides_[2], shape().pixels);
    for (index_t w = 0; w < phases; ++w)
      make_phase_of_row(phases_[first + static_cast<std::size_t>(w)], row, {dst.data + w * dst.pitch, dst.pitch * strides_[2]});
  }

  void make_phase_of_row(const PhaseCall& call, const RowIndex& row, cpu::Row dst) const {
    const auto& axes = call.phase.axes;
    const cpu::RowShape pixels{.pixels = axes[2].count, .channels = shape().channels};
    if (!call.kernel) return cpu::fill_row(dst, 0, pixels);
    const cpu::Operand made(results_ + call.scratch_bytes, call.layout);
    cpu::ConstRow src = made.row({row.n, row.d / strides_[0] + axes[0].skip, row.h / strides_[1] + axes[1].skip});
    src.data += axes[2].skip * src.pitch;
    cpu::copy_row(dst, src, pixels);
  }

  std::vector<PhaseCall> phases_;
  std::array<index_t, 3> strides_{1, 1, 1};
  std::size_t results_bytes_ = 0;
  std::size_t work_bytes_ = 0;
  std::byte* results_ = nullptr;
};

/// True for a single phase without extra outputs: a convolution can write dst directly, with the epilogue.
bool is_plain(const std::vector<Phase>& phases) {
  if (phases.size() != 1 || phases.front().is_empty()) return false;
  const auto& axes = phases.front().axes;
  return std::all_of(axes.begin(), axes.end(), [](const PhaseAxis& axis) { return axis.made == axis.count; });
}

}  // namespace

std::unique_ptr<Kernel> make_deconv_kernel(const LocalOp& op, const FilterReader& read_filter, const MakeConvKernel& make_conv) {
  const auto& deconv = std::get<LocalDeconv>(op.kind);
  FilterBoxes boxes(deconv.filter, read_filter);
  const std::vector<Phase> phases = phases_of(op, deconv);
  if (is_plain(phases)) {
    LocalOp whole = op;
    whole.kind = conv_of(op, deconv, phases.front()).kind;
    return make_conv(whole, phase_reader(boxes, deconv, phases.front()));
  }
  std::vector<PhaseCall> calls;
  for (const Phase& phase : phases) {
    calls.push_back({.phase = phase});
    if (phase.is_empty()) continue;
    const LocalOp conv = conv_of(op, deconv, phase);
    calls.back().layout = conv.dst;
    calls.back().kernel = make_conv(conv, phase_reader(boxes, deconv, phase));
  }
  return std::make_unique<DeconvKernel>(op, std::move(calls));
}

}  // namespace parconv
