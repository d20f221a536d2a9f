// SPDX-License-Identifier: Apache-2.0
#include "tools/networks.hpp"

#include <array>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using Build = void (*)(LayerWriter&);

constexpr std::array<std::pair<std::string_view, Build>, 6> networks{{{"resnet50", build_resnet50},
                                                                      {"vgg16", build_vgg16},
                                                                      {"unet", build_unet},
                                                                      {"net3d", build_net3d},
                                                                      {"small", build_small},
                                                                      {"filters", build_filters}}};

/// Residual bottleneck: 1x1, 3x3 (strided) and 1x1 convolutions with a skip connection.
Feature bottleneck(LayerWriter& net, const Feature& in, index_t width, index_t stride) {
  const index_t out_channels = 4 * net.scaled(width);
  const Feature narrow = net.conv_bn_relu(in, {.channels = net.scaled(width), .kernel = {1, 1}});
  const Feature middle = net.conv_bn_relu(narrow, {.channels = net.scaled(width), .stride = stride});
  const Feature wide = net.batch_norm(net.conv(middle, {.channels = out_channels, .kernel = {1, 1}}));
  const bool is_same = in.channels == out_channels && stride == 1;
  const Feature skip =
      is_same ? in : net.batch_norm(net.conv(in, {.channels = out_channels, .kernel = {1, 1}, .stride = stride}));
  return net.relu(net.add(wide, skip));
}

Feature bottlenecks(LayerWriter& net, Feature x, index_t width, int count) {
  for (int k = 0; k < count; ++k) x = bottleneck(net, x, width, k == 0 && width > 64 ? 2 : 1);
  return x;
}

Feature double_conv(LayerWriter& net, const Feature& in, index_t channels) {
  const ConvOptions options{.channels = net.scaled(channels)};
  return net.conv_relu(net.conv_relu(in, options), options);
}

}  // namespace

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const auto& [name, build] : networks) names.emplace_back(name);
  return names;
}

void write_network(std::string_view name, const NetworkOptions& options, const std::string& path) {
  for (const auto& [known, build] : networks) {
    if (known != name) continue;
    LayerWriter net(options);
    build(net);
    return net.model().save(path);
  }
  throw Error(ExitCode::Usage, concat("there is no network '", name, "'"));
}

/// He et al., "Deep Residual Learning for Image Recognition" (2016), table 1, 50 layers.
void build_resnet50(LayerWriter& net) {
  Feature x = net.input(3, {224, 224});
  x = net.conv_bn_relu(x, {.channels = net.scaled(64), .kernel = {7, 7}, .stride = 2});
  x = net.max_pool(x, {3, 3}, 2, 1);
  x = bottlenecks(net, x, 64, 3);
  x = bottlenecks(net, x, 128, 4);
  x = bottlenecks(net, x, 256, 6);
  x = bottlenecks(net, x, 512, 3);
  x = net.unary("GlobalAveragePool", x);
  net.output(net.gemm(net.flatten(x, x.channels), net.scaled(1000)));
}

/// Simonyan and Zisserman, "Very Deep Convolutional Networks" (2015), configuration D.
void build_vgg16(LayerWriter& net) {
  Feature x = net.input(3, {224, 224});
  const std::vector<std::pair<index_t, int>> stages{{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};
  for (const auto& [channels, count] : stages) {
    for (int k = 0; k < count; ++k) x = net.conv_relu(x, {.channels = net.scaled(channels)});
    x = net.max_pool(x, {2, 2}, 2, 0);
  }
  const index_t elems = x.channels * (net.size()[0] / 32) * (net.size()[1] / 32);
  if (elems == 0) throw Error(ExitCode::Usage, "vgg16 needs a fixed size of at least 32x32");
  x = net.flatten(x, elems);
  for (int k = 0; k < 2; ++k) x = net.unary("Dropout", net.relu(net.gemm(x, net.scaled(4096))));
  net.output(net.gemm(x, net.scaled(1000)));
}

/// Ronneberger et al., "U-Net" (2015), with padded convolutions: height and width must be multiples of 16.
void build_unet(LayerWriter& net) {
  constexpr index_t levels = 4;
  Feature x = net.input(1, {0, 0});
  for (const index_t size : net.size())
    if (size % (index_t{1} << levels) != 0) throw Error(ExitCode::Usage, "unet needs sizes that are multiples of 16");
  std::vector<Feature> skips;
  for (index_t k = 0; k < levels; ++k) {
    skips.push_back(double_conv(net, x, 64 << k));
    x = net.max_pool(skips.back(), {2, 2}, 2, 0);
  }
  x = double_conv(net, x, 64 << levels);
  for (index_t k = levels; k-- > 0;) {
    const Feature up = net.conv(net.enlarge(x), {.channels = net.scaled(64 << k), .kernel = {2, 2}, .has_bias = true});
    x = double_conv(net, net.concat_channels(skips[static_cast<std::size_t>(k)], up), 64 << k);
  }
  net.output(net.conv(x, {.channels = 2, .kernel = {1, 1}, .has_bias = true}));
}

/// After Mathuriya et al., "CosmoFlow" (2018): regression of four values from a cube of four channels.
void build_net3d(LayerWriter& net) {
  Feature x = net.input(4, {128, 128, 128});
  const auto activate = [&](const Feature& in) {
    return net.options().is_integer ? net.relu(in) : net.unary("LeakyRelu", in, {{"alpha", 0.01F}});
  };
  index_t elems = 1;
  for (const index_t size : net.size()) elems *= size / 32;
  if (elems == 0) throw Error(ExitCode::Usage, "net3d needs a fixed size of at least 32x32x32");
  for (const index_t channels : {16, 32, 64, 128, 256}) {
    x = activate(net.conv(x, {.channels = net.scaled(channels), .kernel = {3, 3, 3}, .has_bias = true}));
    x = net.max_pool(x, {2, 2, 2}, 2, 0);
  }
  x = net.flatten(x, elems * x.channels);
  for (const index_t channels : {128, 64}) x = net.unary("Dropout", activate(net.gemm(x, net.scaled(channels))));
  net.output(net.gemm(x, 4));
}

/// A small mixture of operators, for inputs of at least 8x8.
void build_small(LayerWriter& net) {
  const Feature in = net.input(3, {0, 0});
  const Feature stem = net.conv_bn_relu(in, {.channels = net.scaled(32)});
  const Feature pooled = net.max_pool(stem, {3, 3}, 2, 1);
  const Feature branch = net.conv(net.conv_bn_relu(pooled, {.channels = pooled.channels}), {.channels = pooled.channels});
  const Feature sum = net.relu(net.add(net.batch_norm(branch), pooled));
  const Feature wide = net.conv_relu(sum, {.channels = net.scaled(32), .kernel = {5, 5}, .groups = sum.channels});
  const Feature dilated = net.conv_relu(sum, {.channels = net.scaled(32), .dilation = 2});
  const Feature joined = net.concat_channels(wide, dilated);
  const Feature mixed = net.conv_relu(joined, {.channels = net.scaled(64), .kernel = {1, 1}, .stride = 2});
  const Feature mean = net.unary("GlobalAveragePool", mixed);
  net.output(net.unary("Softmax", net.gemm(net.flatten(mean, mean.channels), 10), {{"axis", index_t{1}}}));
}

}  // namespace parconv::test
