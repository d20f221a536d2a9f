// SPDX-License-Identifier: Apache-2.0
// Texts of the kernel: literal rows.
#include "device/limits/kernel_texts.hpp"

#include <gtest/gtest.h>

namespace parconv::test {
namespace {

TEST(KernelTexts, NumbersByKey) {
  constexpr const char* meminfo = "MemTotal:       24683520 kB\nMemAvailable:   23724032 kB\nSwapFree:              0 kB\n";
  EXPECT_EQ(number_of_key(meminfo, "MemAvailable"), index_t{23724032} * 1024);
  EXPECT_EQ(number_of_key(meminfo, "SwapFree"), 0);
  EXPECT_EQ(number_of_key(meminfo, "Mem"), std::nullopt) << "a prefix is no key";
  EXPECT_EQ(number_of_key(meminfo, "CommitLimit"), std::nullopt);
  EXPECT_EQ(number_of_key("VmSize:\t  123 kB\n", "VmSize"), 123 * 1024);
  EXPECT_EQ(number_of_key("active_file 7\n", "active_file"), 7);
  EXPECT_EQ(number_of_key("active_file seven\n", "active_file"), std::nullopt);
  EXPECT_EQ(leading_number("max\n"), std::nullopt);
  EXPECT_EQ(leading_number(" 42\n"), 42);
  EXPECT_EQ(leading_number(""), std::nullopt);
}

TEST(KernelTexts, ReservedAddressSpaceIsNotAccessible) {
  constexpr const char* maps =
      "55d0a0000000-55d0a0021000 rw-p 00000000 00:00 0 [heap]\n"
      "7f1000000000-7f1000021000 rw-p 00000000 00:00 0 \n"
      "7f1000021000-7f1004000000 ---p 00000000 00:00 0 \n"
      "7f1004000000-7f1004001000 ---s 00000000 00:05 12 /dev/shm/x\n"
      "7f2000000000-7f2000001000 ---p 00000000 08:01 7 /lib/x.so\n";
  EXPECT_EQ(reserved_bytes(maps), 0x4000000 - 0x21000 + 0x1000);
  EXPECT_EQ(reserved_bytes(""), 0);
  EXPECT_EQ(reserved_bytes("7f\nx-y ---p\n1000\n1000-\n"), 0);
}

}  // namespace
}  // namespace parconv::test
