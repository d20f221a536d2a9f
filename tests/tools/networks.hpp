// SPDX-License-Identifier: Apache-2.0
// Networks for demonstrations and tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/layer_writer.hpp"

namespace parconv::test {

/// Names accepted by write_network.
std::vector<std::string> network_names();

/// Writes network `name` to `path`. Throws Error(Usage) for an unknown name or sizes that the network cannot take.
void write_network(std::string_view name, const NetworkOptions& options, const std::string& path);

void build_resnet50(LayerWriter& net);
void build_vgg16(LayerWriter& net);
void build_unet(LayerWriter& net);
void build_net3d(LayerWriter& net);
void build_small(LayerWriter& net);
void build_filters(LayerWriter& net);

}  // namespace parconv::test
