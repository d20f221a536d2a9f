// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/layer_calls.hpp"

#include <array>
#include <unordered_map>

#include "benchmarks/layer_op.hpp"
#include "compute/onednn/onednn_api.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/elements.hpp"
#include "support/random.hpp"

namespace parconv::bench {
namespace {

using dnnl::memory;
constexpr auto f32 = memory::data_type::f32;

AlignedBytes random_elements(index_t count, DType type) {
  AlignedBytes elements(static_cast<std::size_t>(count) * size_of(type));
  const std::vector<float> values = test::Random(1).reals(count);
  const Box line = Box::whole({{1, count, 1, 1, 1}});
  convert(view_within(reinterpret_cast<const std::byte*>(values.data()), line, line),
          view_within(elements.data(), line, line, type));
  return elements;
}

std::vector<float> values_of(const AlignedBytes& elements, DType type) {
  std::vector<float> values(elements.size() / size_of(type));
  for (std::size_t k = 0; k < values.size(); ++k)
    values[k] = load_one({.data = elements.data(), .type = type}, static_cast<index_t>(k));
  return values;
}

memory::dims dims_of(const Layer& layer, index_t first, index_t second, index_t edge) {
  memory::dims dims{first, second};
  dims.insert(dims.end(), static_cast<std::size_t>(layer.spatial_ndims), edge);
  return dims;
}

memory::desc channels_last(const memory::dims& dims, memory::data_type type) {
  using Tag = memory::format_tag;
  return {dims, type, dims.size() == 5 ? Tag::ndhwc : dims.size() == 4 ? Tag::nhwc : Tag::nwc};
}

/// (oc, ic, ...), with groups in front if there are several.
memory::dims filter_dims(const Layer& layer) {
  if (layer.groups == 1) return dims_of(layer, layer.oc, layer.ic, layer.kernel);
  memory::dims dims = dims_of(layer, layer.oc / layer.groups, layer.ic / layer.groups, layer.kernel);
  dims.insert(dims.begin(), layer.groups);
  return dims;
}

/// The order of `filter_dims` in memory.
memory::format_tag filter_order(const Layer& layer) {
  using Tag = memory::format_tag;
  constexpr std::array plain{Tag::oiw, Tag::oihw, Tag::oidhw}, grouped{Tag::goiw, Tag::goihw, Tag::goidhw};
  return (layer.groups == 1 ? plain : grouped)[static_cast<std::size_t>(layer.spatial_ndims - 1)];
}

onednn::ConvDescription description_of(const Layer& layer, DType elements) {
  const memory::data_type type = onednn::data_type_of(elements);
  const auto all = [&](index_t value) { return memory::dims(static_cast<std::size_t>(layer.spatial_ndims), value); };
  return {.src = channels_last(dims_of(layer, 1, layer.ic, layer.size), type),
          .weights = memory::desc(filter_dims(layer), type, memory::format_tag::any),
          .bias = memory::desc({layer.oc}, f32, memory::format_tag::x),
          .dst = channels_last(dims_of(layer, 1, layer.oc, layer.out_size), type),
          .strides = all(layer.stride),
          .dilates = all(layer.dilation - 1),
          .pad_lo = all(layer.pad),
          .pad_hi = all(layer.pad)};
}

dnnl::convolution_forward::primitive_desc primitive_of(const Layer& layer, DType type) {
  dnnl::post_ops post_ops;
  onednn::append_activation(post_ops, {.kind = ActivationKind::Relu});
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post_ops);
  return onednn::describe(description_of(layer, type), attributes);
}

memory packed_weights(const Layer& layer, const memory::desc& packed, const std::vector<float>& weights) {
  memory source({filter_dims(layer), f32, filter_order(layer)}, onednn::cpu_engine(), const_cast<float*>(weights.data()));
  memory result(packed, onednn::cpu_engine());
  dnnl::stream stream = onednn::cpu_stream();
  dnnl::reorder(source, result).execute(stream, source, result);
  return result;
}

}  // namespace

LayerData::LayerData(const Layer& layer, DType type)
    : type_(type),
      src_(random_elements(layer.ic * layer.cells(layer.size), type)),
      dst_(static_cast<std::size_t>(layer.oc * layer.cells(layer.out_size)) * size_of(type)),
      weights_(test::Random(2).reals(layer.weight_elems())),
      bias_(test::Random(3).reals(layer.oc)) {}

KernelCall::KernelCall(const Layer& layer, LayerData& data, Backend& backend, std::optional<LeafRule> rule)
    : srcs_{data.src()}, dst_(data.dst()) {
  LocalOp op = local_op_of(layer, data.bias(), 1, data.type());
  std::get<LocalConv>(op.kind).leaves = rule ? leaves_of(layer.ic / layer.groups, layer.cells(layer.kernel), *rule) : SumLeaves{};
  kernel_ = backend.prepare(op, [&](const Filter&, const FilterBox&) { return data.weights(); });
  memory_.resize(kernel_->scratch_bytes() + 64);
  void* begin = memory_.data();
  std::size_t room = memory_.size();
  scratch_ = static_cast<std::byte*>(std::align(64, kernel_->scratch_bytes(), begin, room));
}

struct DirectCall::State {
  dnnl::convolution_forward primitive{};
  std::unordered_map<int, memory> arguments{};
  dnnl::stream stream{};
  std::string implementation{};
};

DirectCall::DirectCall(const Layer& layer, LayerData& data) : state_(std::make_unique<State>()) {
  const auto found = primitive_of(layer, data.type());
  const dnnl::engine& engine = onednn::cpu_engine();
  state_->primitive = dnnl::convolution_forward(found);
  state_->implementation = found.impl_info_str();
  state_->stream = onednn::cpu_stream();
  state_->arguments = {{DNNL_ARG_SRC, memory(found.src_desc(), engine, data.src())},
                       {DNNL_ARG_WEIGHTS, packed_weights(layer, found.weights_desc(), data.weights())},
                       {DNNL_ARG_BIAS, memory(found.bias_desc(), engine, const_cast<float*>(data.bias().data()))},
                       {DNNL_ARG_DST, memory(found.dst_desc(), engine, data.dst())}};
}

DirectCall::~DirectCall() = default;

bool DirectCall::is_supported(const Layer& layer, DType type) {
  if (type == DType::F16) return false;
  try {
    return primitive_of(layer, type).get(true) != nullptr;
  } catch (const std::exception&) {
    return false;
  }
}

void DirectCall::execute() { state_->primitive.execute(state_->stream, state_->arguments); }

const std::string& DirectCall::implementation() const { return state_->implementation; }

void use_onednn_threads(int threads) { onednn::use_threads(threads); }

std::string onednn_version() { return onednn::version(); }

std::vector<float> LayerData::src_values() const { return values_of(src_, type_); }

std::vector<float> LayerData::values() const { return values_of(dst_, type_); }

}  // namespace parconv::bench
