// SPDX-License-Identifier: Apache-2.0
#include "fuzz/hostile_values.hpp"

#include <array>
#include <limits>

namespace parconv::test {

index_t hostile_integer(Random& random) {
  constexpr index_t one = 1;
  static constexpr std::array values{index_t{0},
                                     index_t{-1},
                                     index_t{-2},
                                     one << 30,
                                     (one << 31) - 1,
                                     one << 31,
                                     one << 32,
                                     one << 40,
                                     one << 48,
                                     one << 62,
                                     std::numeric_limits<index_t>::max(),
                                     std::numeric_limits<index_t>::min(),
                                     -(one << 31)};
  if (random.once_in(2)) return random.integer(0, 9);
  return values[static_cast<std::size_t>(random.integer(0, values.size() - 1))];
}

float hostile_float(Random& random) {
  using Limits = std::numeric_limits<float>;
  static constexpr std::array values{
      Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), Limits::max(), Limits::denorm_min(), 0.0F, -1.0F, 1e-30F};
  if (random.once_in(3)) return random.real(-4, 4);
  return values[static_cast<std::size_t>(random.integer(0, values.size() - 1))];
}

std::string hostile_string(Random& random) {
  static const std::array<std::string, 16> values{"",
                                                  "\xff\xfe\x80 not text",
                                                  std::string("a\0b", 3),
                                                  "new\nline\ttab\x1b[31m",
                                                  "../../../../etc/passwd",
                                                  "/dev/zero",
                                                  "Conv",
                                                  "Loop",
                                                  "NaN",
                                                  "input",
                                                  "output",
                                                  "axis",
                                                  "SAME_UPPER",
                                                  "a/b.c:0",
                                                  "%s%n{}",
                                                  "com.example"};
  if (random.once_in(8)) return std::string(static_cast<std::size_t>(random.integer(1, 200'000)), 'x');
  return values[static_cast<std::size_t>(random.integer(0, values.size() - 1))];
}

}  // namespace parconv::test
