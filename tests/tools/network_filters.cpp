// SPDX-License-Identifier: Apache-2.0
// A network of fixed filters for photographs.
#include <array>

#include "tools/networks.hpp"

namespace parconv::test {
namespace {

using Image = std::vector<float>;

/// Separable binomial filter 1 4 6 4 1 (approximately a Gaussian of sigma 1), with sum 1.
Image gaussian() {
  constexpr std::array<float, 5> row{1, 4, 6, 4, 1};
  Image filter;
  for (const float y : row)
    for (const float x : row) filter.push_back(y * x / 256);
  return filter;
}

/// Unsharp mask: the image plus `amount` times its difference from a blur. Sum 1.
Image unsharp(float amount) {
  Image filter = gaussian();
  for (float& weight : filter) weight *= -amount;
  filter[12] += 1 + amount;
  return filter;
}

/// Depthwise convolution of three channels with one filter.
std::string add_depthwise(OnnxWriter& model, const std::string& name, const std::string& in, const Image& filter) {
  Image weights;
  for (int channel = 0; channel < 3; ++channel) weights.insert(weights.end(), filter.begin(), filter.end());
  const std::string weight = model.add_initializer(name + ".weight", float_tensor({3, 1, 5, 5}, weights));
  return model.add_node({.op_type = "Conv",
                         .inputs = {in, weight},
                         .attributes = {{"group", index_t{3}}, {"pads", std::vector<index_t>{2, 2, 2, 2}}},
                         .outputs = {name}});
}

/// Sobel filters and their negatives along both axes, on the mean of the channels.
Image sobel_filters() {
  constexpr std::array<float, 9> right{-1, 0, 1, -2, 0, 2, -1, 0, 1};
  constexpr std::array<float, 9> down{-1, -2, -1, 0, 0, 0, 1, 2, 1};
  Image weights;
  for (const auto& filter : {right, down})
    for (const float sign : {1.0F, -1.0F})
      for (int channel = 0; channel < 3; ++channel)
        for (const float weight : filter) weights.push_back(sign * weight / 12);
  return weights;
}

/// Edge strength abs(gx) + abs(gy) of each pixel, times `gain`, in all three channels.
std::string add_edges(OnnxWriter& model, const std::string& in, float gain) {
  const std::string sobel = model.add_initializer("gradient.weight", float_tensor({4, 3, 3, 3}, sobel_filters()));
  const std::string gain_weights = model.add_initializer("edges.weight", float_tensor({3, 4, 1, 1}, Image(12, gain)));
  const std::string gradient = model.add_node({.op_type = "Conv",
                                               .inputs = {in, sobel},
                                               .attributes = {{"pads", std::vector<index_t>{1, 1, 1, 1}}},
                                               .outputs = {"gradient"}});
  const std::string positive = model.add_node({.op_type = "Relu", .inputs = {gradient}, .outputs = {"gradient.positive"}});
  return model.add_node({.op_type = "Conv", .inputs = {positive, gain_weights}, .outputs = {"edges"}});
}

}  // namespace

/// Sketch effect: denoising, sharpening, and darkened edges; values in [0, 255] in and out.
void build_filters(LayerWriter& net) {
  OnnxWriter& model = net.model();
  const Feature in = net.input(3, {0, 0});
  const std::string smooth = add_depthwise(model, "smooth", in.name, gaussian());
  const std::string sharp = add_depthwise(model, "sharp", smooth, unsharp(1.5F));
  const std::string edges = add_edges(model, smooth, -0.6F);
  const std::string drawing = model.add_node({.op_type = "Add", .inputs = {sharp, edges}, .outputs = {"drawing"}});
  const std::string low = model.add_initializer("low", float_tensor({}, {0.0F}));
  const std::string high = model.add_initializer("high", float_tensor({}, {255.0F}));
  model.add_output(model.add_node({.op_type = "Clip", .inputs = {drawing, low, high}, .outputs = {"output"}}));
}

}  // namespace parconv::test
