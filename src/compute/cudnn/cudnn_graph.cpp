// SPDX-License-Identifier: Apache-2.0
#include "compute/cudnn/cudnn_graph.hpp"

#include <array>
#include <optional>

#include "parconv/core/error.hpp"

namespace parconv::cudnn {
namespace {

using Numbers = std::vector<std::int64_t>;

/// The axes of all tensors, without d if it is only a placeholder.
std::vector<Axis> axes_of(const StridedConv& conv) {
  const bool has_depth = conv.src.extents[Axis::D] != 1 || conv.dst.extents[Axis::D] != 1 || conv.window[Axis::D] != WindowAxis{};
  if (has_depth) return {Axis::N, Axis::C, Axis::D, Axis::H, Axis::W};
  return {Axis::N, Axis::C, Axis::H, Axis::W};
}

Numbers along(const std::vector<Axis>& axes, const Extents& numbers) {
  Numbers result;
  for (Axis axis : axes) result.push_back(numbers[axis]);
  return result;
}

/// Sets strides of axes of extent 1 to those of a dense tensor, since cuDNN derives the layout from them.
Extents plain_strides(const OperandLayout& layout) {
  Extents strides = layout.strides;
  index_t next = 1;
  for (auto axis = memory_axes.rbegin(); axis != memory_axes.rend(); ++axis) {
    if (layout.extents[*axis] == 1) strides[*axis] = next;
    next = strides[*axis] * layout.extents[*axis];
  }
  return strides;
}

/// Builds the descriptors of a graph in order.
class Builder {
 public:
  Builder(const StridedConv& conv, std::deque<Descriptor>& parts, std::vector<Uid>& uids)
      : conv_(conv), axes_(axes_of(conv)), parts_(parts), uids_(uids) {}

  /// The chain of operations: each reads the previous result, the last writes dst.
  std::vector<cudnnBackendDescriptor_t> operations() {
    index_t steps = 1 + (conv_.has_bias ? 1 : 0) + (conv_.residual ? 1 : 0) + (has_activation() ? 1 : 0);
    const auto next = [&] { return --steps == 0 ? real(Uid::Dst, conv_.dst) : between(); };
    std::vector<cudnnBackendDescriptor_t> operations;
    cudnnBackendDescriptor_t made = next();
    operations.push_back(convolution(made));
    const auto append = [&](const Descriptor& mode, std::optional<cudnnBackendDescriptor_t> other) {
      const cudnnBackendDescriptor_t result = next();
      operations.push_back(pointwise(mode.get(), made, other, result));
      made = result;
    };
    // cuDNN has implementations of this order for all types; for f32, none that add the bias first.
    if (conv_.residual) append(addition(), real(Uid::Residual, *conv_.residual));
    if (conv_.has_bias) append(addition(), bias());
    if (has_activation()) append(activation(), std::nullopt);
    return operations;
  }

 private:
  bool has_activation() const { return conv_.activation.kind != ActivationKind::None; }

  Descriptor& add(cudnnBackendDescriptorType_t type) { return parts_.emplace_back(type); }

