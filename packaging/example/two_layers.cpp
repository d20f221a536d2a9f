// SPDX-License-Identifier: Apache-2.0
#include "two_layers.hpp"

#include <memory>
#include <vector>

namespace {

using namespace parconv;

Node convolution(const char* name, ValueId src, ValueId dst) {
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  Conv conv{.window = {{WindowAxis{}, three, three}}};
  conv.filter = {.data = {.values = std::make_shared<const std::vector<float>>(9, 1.0F), .count = 9},
                 .oc = 1,
                 .ic_per_group = 1,
                 .kernel = {1, 3, 3},
                 .strides = {9, 9, 9, 3, 1}};
  return {.name = name, .op = conv, .inputs = {src}, .output = dst, .epilogue = {.activation = {.kind = ActivationKind::Relu}}};
}

}  // namespace

Network two_layers(index_t samples) {
  const Extents images{{samples, 1, 1, 8, 8}};
  Network network{.name = "two layers"};
  network.values = {{.name = "image", .kind = ValueKind::Input, .extents = images},
                    {.name = "first", .extents = images},
                    {.name = "second", .extents = images}};
  network.nodes = {convolution("conv1", 0, 1), convolution("conv2", 1, 2)};
  network.inputs = {0};
  network.outputs = {2};
  validate(network);
  return network;
}
