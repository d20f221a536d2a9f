// SPDX-License-Identifier: Apache-2.0
#include "cudnn_compute.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include "cudnn_records.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv::emulator {
namespace {

constexpr int all_ones = 0xff;  // a NaN in every type

/// Dense elements in the order of a tensor's dimensions, the last one fastest.
using Dense = std::vector<float>;

std::size_t element_bytes(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT:
      return 4;
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16:
      return 2;
    default:
      refuse("elements of type " + std::to_string(type));
  }
}

std::int64_t volume(const Numbers& dims) {
  std::int64_t result = 1;
  for (const std::int64_t extent : dims) result *= extent;
  return result;
}

/// Calls visit(index, offset) for each element, with offsets by `strides`, the last dimension fastest.
template <class Visit>
void for_each_offset(const Numbers& dims, const Numbers& strides, Visit&& visit) {
  Numbers index(dims.size(), 0);
  for (std::int64_t k = 0, end = volume(dims); k < end; ++k) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < dims.size(); ++axis) offset += index[axis] * strides[axis];
    visit(k, offset);
    for (std::size_t axis = dims.size(); axis > 0; --axis) {
      if (++index[axis - 1] < dims[axis - 1]) break;
      index[axis - 1] = 0;
    }
  }
}

float loaded(const std::byte* data, cudnnDataType_t type) {
  float number = 0;
  std::uint16_t bits = 0;
  std::memcpy(type == CUDNN_DATA_FLOAT ? static_cast<void*>(&number) : &bits, data, element_bytes(type));
  if (type == CUDNN_DATA_FLOAT) return number;
  return type == CUDNN_DATA_HALF ? float_from_half(bits) : float_from_bfloat16(bits);
}

void store(float number, std::byte* data, cudnnDataType_t type) {
  const std::uint16_t bits = type == CUDNN_DATA_HALF ? half_from_float(number) : bfloat16_from_float(number);
  std::memcpy(data, type == CUDNN_DATA_FLOAT ? static_cast<const void*>(&number) : &bits, element_bytes(type));
}

float rounded(double number, cudnnDataType_t type) {
  std::array<std::byte, 4> bytes{};
  store(static_cast<float>(number), bytes.data(), type);
  return loaded(bytes.data(), type);
}

Dense load(const Tensor& tensor, const std::byte* data) {
  Dense numbers(static_cast<std::size_t>(volume(tensor.dims)));
  const auto bytes = static_cast<std::int64_t>(element_bytes(tensor.type));
  for_each_offset(tensor.dims, tensor.strides, [&](std::int64_t k, std::int64_t offset) {
    numbers[static_cast<std::size_t>(k)] = loaded(data + offset * bytes, tensor.type);
  });
  return numbers;
}

void store(const Tensor& tensor, const Dense& numbers, std::byte* data) {
  const auto bytes = static_cast<std::int64_t>(element_bytes(tensor.type));
  for_each_offset(tensor.dims, tensor.strides, [&](std::int64_t k, std::int64_t offset) {
    store(numbers[static_cast<std::size_t>(k)], data + offset * bytes, tensor.type);
  });
}

/// The values of up to three spatial dimensions, padded at the front with `otherwise`.
std::array<std::int64_t, 3> spatial(const Numbers& numbers, std::size_t first, std::int64_t otherwise) {
  std::array<std::int64_t, 3> result{otherwise, otherwise, otherwise};
  std::copy(numbers.begin() + static_cast<std::ptrdiff_t>(first), numbers.end(),
            result.end() - static_cast<std::ptrdiff_t>(numbers.size() - first));
  return result;
}

/// Direct convolution.
class ConvolutionLoops {
 public:
  ConvolutionLoops(const Convolution& conv, const Dense& src, const Dense& filter)
      : conv_(conv),
        src_(src),
        filter_(filter),
        in_(spatial(conv.src.dims, 2, 1)),
        out_(spatial(conv.dst.dims, 2, 1)),
        kernel_(spatial(conv.filter.dims, 2, 1)),
        pad_(spatial(conv.pre_paddings, 0, 0)),
        stride_(spatial(conv.strides, 0, 1)),
        dilation_(spatial(conv.dilations, 0, 1)) {
    if (conv.src.dims.size() > 5) refuse("a convolution in more than 3 dimensions");
  }

  Dense result() const {
    const double off_by = conv_.exactness.has_transforms ? 1 + 0x1p-20 : 1;
    Dense dst;
    dst.reserve(static_cast<std::size_t>(volume(conv_.dst.dims)));
    for (std::int64_t n = 0; n < conv_.dst.dims[0]; ++n)
      for (std::int64_t oc = 0; oc < conv_.dst.dims[1]; ++oc)
        for (std::int64_t d = 0; d < out_[0]; ++d)
          for (std::int64_t h = 0; h < out_[1]; ++h)
            for (std::int64_t w = 0; w < out_[2]; ++w) dst.push_back(rounded(off_by * sum(n, oc, {d, h, w}), conv_.dst.type));
    return dst;
  }

