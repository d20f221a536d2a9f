// SPDX-License-Identifier: Apache-2.0
// Whole networks at full size under every split, against one rank.
#include "engine/splits/network_splits.hpp"

namespace parconv::test {
namespace {

using FullNetworkSplits = NetworkSplitTest;

/// Published sizes and widths, but half the width of the U-Net: in oneDNN 2.6 the summation order of a 2x2 convolution of 1024
/// channels depends on the number of output channels, so four filter parts differ in the last bits (docs/promises.md).
std::vector<NetworkCase> full_networks() {
  return {{.name = "resnet50", .size = 224, .channels_scale = 1, .batch = 1},
          {.name = "vgg16", .size = 224, .channels_scale = 1, .batch = 1},
          {.name = "unet", .size = 224, .channels_scale = 0.5, .batch = 1},
          {.name = "net3d", .size = 128, .channels_scale = 1, .batch = 1}};
}

TEST_F(FullNetworkSplits, ResNet50) { expect_equal_to_one_rank(full_networks()[0], Numbers::Reals); }
TEST_F(FullNetworkSplits, Vgg16) { expect_equal_to_one_rank(full_networks()[1], Numbers::Reals); }
TEST_F(FullNetworkSplits, UNet) { expect_equal_to_one_rank(full_networks()[2], Numbers::Reals); }
TEST_F(FullNetworkSplits, Net3d) { expect_equal_to_one_rank(full_networks()[3], Numbers::Reals); }

}  // namespace
}  // namespace parconv::test
