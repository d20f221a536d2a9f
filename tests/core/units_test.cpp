// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/units.hpp"

#include <gtest/gtest.h>

namespace parconv::test {
namespace {

TEST(Units, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(index_t{300} << 20), "300 MiB");
  EXPECT_EQ(format_bytes(index_t{5} << 50), "5.0 PiB");
  EXPECT_EQ(format_bytes(index_t{5000} << 50), "5000 PiB");
}

TEST(Units, Seconds) {
  EXPECT_EQ(format_seconds(0), "0");
  EXPECT_EQ(format_seconds(2.5e-7), "0.2 us");
  EXPECT_EQ(format_seconds(0.0123), "12.30 ms");
  EXPECT_EQ(format_seconds(4.56), "4.56 s");
  EXPECT_EQ(format_seconds(200), "3 min 20 s");
  EXPECT_EQ(format_seconds(7380), "2 h 3 min");
}

TEST(Units, Counts) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1.00 k");
  EXPECT_EQ(format_count(1.25e9), "1.25 G");
}

}  // namespace
}  // namespace parconv::test