 private:
  double sum(std::int64_t n, std::int64_t oc, const std::array<std::int64_t, 3>& at) const {
    const std::int64_t channels = conv_.filter.dims[1], groups = conv_.src.dims[1] / channels;
    const std::int64_t first = oc / (conv_.filter.dims[0] / groups) * channels;
    const float* const src = src_.data() + (n * conv_.src.dims[1] + first) * in_[0] * in_[1] * in_[2];
    const float* tap = filter_.data() + oc * channels * kernel_[0] * kernel_[1] * kernel_[2];
    double result = 0;
    for (std::int64_t kd = 0; kd < kernel_[0]; ++kd)
      for (std::int64_t kh = 0; kh < kernel_[1]; ++kh)
        for (std::int64_t kw = 0; kw < kernel_[2]; ++kw, ++tap) {
          const std::int64_t d = input(0, at, kd), h = input(1, at, kh), w = input(2, at, kw);
          if (is_inside(0, d) && is_inside(1, h) && is_inside(2, w))
            result += over_channels(src + (d * in_[1] + h) * in_[2] + w, tap, channels);
        }
    return result;
  }

  /// Dot product over channels of one pixel and one tap.
  double over_channels(const float* pixel, const float* tap, std::int64_t channels) const {
    const std::int64_t plane = in_[0] * in_[1] * in_[2], taps = kernel_[0] * kernel_[1] * kernel_[2];
    double result = 0;
    for (std::int64_t ic = 0; ic < channels; ++ic)
      result += static_cast<double>(tap[ic * taps]) * static_cast<double>(pixel[ic * plane]);
    return result;
  }

  std::int64_t input(std::size_t axis, const std::array<std::int64_t, 3>& at, std::int64_t tap) const {
    return at[axis] * stride_[axis] - pad_[axis] + tap * dilation_[axis];
  }
  bool is_inside(std::size_t axis, std::int64_t index) const { return index >= 0 && index < in_[axis]; }

  const Convolution& conv_;
  const Dense& src_;
  const Dense& filter_;
  std::array<std::int64_t, 3> in_, out_, kernel_, pad_, stride_, dilation_;
};

/// Truncates f32 to tf32, as tensor cores do.
Dense truncated_to_tf32(Dense numbers) {
  for (float& number : numbers) number = std::bit_cast<float>(std::bit_cast<std::uint32_t>(number) & ~std::uint32_t{0x1fff});
  return numbers;
}

Dense result_of(const Convolution& conv, const Dense& src, const Dense& filter) {
  if (!conv.exactness.uses_tf32) return ConvolutionLoops(conv, src, filter).result();
  const Dense tf32_src = truncated_to_tf32(src), tf32_filter = truncated_to_tf32(filter);
  return ConvolutionLoops(conv, tf32_src, tf32_filter).result();
}

double relu(const Pointwise& op, double x) {
  const double raised = x > op.lower_clip ? x : op.lower_clip + op.lower_clip_slope * (x - op.lower_clip);
  return std::min(raised, op.upper_clip);
}

double function_of(const Pointwise& op, double x, double y) {
  switch (op.mode) {
    case CUDNN_POINTWISE_ADD:
      return x + y;
    case CUDNN_POINTWISE_MUL:
      return x * y;
    case CUDNN_POINTWISE_MAX:
      return std::max(x, y);
    case CUDNN_POINTWISE_MIN:
      return std::min(x, y);
    case CUDNN_POINTWISE_IDENTITY:
      return x;
    case CUDNN_POINTWISE_RELU_FWD:
      return relu(op, x);
    case CUDNN_POINTWISE_SIGMOID_FWD:
      return 1 / (1 + std::exp(-x));
    case CUDNN_POINTWISE_TANH_FWD:
      return std::tanh(x);
    case CUDNN_POINTWISE_ELU_FWD:
      return x > 0 ? x : op.elu_alpha * std::expm1(x);
    case CUDNN_POINTWISE_SWISH_FWD:
      return x / (1 + std::exp(-op.swish_beta * x));
    case CUDNN_POINTWISE_GELU_FWD:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case CUDNN_POINTWISE_GELU_APPROX_TANH_FWD:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    default:
      refuse("the function " + std::to_string(op.mode));
  }
}

