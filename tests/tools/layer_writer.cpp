// SPDX-License-Identifier: Apache-2.0
#include "tools/layer_writer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

index_t product(const std::vector<index_t>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), index_t{1}, std::multiplies<>());
}

/// `count` filters of `fan_in` elements, all zero but a single 1 or -1.
std::vector<float> single_taps(Random& random, index_t count, index_t fan_in) {
  std::vector<float> values(static_cast<std::size_t>(count * fan_in), 0.0F);
  for (index_t k = 0; k < count; ++k)
    values[static_cast<std::size_t>(k * fan_in + random.integer(0, fan_in - 1))] = random.once_in(3) ? -1.0F : 1.0F;
  return values;
}

}  // namespace

std::string LayerWriter::next_name(const std::string& base) { return concat(base, ".", ++num_tensors_); }

index_t LayerWriter::scaled(index_t channels) const {
  return std::max<index_t>(1, std::llround(static_cast<double>(channels) * options_.channels_scale));
}

Feature LayerWriter::input(index_t channels, const std::vector<index_t>& default_size) {
  size_ = options_.size.empty() ? default_size : options_.size;
  if (size_.size() == 1) size_.assign(default_size.size(), size_.front());
  if (size_.size() == 2 && default_size.size() == 3) size_.insert(size_.begin(), size_.front());
  if (size_.size() != default_size.size())
    throw Error(ExitCode::Usage, concat("this network needs ", default_size.size(), " sizes, but there are ", size_.size()));
  std::vector<OnnxDim> dims{options_.batch > 0 ? OnnxDim(options_.batch) : OnnxDim("N"), OnnxDim(channels)};
  static constexpr std::array<const char*, 3> names{"D", "H", "W"};
  for (std::size_t k = 0; k < size_.size(); ++k)
    dims.push_back(size_[k] > 0 ? OnnxDim(size_[k]) : OnnxDim(names[names.size() - size_.size() + k]));
  return {model_.add_input("input", dims), channels};
}

std::string LayerWriter::weights(std::vector<index_t> dims, index_t fan_in) {
  const float bound = std::sqrt(3.0F / static_cast<float>(fan_in));
  const std::vector<float> values =
      options_.is_integer ? single_taps(random_, product(dims) / fan_in, fan_in) : random_.reals(product(dims), -bound, bound);
  return model_.add_initializer(next_name("weight"), float_tensor(std::move(dims), values));
}

std::string LayerWriter::vector(index_t count, float lo, float hi) {
  const std::vector<float> values =
      options_.is_integer ? random_.small_integers(count, std::llround(lo), std::llround(hi)) : random_.reals(count, lo, hi);
  return model_.add_initializer(next_name("vector"), float_tensor({count}, values));
}

Feature LayerWriter::conv(const Feature& in, const ConvOptions& options) {
  std::vector<index_t> dims{options.channels, in.channels / options.groups};
  dims.insert(dims.end(), options.kernel.begin(), options.kernel.end());
  const std::size_t ndims = options.kernel.size();
  std::vector<index_t> pads;
  for (const index_t kernel : options.kernel) pads.push_back(options.dilation * (kernel - 1) / 2);
  for (std::size_t k = 0; k < ndims; ++k) pads.push_back(options.dilation * (options.kernel[k] - 1) - pads[k]);
  std::vector<std::string> inputs{in.name, weights(dims, product(dims) / dims[0])};
  if (options.has_bias) inputs.push_back(vector(options.channels, -1, 1));
  const std::string out = model_.add_node({.op_type = "Conv",
                                           .inputs = std::move(inputs),
                                           .attributes = {{"kernel_shape", options.kernel},
                                                          {"strides", std::vector<index_t>(ndims, options.stride)},
                                                          {"dilations", std::vector<index_t>(ndims, options.dilation)},
                                                          {"pads", pads},
                                                          {"group", options.groups}}});
  return {out, options.channels};
}

Feature LayerWriter::batch_norm(const Feature& in) {
  const auto count = static_cast<std::size_t>(in.channels);
  // For integers: variance 1 and epsilon 0, so that only an integer scale and shift remain.
  const std::string scale = options_.is_integer ? vector(in.channels, 1, 1) : vector(in.channels, 0.8F, 1.2F);
  const std::string bias = options_.is_integer ? vector(in.channels, -1, 1) : vector(in.channels, -0.1F, 0.1F);
  const std::string mean = options_.is_integer ? vector(in.channels, -1, 1) : vector(in.channels, -0.1F, 0.1F);
  const std::string variance =
      options_.is_integer
          ? model_.add_initializer(next_name("variance"), float_tensor({in.channels}, std::vector<float>(count, 1)))
          : vector(in.channels, 0.8F, 1.2F);
  const std::string out = model_.add_node({.op_type = "BatchNormalization",
                                           .inputs = {in.name, scale, bias, mean, variance},
                                           .attributes = {{"epsilon", options_.is_integer ? 0.0F : 1e-5F}}});
  return {out, in.channels};
}

Feature LayerWriter::conv_relu(const Feature& in, ConvOptions options) {
  options.has_bias = true;
  return relu(conv(in, options));
}

Feature LayerWriter::max_pool(const Feature& in, const std::vector<index_t>& kernel, index_t stride, index_t pad) {
  return unary("MaxPool", in,
               {{"kernel_shape", kernel},
                {"strides", std::vector<index_t>(kernel.size(), stride)},
                {"pads", std::vector<index_t>(2 * kernel.size(), pad)}});
}

Feature LayerWriter::enlarge(const Feature& in) {
  std::vector<float> factors(2 + size_.size(), 2);
  factors[0] = factors[1] = 1;
  const auto count = static_cast<index_t>(factors.size());
  const std::string scales = model_.add_initializer(next_name("scales"), float_tensor({count}, factors));
  const std::vector<OnnxAttribute> attributes{{"coordinate_transformation_mode", std::string("asymmetric")},
                                              {"nearest_mode", std::string("floor")}};
  return {model_.add_node({.op_type = "Resize", .inputs = {in.name, "", scales}, .attributes = attributes}), in.channels};
}

Feature LayerWriter::add(const Feature& a, const Feature& b) {
  return {model_.add_node({.op_type = "Add", .inputs = {a.name, b.name}}), a.channels};
}

Feature LayerWriter::concat_channels(const Feature& a, const Feature& b) {
  const std::vector<OnnxAttribute> attributes{{"axis", index_t{1}}};
  return {model_.add_node({.op_type = "Concat", .inputs = {a.name, b.name}, .attributes = attributes}), a.channels + b.channels};
}

Feature LayerWriter::unary(const std::string& op_type, const Feature& in, const std::vector<OnnxAttribute>& attributes) {
  return {model_.add_node({.op_type = op_type, .inputs = {in.name}, .attributes = attributes}), in.channels};
}

Feature LayerWriter::flatten(const Feature& in, index_t elems) {
  return {unary("Flatten", in, {{"axis", index_t{1}}}).name, elems};
}

Feature LayerWriter::gemm(const Feature& in, index_t channels) {
  const std::string matrix = weights({channels, in.channels}, in.channels);
  return {model_.add_node(
              {.op_type = "Gemm", .inputs = {in.name, matrix, vector(channels, -1, 1)}, .attributes = {{"transB", index_t{1}}}}),
          channels};
}

}  // namespace parconv::test
