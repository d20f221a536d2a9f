// SPDX-License-Identifier: Apache-2.0
// Resample: runs of pixels are copied where possible and otherwise interpolated along d, then h, then w.
#include <algorithm>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

/// dst = a + weight * (b - a). dst may alias a. Compiled for one instruction set, so that full vectors and remainders round
/// equally.
void blend_rows(Row dst, ConstRow a, ConstRow b, float weight, RowShape shape) {
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    const float* const low = a.data + p * a.pitch;
    const float* const high = b.data + p * b.pitch;
    for (index_t c = 0; c < shape.channels; ++c) out[c] = low[c] + weight * (high[c] - low[c]);
  }
}

/// Pixels [begin, begin + count) of a row that read inputs tap.lo + k * step, are all fill, or are one interpolated pixel.
struct Run {
  index_t begin = 0;
  index_t count = 1;
  index_t step = 0;
  AxisTap tap{};
};

bool is_exact(const AxisTap& tap) { return tap.lo == tap.hi; }

/// Appends a pixel to the run if its input continues the stride.
bool extend(Run& run, const AxisTap& tap) {
  if (!is_exact(tap) || !is_exact(run.tap) || (tap.lo < 0) != (run.tap.lo < 0)) return false;
  const index_t step = tap.lo - run.tap.lo;
  if (run.count == 1 && step >= 0) run.step = step;
  if (step < 0 || step != run.step * run.count) return false;
  ++run.count;
  return true;
}

std::vector<Run> runs_of(const std::vector<AxisTap>& taps) {
  std::vector<Run> runs;
  for (std::size_t w = 0; w < taps.size(); ++w)
    if (runs.empty() || !extend(runs.back(), taps[w])) runs.push_back({.begin = static_cast<index_t>(w), .tap = taps[w]});
  return runs;
}

bool counts_up(const std::vector<AxisTap>& taps) {
  for (std::size_t k = 0; k < taps.size(); ++k)
    if (taps[k].lo != static_cast<index_t>(k)) return false;
  return true;
}

/// Rows are blended in pairs.
constexpr index_t rows_of_a_blend = 2;

class ResampleKernel final : public RowKernel {
 public:
  explicit ResampleKernel(const LocalOp& op)
      : RowKernel(op, rows_of_a_blend), resample_(std::get<LocalResample>(op.kind)), runs_(runs_of(resample_[Axis::W])) {
    const Extents& src = op.srcs[main_index(op)].extents;
    for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W})
      PARCONV_EXPECT(static_cast<index_t>(resample_[axis].size()) == op.dst.extents[axis], resample_[axis].size(), " taps");
    has_first_channels_ = counts_up(resample_[Axis::C]);
    source_ = {.pixels = src[Axis::W], .channels = src[Axis::C]};
    const auto is_blend = [](const AxisTap& tap) { return !is_exact(tap); };
    const bool blends_rows = std::any_of(resample_[Axis::D].begin(), resample_[Axis::D].end(), is_blend) ||
                             std::any_of(resample_[Axis::H].begin(), resample_[Axis::H].end(), is_blend);
    const auto row_elems = static_cast<std::size_t>(source_.pixels * source_.channels);
    low_.resize(blends_rows ? row_elems : 0);
    high_.resize(low_.size());
    pixel_.resize(static_cast<std::size_t>(source_.channels));
  }

  std::size_t resident_bytes() const override {
    std::size_t bytes = RowKernel::resident_bytes() + runs_.size() * sizeof(Run);
    for (const std::vector<AxisTap>& taps : resample_.taps) bytes += taps.size() * sizeof(AxisTap);
    return bytes + (low_.size() + high_.size() + pixel_.size()) * sizeof(float);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const AxisTap& d = resample_[Axis::D][static_cast<std::size_t>(row.d)];
    const AxisTap& h = resample_[Axis::H][static_cast<std::size_t>(row.h)];
    if (d.lo < 0 || h.lo < 0) return fill_row(dst, resample_.fill, shape());
    const ConstRow src = blended(main_operand(srcs), row.n, d, h);
    for (const Run& run : runs_) make_run(run, src, {dst.data + run.begin * dst.pitch, dst.pitch});
  }

  /// The source row interpolated along d and h.
  ConstRow blended(const Operand& src, index_t n, const AxisTap& d, const AxisTap& h) {
    const ConstRow low = blended_along_d(src, n, d, h.lo, low_);
    if (is_exact(h)) return low;
    const ConstRow high = blended_along_d(src, n, d, h.hi, high_);
    return blend(low, high, h.weight, low_);
  }

  ConstRow blended_along_d(const Operand& src, index_t n, const AxisTap& d, index_t h, std::vector<float>& buffer) const {
    const ConstRow low = src.row({n, d.lo, h});
    return is_exact(d) ? low : blend(low, src.row({n, d.hi, h}), d.weight, buffer);
  }

  ConstRow blend(ConstRow low, ConstRow high, float weight, std::vector<float>& buffer) const {
    const Row result{buffer.data(), source_.channels};
    blend_rows(result, low, high, weight, source_);
    return result;
  }

  void make_run(const Run& run, ConstRow src, Row dst) {
    const RowShape pixels{.pixels = run.count, .channels = shape().channels};
    if (run.tap.lo < 0) return fill_row(dst, resample_.fill, pixels);
    const ConstRow low{src.data + run.tap.lo * src.pitch, run.step * src.pitch};
    if (is_exact(run.tap)) return put(dst, low, pixels);
    const ConstRow high{src.data + run.tap.hi * src.pitch, 0};
    if (has_first_channels_) return blend_rows(dst, low, high, run.tap.weight, pixels);
    const Row between{pixel_.data(), 0};
    blend_rows(between, low, high, run.tap.weight, {.pixels = 1, .channels = source_.channels});
    put(dst, between, pixels);
  }

  /// Copies the selected channels.
  void put(Row dst, ConstRow src, RowShape shape) const {
    if (has_first_channels_) return copy_row(dst, src, shape);
    const std::vector<AxisTap>& channels = resample_[Axis::C];
    for (index_t p = 0; p < shape.pixels; ++p)
      for (std::size_t c = 0; c < channels.size(); ++c)
        dst.data[p * dst.pitch + static_cast<index_t>(c)] = src.data[p * src.pitch + channels[c].lo];
  }

  LocalResample resample_;
  std::vector<Run> runs_;
  bool has_first_channels_ = true;
  RowShape source_{};
  std::vector<float> low_{};
  std::vector<float> high_{};
  std::vector<float> pixel_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalResample&, const LocalOp& op) { return std::make_unique<ResampleKernel>(op); }

}  // namespace parconv::cpu