/// Strides of dense elements of `own` dimensions, broadcast to `dims`; 0 along extents of 1.
Numbers broadcast_strides(const Numbers& own, const Numbers& dims) {
  if (own.size() != dims.size()) refuse("tensors with different numbers of dimensions");
  Numbers strides(own.size(), 0);
  std::int64_t next = 1;
  for (std::size_t axis = own.size(); axis-- > 0; next *= own[axis]) {
    if (own[axis] != dims[axis] && own[axis] != 1) refuse("operands whose extents do not fit");
    strides[axis] = own[axis] == 1 ? 0 : next;
  }
  return strides;
}

Dense result_of(const Pointwise& op, const Dense& src, const Dense* other) {
  const Numbers& dims = op.dst.dims;
  Dense result(static_cast<std::size_t>(volume(dims)), 0.0F);
  if (other != nullptr)
    for_each_offset(dims, broadcast_strides(op.other->dims, dims), [&](std::int64_t k, std::int64_t offset) {
      result[static_cast<std::size_t>(k)] = (*other)[static_cast<std::size_t>(offset)];
    });
  for_each_offset(dims, broadcast_strides(op.src.dims, dims), [&](std::int64_t k, std::int64_t offset) {
    float& number = result[static_cast<std::size_t>(k)];
    const double x = static_cast<double>(src[static_cast<std::size_t>(offset)]);
    number = rounded(function_of(op, x, static_cast<double>(number)), op.dst.type);
  });
  return result;
}

std::vector<Tensor> operands_of(const Operation& operation) {
  if (const auto* const conv = std::get_if<Convolution>(&operation)) return {conv->src, conv->filter};
  const auto& op = std::get<Pointwise>(operation);
  return op.other ? std::vector<Tensor>{op.src, *op.other} : std::vector<Tensor>{op.src};
}

const Tensor& dst_of(const Operation& operation) {
  return std::visit([](const auto& op) -> const Tensor& { return op.dst; }, operation);
}

/// Executes a graph, loading each operand on first use.
class Run {
 public:
  explicit Run(const Memory& memory) : memory_(memory) {}

  void compute(const Operation& operation) {
    const std::vector<Tensor> operands = operands_of(operation);
    for (const Tensor& operand : operands)
      if (!numbers_.contains(operand.uid)) numbers_[operand.uid] = load(operand, memory_.tensors.at(operand.uid));
    const Tensor& dst = dst_of(operation);
    numbers_[dst.uid] = result_of(operation, operands);
    if (!dst.is_virtual) store(dst, numbers_[dst.uid], memory_.tensors.at(dst.uid));
  }

 private:
  Dense result_of(const Operation& operation, const std::vector<Tensor>& operands) const {
    const Dense& first = numbers_.at(operands[0].uid);
    const Dense* const second = operands.size() == 2 ? &numbers_.at(operands[1].uid) : nullptr;
    if (const auto* const conv = std::get_if<Convolution>(&operation)) return emulator::result_of(*conv, first, *second);
    return emulator::result_of(std::get<Pointwise>(operation), first, second);
  }

  const Memory& memory_;
  std::map<std::int64_t, Dense> numbers_{};
};

void fill_with_nan(std::span<std::byte> bytes) {
  if (!bytes.empty()) std::memset(bytes.data(), all_ones, bytes.size());
}

void fill_with_nan(const Tensor& tensor, std::byte* data) {
  store(tensor, Dense(static_cast<std::size_t>(volume(tensor.dims)), std::numeric_limits<float>::quiet_NaN()), data);
}

}  // namespace

std::vector<Tensor> tensors_in_memory(const Graph& graph) {
  std::map<std::int64_t, Tensor> found;
  for (const Operation& operation : graph) {
    for (const Tensor& operand : operands_of(operation)) found.emplace(operand.uid, operand);
    found.emplace(dst_of(operation).uid, dst_of(operation));
  }
  std::vector<Tensor> tensors;
  for (const auto& [uid, tensor] : found)
    if (!tensor.is_virtual) tensors.push_back(tensor);
  return tensors;
}

std::size_t extent_bytes(const Tensor& tensor) {
  std::int64_t last = 0;
  for (std::size_t axis = 0; axis < tensor.dims.size(); ++axis) last += (tensor.dims[axis] - 1) * tensor.strides[axis];
  return static_cast<std::size_t>(last + 1) * element_bytes(tensor.type);
}

void compute(const Graph& graph, const Memory& memory) {
  fill_with_nan(memory.workspace);
  for (const Operation& operation : graph)
    if (!dst_of(operation).is_virtual) fill_with_nan(dst_of(operation), memory.tensors.at(dst_of(operation).uid));
  Run run(memory);
  for (const Operation& operation : graph) run.compute(operation);
  fill_with_nan(memory.workspace);
}

}  // namespace parconv::emulator
