// SPDX-License-Identifier: Apache-2.0
// Softmax over any axes. The maximum and the sum of a group are computed over the whole source, so every part gets the same
// bits.
#include <cmath>
#include <limits>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

class SoftmaxKernel final : public RowKernel {
 public:
  explicit SoftmaxKernel(const LocalOp& op) : RowKernel(op), softmax_(std::get<LocalSoftmax>(op.kind)) {
    const OperandLayout& src = op.srcs[main_index(op)];
    for (Axis axis : all_axes) {
      PARCONV_EXPECT(softmax_.dst_offset[axis] + op.dst.extents[axis] <= src.extents[axis], src.extents);
      group_counts_[axis] = is_marked(axis) ? 1 : op.dst.extents[axis];
    }
    groups_.resize(static_cast<std::size_t>(volume(group_counts_)));
  }

  std::size_t resident_bytes() const override { return RowKernel::resident_bytes() + groups_.size() * sizeof(Group); }

 private:
  struct Group {
    float max = -std::numeric_limits<float>::infinity();
    double sum = 0;
  };

  bool is_marked(Axis axis) const { return softmax_.axes[static_cast<std::size_t>(axis)]; }

  /// Computes the maximum and sum of all groups that the output intersects.
  void begin(Sources srcs, std::byte* /*scratch*/) override {
    const Operand src = main_operand(srcs);
    const Extents& counts = group_counts_;
    for (index_t n = 0; n < counts[Axis::N]; ++n)
      for (index_t d = 0; d < counts[Axis::D]; ++d)
        for (index_t h = 0; h < counts[Axis::H]; ++h)
          for (index_t w = 0; w < counts[Axis::W]; ++w)
            for (index_t c = 0; c < counts[Axis::C]; ++c) group({{n, c, d, h, w}}) = measure(src, in_source({{n, c, d, h, w}}));
  }

  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const Operand src = main_operand(srcs);
    for (index_t w = 0; w < shape().pixels; ++w)
      for (index_t c = 0; c < shape().channels; ++c) {
        const Extents place{{row.n, c, row.d, row.h, w}};
        dst.data[w * dst.pitch + c] = normalised(src.value(in_source(place)), group(place));
      }
  }

  /// The group of output element `place`.
  Group& group(const Extents& place) {
    index_t index = 0;
    for (Axis axis : memory_axes) index = index * group_counts_[axis] + (is_marked(axis) ? 0 : place[axis]);
    return groups_[static_cast<std::size_t>(index)];
  }

  Extents in_source(Extents place) const {
    for (Axis axis : all_axes) place[axis] += softmax_.dst_offset[axis];
    return place;
  }

  float normalised(float value, const Group& of) const {
    const double difference = static_cast<double>(value) - static_cast<double>(of.max);
    if (softmax_.is_logarithm) return static_cast<float>(difference - std::log(of.sum));
    return static_cast<float>(std::exp(difference) / of.sum);
  }

  /// The maximum and sum over the group of source element `place`.
  Group measure(const Operand& src, const Extents& place) const {
    Group found;
    for_each_of_group(src, place, [&](float value) { found.max = value > found.max ? value : found.max; });
    for_each_of_group(src, place,
                      [&](float value) { found.sum += std::exp(static_cast<double>(value) - static_cast<double>(found.max)); });
    return found;
  }

  /// The extent of a group along an axis: the whole axis if marked, otherwise the one index of `place`.
  Interval group_range(const Operand& src, const Extents& place, Axis axis) const {
    if (is_marked(axis)) return {0, src.layout().extents[axis]};
    return {place[axis], place[axis] + 1};
  }

  template <class Visit>
  void for_each_of_group(const Operand& src, const Extents& place, Visit&& visit) const {
    const Interval ns = group_range(src, place, Axis::N), ds = group_range(src, place, Axis::D);
    const Interval hs = group_range(src, place, Axis::H), ws = group_range(src, place, Axis::W);
    const Interval cs = group_range(src, place, Axis::C);
    for (index_t n = ns.lo; n < ns.hi; ++n)
      for (index_t d = ds.lo; d < ds.hi; ++d)
        for (index_t h = hs.lo; h < hs.hi; ++h)
          for (index_t w = ws.lo; w < ws.hi; ++w)
            for (index_t c = cs.lo; c < cs.hi; ++c) visit(src.value({{n, c, d, h, w}}));
  }

  LocalSoftmax softmax_;
  Extents group_counts_{};
  std::vector<Group> groups_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalSoftmax&, const LocalOp& op) { return std::make_unique<SoftmaxKernel>(op); }

}  // namespace parconv::cpu
