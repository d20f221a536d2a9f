// SPDX-License-Identifier: Apache-2.0
#include "device/limits/kernel_texts.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace parconv {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<index_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  index_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<index_t>::max();
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::optional<index_t> number_of_key(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    const bool has_colon = line.starts_with(':');
    if (has_colon) line.remove_prefix(1);
    if (line.empty() || (line.front() != ' ' && line.front() != '\t')) continue;
    const auto number = leading_number(line);
    return number && line.ends_with("kB") ? std::optional(*number * 1024) : number;
  }
  return std::nullopt;
}

/// Line: "7f0000021000-7f0004000000 ---p 00000000 00:00 0 [NAME]".
index_t reserved_bytes(std::string_view maps) {
  constexpr int hexadecimal = 16;
  index_t sum = 0;
  for (const std::string_view line : split(maps, '\n')) {
    index_t begin = 0, end = 0;
    const auto first = std::from_chars(line.data(), line.data() + line.size(), begin, hexadecimal);
    if (first.ec != std::errc() || first.ptr == line.data() + line.size() || *first.ptr != '-') continue;
    const auto second = std::from_chars(first.ptr + 1, line.data() + line.size(), end, hexadecimal);
    const std::string_view rest(second.ptr, line.data() + line.size());
    if (second.ec == std::errc() && rest.starts_with(" ---p")) sum += end - begin;
  }
  return sum;
}

}  // namespace parconv