  cudnnBackendDescriptor_t tensor(std::int64_t uid, DType type, const Numbers& dims, const Numbers& strides, bool is_virtual) {
    Descriptor& tensor = add(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, uid);
    tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(type));
    tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16});
    tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span<const std::int64_t>(dims));
    tensor.set(CUDNN_ATTR_TENSOR_STRIDES, std::span<const std::int64_t>(strides));
    tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
    tensor.finalize();
    return tensor.get();
  }

  cudnnBackendDescriptor_t real(Uid uid, const OperandLayout& layout) {
    uids_.push_back(uid);
    return tensor(static_cast<std::int64_t>(uid), layout.type, along(axes_, layout.extents), along(axes_, plain_strides(layout)),
                  false);
  }

  /// A virtual tensor, never written to memory.
  cudnnBackendDescriptor_t between() {
    const Box box = Box::whole(conv_.dst.extents);
    const OperandLayout dense = layout_within(box, box);
    const std::int64_t uid = static_cast<std::int64_t>(Uid::FirstVirtual) + num_virtual_++;
    return tensor(uid, DType::F32, along(axes_, dense.extents), along(axes_, dense.strides), true);
  }

  cudnnBackendDescriptor_t filter() {
    Extents extents{{conv_.dst.extents[Axis::C], conv_.src.extents[Axis::C] / conv_.groups, 1, 1, 1}};
    for (Axis axis : spatial_axes) extents[axis] = conv_.window[axis].kernel;
    const Box box = Box::whole(extents);
    return real(Uid::Filter, layout_within(box, box, conv_.src.type));
  }

  cudnnBackendDescriptor_t bias() {
    const Box box = Box::whole({{1, conv_.dst.extents[Axis::C], 1, 1, 1}});
    return real(Uid::Bias, layout_within(box, box));
  }

  template <class Number>
  Numbers window_numbers(Number&& number) const {
    Numbers result;
    for (std::size_t k = 2; k < axes_.size(); ++k) result.push_back(number(conv_.window[axes_[k]]));
    return result;
  }

  const Descriptor& convolution_rules() {
    Descriptor& rules = add(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const auto set = [&](cudnnBackendAttributeName_t name, const Numbers& numbers) {
      rules.set(name, std::span<const std::int64_t>(numbers));
    };
    rules.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<std::int64_t>(axes_.size() - 2));
    rules.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    rules.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, window_numbers([](const WindowAxis& a) { return a.pad_lo; }));
    set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, window_numbers([](const WindowAxis& a) { return a.pad_hi; }));
    set(CUDNN_ATTR_CONVOLUTION_DILATIONS, window_numbers([](const WindowAxis& a) { return a.dilation; }));
    set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, window_numbers([](const WindowAxis& a) { return a.stride; }));
    rules.finalize();
    return rules;
  }

  cudnnBackendDescriptor_t convolution(cudnnBackendDescriptor_t result) {
    const cudnnBackendDescriptor_t rules = convolution_rules().get();
    const cudnnBackendDescriptor_t src = real(Uid::Src, conv_.src), weights = filter();
    Descriptor& operation = add(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    operation.set_descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, {&rules, 1});
    operation.set_descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, {&src, 1});
    operation.set_descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, {&weights, 1});
    operation.set_descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, {&result, 1});
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F);
    operation.finalize();
    return operation.get();
  }

  Descriptor& function(cudnnPointwiseMode_t mode) {
    Descriptor& function = add(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    function.set(CUDNN_ATTR_POINTWISE_MODE, mode);
    function.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    return function;
  }

  const Descriptor& addition() {
    Descriptor& add = function(CUDNN_POINTWISE_ADD);
    add.finalize();
    return add;
  }

  const Descriptor& activation();

  cudnnBackendDescriptor_t pointwise(cudnnBackendDescriptor_t mode, cudnnBackendDescriptor_t src,
                                     std::optional<cudnnBackendDescriptor_t> other, cudnnBackendDescriptor_t result) {
    Descriptor& operation = add(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set_descriptors(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, {&mode, 1});
    operation.set_descriptors(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, {&src, 1});
    if (other) operation.set_descriptors(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, {&*other, 1});
    operation.set_descriptors(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, {&result, 1});
    operation.finalize();
    return operation.get();
  }

  const StridedConv& conv_;
  std::vector<Axis> axes_;
  std::deque<Descriptor>& parts_;
  std::vector<Uid>& uids_;
  std::int64_t num_virtual_ = 0;
};

/// A row of the table of cuDNN's functions. The parameters of an Activation map to attributes that depend on the function.
struct Function {
  ActivationKind kind;
  cudnnPointwiseMode_t mode;
};

constexpr std::array functions{Function{ActivationKind::Relu, CUDNN_POINTWISE_RELU_FWD},
                               Function{ActivationKind::LeakyRelu, CUDNN_POINTWISE_RELU_FWD},
                               Function{ActivationKind::Clip, CUDNN_POINTWISE_RELU_FWD},
                               Function{ActivationKind::Sigmoid, CUDNN_POINTWISE_SIGMOID_FWD},
                               Function{ActivationKind::Tanh, CUDNN_POINTWISE_TANH_FWD},
                               Function{ActivationKind::Elu, CUDNN_POINTWISE_ELU_FWD},
                               Function{ActivationKind::Silu, CUDNN_POINTWISE_SWISH_FWD},
                               Function{ActivationKind::Gelu, CUDNN_POINTWISE_GELU_FWD},
                               Function{ActivationKind::GeluTanh, CUDNN_POINTWISE_GELU_APPROX_TANH_FWD}};

const Function* function_of(ActivationKind kind) {
  for (const Function& function : functions)
    if (function.kind == kind) return &function;
  return nullptr;
}

const Descriptor& Builder::activation() {
  const Activation& wanted = conv_.activation;
  const Function* const found = function_of(wanted.kind);
  PARCONV_EXPECT(found != nullptr, "an activation that is not cuDNN's");
  Descriptor& result = function(found->mode);
  const auto alpha = static_cast<double>(wanted.alpha), beta = static_cast<double>(wanted.beta);
  if (wanted.kind == ActivationKind::LeakyRelu) result.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, alpha);
  if (wanted.kind == ActivationKind::Clip) {
    result.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, alpha);
    result.set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, beta);
  }
  if (wanted.kind == ActivationKind::Elu) result.set(CUDNN_ATTR_POINTWISE_ELU_ALPHA, alpha);
  if (wanted.kind == ActivationKind::Silu) result.set(CUDNN_ATTR_POINTWISE_SWISH_BETA, 1.0);
  result.finalize();
  return result;
}

}  // namespace

ConvGraph::ConvGraph(const StridedConv& conv, cudnnHandle_t handle) {
  const std::vector<cudnnBackendDescriptor_t> operations = Builder(conv, parts_, uids_).operations();
  graph_.set_descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  if (handle != nullptr) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
  graph_.finalize();
}

std::optional<ConvGraph> try_graph(const StridedConv& conv, cudnnHandle_t handle) {
  try {
    return ConvGraph(conv, handle);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_comparison(ActivationKind kind) {
  return kind == ActivationKind::None || kind == ActivationKind::Relu || kind == ActivationKind::LeakyRelu ||
         kind == ActivationKind::Clip;
}

bool has_activation(ActivationKind kind) { return kind == ActivationKind::None || function_of(kind) != nullptr; }

}  // namespace parconv::cudnn
