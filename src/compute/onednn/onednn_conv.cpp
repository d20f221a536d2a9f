// SPDX-License-Identifier: Apache-2.0
#include "compute/onednn/onednn_conv.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::onednn {
namespace {

using dnnl::memory;
using PrimitiveDesc = dnnl::convolution_forward::primitive_desc;

constexpr auto f32 = memory::data_type::f32;

bool is_trivial(const WindowAxis& window) { return window.kernel == 1 && window.pad_lo == 0 && window.pad_hi == 0; }

bool has_extent(const DenseConv& conv, std::size_t axis) {
  return conv.in[axis] != 1 || conv.out[axis] != 1 || !is_trivial(conv.window.axes[axis]);
}

/// The number of spatial axes of the descriptors: 3 unless d is a placeholder.
std::size_t num_spatial(const DenseConv& conv) { return has_extent(conv, 0) ? 3 : 2; }

/// The last `count` of the values along d, h, w.
template <class Number>
memory::dims last_of(std::size_t count, Number&& number) {
  memory::dims dims;
  for (std::size_t axis = 3 - count; axis < 3; ++axis) dims.push_back(number(axis));
  return dims;
}

memory::dims operand_dims(index_t n, index_t channels, const std::array<index_t, 3>& extents, std::size_t count) {
  memory::dims dims{n, channels};
  for (index_t extent : last_of(count, [&](std::size_t axis) { return extents[axis]; })) dims.push_back(extent);
  return dims;
}

memory::desc operand_desc(const memory::dims& dims, DType type) {
  return {dims, data_type_of(type), dims.size() == 5 ? memory::format_tag::ndhwc : memory::format_tag::nhwc};
}

memory::dims weights_dims(const DenseConv& conv) {
  memory::dims dims;
  if (conv.groups > 1) dims.push_back(conv.groups);
  dims.push_back(conv.oc / conv.groups);
  dims.push_back(conv.ic / conv.groups);
  for (index_t taps : last_of(num_spatial(conv), [&](std::size_t axis) { return conv.window.axes[axis].kernel; }))
    dims.push_back(taps);
  return dims;
}

/// Weights as read: f32, row-major (g,) oc, ic, (kd,) kh, kw.
memory::desc dense_weights_desc(const DenseConv& conv) {
  const memory::dims dims = weights_dims(conv);
  memory::dims strides(dims.size(), 1);
  for (std::size_t k = dims.size() - 1; k > 0; --k) strides[k - 1] = strides[k] * dims[k];
  return {dims, f32, strides};
}

ConvDescription description_of(const DenseConv& conv) {
  const std::size_t count = num_spatial(conv);
  const auto window = [&](auto number) { return last_of(count, [&](std::size_t k) { return number(conv.window.axes[k]); }); };
  return {
      .src = operand_desc(operand_dims(conv.n, conv.ic, conv.in, count), conv.type),
      .weights = memory::desc(weights_dims(conv), data_type_of(conv.type), memory::format_tag::any),
      .bias = conv.has_bias ? memory::desc({conv.oc}, f32, memory::format_tag::x) : memory::desc(),
      .dst = operand_desc(operand_dims(conv.n, conv.oc, conv.out, count), conv.dst_type),
      .strides = window([](const WindowAxis& axis) { return axis.stride; }),
      .dilates = window([](const WindowAxis& axis) { return axis.dilation - 1; }),
      .pad_lo = window([](const WindowAxis& axis) { return axis.pad_lo; }),
      .pad_hi = window([](const WindowAxis& axis) { return axis.pad_hi; }),
  };
}

dnnl::primitive_attr attributes_of(const DenseConv& conv) {
  dnnl::post_ops post_ops;
  if (conv.adds_to_dst) post_ops.append_sum(1.0f);
  append_activation(post_ops, conv.activation);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post_ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

bool is_called(const PrimitiveDesc& found, const char* part) {
  return std::string(found.impl_info_str()).find(part) != std::string::npos;
}

/// With one input channel per group, brg_conv_fwd of oneDNN 3.7.2 computes wrong sums for some shapes and reads uninitialised
/// memory. Example in f32: 2 samples of 7x1, 29 filters of 2x4, strides 1 and 2, the row padded by 2 and 1.
bool is_wrong(const PrimitiveDesc& found, const DenseConv& conv) {
  return conv.ic == conv.groups && is_called(found, "brg_conv_fwd");
}

/// Empty if oneDNN has only its reference implementation.
std::optional<PrimitiveDesc> find_fast(const DenseConv& conv) {
  try {
    PrimitiveDesc found = describe(description_of(conv), attributes_of(conv));
    while (is_wrong(found, conv))
      if (!found.next_impl()) return std::nullopt;
    if (!is_called(found, "ref")) return found;
  } catch (const dnnl::error&) {
    // No implementation at all: treated like the reference.
  }
  return std::nullopt;
}

PrimitiveDesc find_fast_or_throw(const DenseConv& conv) {
  if (auto found = find_fast(conv)) return *found;
  throw Error(ExitCode::Unavailable,
              concat("oneDNN ", version(), " has no fast implementation of the convolution ", to_string(conv)),
              "Split this layer another way, or use another device.");
}

void set_handle(const memory& memory, const void* data) {
  check(dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(data)), "dnnl_memory_set_data_handle");
}

memory without_buffer(const memory::desc& desc) { return {desc, cpu_engine(), nullptr}; }

/// If w has no extent, moves the axes without extent to the front: (9, 1, 1) becomes (1, 1, 9). Otherwise axes are unchanged,
/// since a part cut along d or h must be computed like the whole.
DenseConv with_extents_last(const DenseConv& conv) {
  if (has_extent(conv, 2)) return conv;
  std::array<std::size_t, 3> order{0, 1, 2};
  std::stable_partition(order.begin(), order.end(), [&](std::size_t axis) { return !has_extent(conv, axis); });
  DenseConv moved = conv;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    moved.in[axis] = conv.in[order[axis]];
    moved.out[axis] = conv.out[order[axis]];
    moved.window.axes[axis] = conv.window.axes[order[axis]];
  }
  return moved;
}

}  // namespace

