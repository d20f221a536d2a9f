// SPDX-License-Identifier: Apache-2.0
// Runs a LocalOp on a backend with literal operands in ONNX order, dense and inside larger buffers.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv::test {

/// Elements in ONNX order.
struct Operand {
  Extents extents{};
  std::vector<float> values{};
};

/// A filter with its elements in the order oc, ic, kd, kh, kw.
inline Filter make_filter(index_t oc, index_t ic, std::array<index_t, 3> kernel, std::vector<float> values) {
  Filter filter{.oc = oc, .ic_per_group = ic, .kernel = kernel};
  const index_t taps = kernel[0] * kernel[1] * kernel[2];
  filter.strides = {ic * taps, taps, kernel[1] * kernel[2], kernel[2], 1};
  filter.data.values = std::make_shared<const std::vector<float>>(std::move(values));
  return filter;
}

/// A FilterReader of filters whose data is in memory.
inline std::vector<float> read_values(const Filter& filter, const FilterBox& box) {
  std::vector<float> result;
  for (index_t o = box.oc.lo; o < box.oc.hi; ++o)
    for (index_t i = box.ic.lo; i < box.ic.hi; ++i)
      for (index_t d = box.kernel[0].lo; d < box.kernel[0].hi; ++d)
        for (index_t h = box.kernel[1].lo; h < box.kernel[1].hi; ++h)
          for (index_t w = box.kernel[2].lo; w < box.kernel[2].hi; ++w) {
            const std::array<index_t, 5>& s = filter.strides;
            const index_t at = o * s[0] + i * s[1] + d * s[2] + h * s[3] + w * s[4];
            const float scale = filter.scale ? (*filter.scale)[static_cast<std::size_t>(o)] : 1.0f;
            result.push_back(scale * (*filter.data.values)[static_cast<std::size_t>(at)]);
          }
  return result;
}

/// The whole filter on all channels: one channel block of `groups` groups.
inline ChannelBlock whole_block(const Filter& filter, index_t groups = 1) {
  const auto& k = filter.kernel;
  return {.groups = groups,
          .src = {0, groups * filter.ic_per_group},
          .dst = {0, filter.oc},
          .filter = {.oc = {0, filter.oc}, .ic = {0, filter.ic_per_group}, .kernel = {{{0, k[0]}, {0, k[1]}, {0, k[2]}}}}};
}

/// A window from one line per axis d, h, w: {kernel, stride, pad_lo, pad_hi, dilation}.
inline Window make_window(WindowAxis d, WindowAxis h, WindowAxis w) { return {{d, h, w}}; }

enum class Placement { Dense, WithMargins };

/// The buffer of an operand. Margins are NaN, so that a wrong stride is detected.
inline HostTensor place(const Extents& extents, Placement placement) {
  if (placement == Placement::Dense) return HostTensor(Box::whole(extents));
  Box outer = Box::whole(extents);
  for (Interval& interval : outer.intervals) interval = {-1, interval.hi + 2};
  HostTensor tensor(outer);
  const std::vector<float> garbage(static_cast<std::size_t>(volume(outer)), std::numeric_limits<float>::quiet_NaN());
  from_onnx_order(std::as_bytes(std::span(garbage)), DType::F32, tensor.view());
  return tensor;
}

inline index_t count_numbers(const HostTensor& tensor) {
  const auto* elements = reinterpret_cast<const float*>(tensor.view().data);
  return std::count_if(elements, elements + volume(tensor.box()), [](float x) { return x == x; });
}

/// The result in ONNX order.
inline std::vector<float> run_placed(Backend& backend, LocalOp op, const std::vector<Operand>& srcs, const Extents& dst,
                                     Placement placement) {
  std::vector<HostTensor> tensors;
  std::vector<const std::byte*> addresses;
  for (const Operand& src : srcs) {
    tensors.push_back(place(src.extents, placement));
    const View view = tensors.back().view(Box::whole(src.extents));
    from_onnx_order(std::as_bytes(std::span(src.values)), DType::F32, view);
    addresses.push_back(view.data);
    op.srcs.push_back(view.layout);
  }
  HostTensor result = place(dst, placement);
  const View view = result.view(Box::whole(dst));
  op.dst = view.layout;
  const std::unique_ptr<Kernel> kernel = backend.prepare(op, read_values);
  AlignedBytes scratch(kernel->scratch_bytes());
  for (int repeat = 0; repeat < 2; ++repeat) kernel->execute(addresses, view.data, scratch.data());
  if (placement == Placement::WithMargins) {
    EXPECT_EQ(count_numbers(result), volume(dst)) << "elements outside of dst were written, or some inside were not";
  }
  std::vector<float> values(static_cast<std::size_t>(volume(dst)));
  to_onnx_order(view, values);
  return values;
}

/// Runs the call on dense operands and on operands inside larger buffers, and expects equal bits.
inline std::vector<float> run_op(Backend& backend, const LocalOp& op, const std::vector<Operand>& srcs, const Extents& dst) {
  const std::vector<float> dense = run_placed(backend, op, srcs, dst, Placement::Dense);
  EXPECT_EQ(run_placed(backend, op, srcs, dst, Placement::WithMargins), dense);
  return dense;
}

}  // namespace parconv::test
