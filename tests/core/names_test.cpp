// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/names.hpp"

#include <gtest/gtest.h>

namespace parconv {
namespace {

using Names = std::vector<std::string>;

TEST(Names, OfLongOnesTheEndIsShown) {
  EXPECT_EQ(shortened(Names{"conv1", "backbone.layer1.conv", "backbone.layer2.conv"}, 10),
            (Names{"conv1", "..er1.conv", "..er2.conv"}));
  EXPECT_EQ(shortened(Names{}, 10), Names{});
}

TEST(Names, ThoseThatWouldBeEqualStayWhole) {
  EXPECT_EQ(shortened(Names{"first.block.conv", "other.block.conv", "x"}, 8),
            (Names{"first.block.conv", "other.block.conv", "x"}));
  EXPECT_EQ(shortened(Names{"..k.conv", "block.conv"}, 8), (Names{"..k.conv", "block.conv"}));
}

}  // namespace
}  // namespace parconv