std::string to_string(const DenseConv& conv) {
  const auto extents = [](const std::array<index_t, 3>& s) { return concat(s[0], "x", s[1], "x", s[2]); };
  std::string text =
      concat(name_of(conv.type), " ", conv.n, "x", conv.ic, "x", extents(conv.in), " -> ", name_of(conv.dst_type), " ", conv.n,
             "x", conv.oc, "x", extents(conv.out), ", groups ", conv.groups, ", window (kernel/stride/pads/dilation)");
  for (const WindowAxis& axis : conv.window.axes)
    text += concat(" ", axis.kernel, "/", axis.stride, "/", axis.pad_lo, ",", axis.pad_hi, "/", axis.dilation);
  return text;
}

bool is_full_extent(const DenseConv& conv) {
  if (conv.groups > 1 || conv.is_src_padded) return false;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const WindowAxis& window = conv.window.axes[axis];
    const bool covers = window.kernel == conv.in[axis] && conv.out[axis] == 1 && window.pad_lo == 0 && window.pad_hi == 0;
    if (!covers || (window.dilation != 1 && window.kernel > 1)) return false;
  }
  return true;
}

DenseConv folded(const DenseConv& conv) {
  DenseConv result = conv;
  if (is_full_extent(conv)) {
    result.ic *= conv.in[0] * conv.in[1] * conv.in[2];
    result.in = {1, 1, 1};
    result.window = {};
  }
  if (has_extent(result, 0) || has_extent(result, 1) || has_extent(result, 2)) return with_extents_last(result);
  result.window = {};
  result.in[2] = result.out[2] = std::exchange(result.n, 1);
  return result;
}

Quality quality_of(const DenseConv& conv) {
  const auto found = find_fast(conv);
  if (!found) return Quality::None;
  return is_called(*found, "gemm") ? Quality::Lowered : Quality::Direct;
}

DenseConvCall::DenseConvCall(const DenseConv& conv, const WeightsProvider& weights, std::span<const float> bias) {
  const PrimitiveDesc found = find_fast_or_throw(conv);
  primitive_ = dnnl::convolution_forward(found);
  implementation_ = found.impl_info_str();
  src_ = without_buffer(found.src_desc());
  dst_ = without_buffer(found.dst_desc());
  scratchpad_ = without_buffer(found.scratchpad_desc());
  scratchpad_bytes_ = found.scratchpad_desc().get_size();
  weights_ = weights(dense_weights_desc(conv), found.weights_desc());
  arguments_ = {{DNNL_ARG_SRC, src_.get()},
                {DNNL_ARG_WEIGHTS, weights_.memory->get()},
                {DNNL_ARG_DST, dst_.get()},
                {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}};
  if (!conv.has_bias) return;
  pack_bias(bias);
  arguments_.push_back({DNNL_ARG_BIAS, bias_.get()});
}

void DenseConvCall::pack_bias(std::span<const float> bias) {
  const memory::desc desc({static_cast<index_t>(bias.size())}, f32, memory::format_tag::x);
  bias_ = memory(desc, cpu_engine());
  bias_bytes_ = bias.size_bytes();
  std::copy(bias.begin(), bias.end(), static_cast<float*>(bias_.get_data_handle()));
}

void DenseConvCall::execute(const std::byte* src, std::byte* dst, std::byte* scratchpad) {
  set_handle(src_, src);
  set_handle(dst_, dst);
  set_handle(scratchpad_, scratchpad);
  check(dnnl_primitive_execute(primitive_.get(), cpu_stream().get(), static_cast<int>(arguments_.size()), arguments_.data()),
        "dnnl_primitive_execute");
}

}  // namespace parconv::onednn
