// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/units.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace parconv {

std::string format_bytes(index_t bytes) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.{}f} {}", value, value < 100 ? 1 : 0, units[unit]);
}

std::string format_seconds(double seconds) {
  if (seconds >= 3600)
    return fmt::format("{:.0f} h {:.0f} min", std::floor(seconds / 3600), std::floor(std::fmod(seconds, 3600) / 60));
  if (seconds >= 60) return fmt::format("{:.0f} min {:.0f} s", std::floor(seconds / 60), std::floor(std::fmod(seconds, 60)));
  if (seconds >= 1) return fmt::format("{:.2f} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.2f} ms", seconds * 1e3);
  return seconds > 0 ? fmt::format("{:.1f} us", seconds * 1e6) : "0";
}

std::string format_count(double count) {
  constexpr std::array prefixes{"", " k", " M", " G", " T", " P"};
  std::size_t prefix = 0;
  for (; count >= 1000 && prefix + 1 < prefixes.size(); ++prefix) count /= 1000;
  return prefix == 0 ? fmt::format("{:.0f}", count) : fmt::format("{:.2f}{}", count, prefixes[prefix]);
}

}  // namespace parconv
