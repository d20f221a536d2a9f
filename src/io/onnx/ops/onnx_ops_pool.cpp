// SPDX-License-Identifier: Apache-2.0
// MaxPool and AveragePool.
#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_window.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// A window may extend beyond the input but must not lie entirely in the stated padding.
void check_pads(const NodeReader& node, const ReadWindow& read) {
  for (std::size_t k = 0; k < 3; ++k) {
    const WindowAxis& axis = read.window.axes[k];
    if (axis.pad_lo >= axis.span() || read.counted_pad_hi[k] >= axis.span())
      node.refuse(concat("attribute pads (", axis.pad_lo, ", ", read.counted_pad_hi[k], ") must be smaller than the kernel (",
                         axis.span(), ")"));
  }
}

void read_pool(NodeReader& node, PoolKind kind) {
  node.expect_inputs(1, 1);
  const Shape in = node.shape(0);
  expect_spatial(node, in);
  const std::vector<index_t> kernel = read_kernel_shape(node, in);
  if (kernel.empty()) node.refuse("attribute kernel_shape is missing");
  const Rounding rounding = node.attributes().get_int("ceil_mode", 0) != 0 ? Rounding::Up : Rounding::Down;
  const ReadWindow read = read_window(node, in, {.kernel = kernel, .rounding = rounding});
  check_pads(node, read);
  Pool pool{.kind = kind, .window = read.window, .counted_pad_hi = read.counted_pad_hi};
  if (kind == PoolKind::Average) pool.is_padding_counted = node.attributes().get_int("count_include_pad", 0) != 0;
  node.make(pool, {node.value(0)});
}

void read_max_pool(NodeReader& node) {
  node.attributes().ignore("storage_order");  // of the indices output, which is unsupported
  read_pool(node, PoolKind::Max);
}

void read_average_pool(NodeReader& node) { read_pool(node, PoolKind::Average); }

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"AveragePool", read_average_pool},
    {"MaxPool", read_max_pool, 1},
};

}  // namespace

std::span<const OperatorRow> pool_operators() { return rows; }

}  // namespace parconv
