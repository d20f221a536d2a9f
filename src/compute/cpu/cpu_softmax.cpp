// SPDX-License-Identifier: Apache-2.0
// Softmax over any axes. The maximum and the sum of a group are computed over the whole source, so every part gets the same
// bits.
#include <algorithm>
#include <limits>

#include "compute/cpu/cpu_activation.hpp"
#include "compute/cpu/cpu_exact_sum.hpp"
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/formulas.hpp"

namespace parconv::cpu {
namespace {

constexpr Activation exponentials{.kind = ActivationKind::Exp};

class SoftmaxKernel final : public RowKernel {
 public:
  explicit SoftmaxKernel(const LocalOp& op) : RowKernel(op), softmax_(std::get<LocalSoftmax>(op.kind)) {
    const OperandLayout& src = op.srcs[main_index(op)];
    Extents group;
    for (Axis axis : all_axes) {
      PARCONV_EXPECT(softmax_.dst_offset[axis] + op.dst.extents[axis] <= src.extents[axis], src.extents);
      group_counts_[axis] = is_marked(axis) ? 1 : op.dst.extents[axis];
      if (is_marked(axis)) group[axis] = src.extents[axis];
    }
    spans_rows_ = is_marked(Axis::N) || is_marked(Axis::D) || is_marked(Axis::H);
    if (!spans_rows_) own_groups_.resize(static_cast<std::size_t>(group_counts_[Axis::W] * group_counts_[Axis::C]));
    numbers_.reserve(static_cast<std::size_t>(volume(group)));
  }

  std::size_t scratch_bytes() const override {
    return spans_rows_ ? static_cast<std::size_t>(volume(group_counts_)) * sizeof(Group) : 0;
  }
  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + own_groups_.size() * sizeof(Group) + numbers_.capacity() * sizeof(float);
  }

 private:
  struct Group {
    float max = -std::numeric_limits<float>::infinity();
    float sum = 0;
    float logarithm = 0;  ///< of the sum, if that is wanted
  };

  bool is_marked(Axis axis) const { return softmax_.axes[static_cast<std::size_t>(axis)]; }

  void use(std::byte* scratch) override { groups_ = spans_rows_ ? reinterpret_cast<Group*>(scratch) : own_groups_.data(); }

  /// Groups that span rows are measured once, for all rows.
  void begin(Sources srcs, std::byte* scratch) override {
    if (!spans_rows_) return;
    use(scratch);
    forget();
    const Extents& counts = group_counts_;
    for (index_t n = 0; n < counts[Axis::N]; ++n)
      for (index_t d = 0; d < counts[Axis::D]; ++d)
        for (index_t h = 0; h < counts[Axis::H]; ++h) measure_row(srcs, {n, d, h});
  }

  /// Computes the maximum and sum of the groups that begin in a row of the output.
  void measure_row(Sources srcs, const RowIndex& row) {
    const Operand src = main_operand(srcs);
    for (index_t w = 0; w < group_counts_[Axis::W]; ++w)
      for (index_t c = 0; c < group_counts_[Axis::C]; ++c) {
        const Extents place{{row.n, c, row.d, row.h, w}};
        group(place) = measure(src, in_source(place));
      }
  }

  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    if (!spans_rows_) measure_row(srcs, row);
    const Extents& offset = softmax_.dst_offset;
    const ConstRow src = main_operand(srcs).row({row.n + offset[Axis::N], row.d + offset[Axis::D], row.h + offset[Axis::H]});
    for (index_t w = 0; w < shape().pixels; ++w) {
      const float* const from = src.data + (w + offset[Axis::W]) * src.pitch + offset[Axis::C];
      make_pixel(from, {{row.n, 0, row.d, row.h, w}}, {dst.data + w * dst.pitch, static_cast<std::size_t>(shape().channels)});
    }
  }

  void make_pixel(const float* from, const Extents& place, std::span<float> pixel) {
    // Channels of one group, or one group each, side by side.
    const Group* const groups = &group(place);
    const std::size_t step = is_marked(Axis::C) ? 0 : 1;
    for (std::size_t c = 0; c < pixel.size(); ++c) pixel[c] = from[c] - groups[c * step].max;
    if (softmax_.is_logarithm) {
      for (std::size_t c = 0; c < pixel.size(); ++c) pixel[c] -= groups[c * step].logarithm;
      return;
    }
    activate_smoothly(pixel, exponentials);
    for (std::size_t c = 0; c < pixel.size(); ++c) pixel[c] /= groups[c * step].sum;
  }

  /// The group of output element `place`: among all, or among those of its row.
  Group& group(const Extents& place) {
    index_t index = 0;
    for (Axis axis : memory_axes) {
      const bool is_of_row = axis == Axis::W || axis == Axis::C;
      if (spans_rows_ || is_of_row) index = index * group_counts_[axis] + (is_marked(axis) ? 0 : place[axis]);
    }
    return groups_[index];
  }

  Extents in_source(Extents place) const {
    for (Axis axis : all_axes) place[axis] += softmax_.dst_offset[axis];
    return place;
  }

  /// The maximum and sum over the group of source element `place`.
  Group measure(const Operand& src, const Extents& place) {
    gather(src, place);
    Group found;
    for (const float number : numbers_) found.max = number > found.max ? number : found.max;
    for (float& number : numbers_) number -= found.max;
    activate_smoothly(numbers_, exponentials);
    ExactSum sum;
    add_all(numbers_, sum);
    found.sum = rounded(sum);
    if (softmax_.is_logarithm) found.logarithm = logarithm(found.sum);
    return found;
  }

  /// The extent of a group along an axis: the whole axis if marked, otherwise the one index of `place`.
  Interval group_range(const Operand& src, const Extents& place, Axis axis) const {
    if (is_marked(axis)) return {0, src.layout().extents[axis]};
    return {place[axis], place[axis] + 1};
  }

  /// Collects the numbers of a group.
  void gather(const Operand& src, const Extents& place) {
    numbers_.clear();
    const Interval ns = group_range(src, place, Axis::N), ds = group_range(src, place, Axis::D);
    const Interval hs = group_range(src, place, Axis::H), ws = group_range(src, place, Axis::W);
    const Interval cs = group_range(src, place, Axis::C);
    for (index_t n = ns.lo; n < ns.hi; ++n)
      for (index_t d = ds.lo; d < ds.hi; ++d)
        for (index_t h = hs.lo; h < hs.hi; ++h) {
          const ConstRow row = src.row({n, d, h});
          for (index_t w = ws.lo; w < ws.hi; ++w)
            numbers_.insert(numbers_.end(), row.data + w * row.pitch + cs.lo, row.data + w * row.pitch + cs.hi);
        }
  }

  LocalSoftmax softmax_;
  Extents group_counts_{};
  bool spans_rows_ = false;
  std::vector<Group> own_groups_{};  ///< of a row, unless groups span rows
  Group* groups_ = nullptr;
  std::vector<float> numbers_{};  ///< of a group
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalSoftmax&, const LocalOp& op) { return std::make_unique<SoftmaxKernel>(op); }

}  // namespace parconv::cpu
