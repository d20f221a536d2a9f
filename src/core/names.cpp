// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/names.hpp"

#include <unordered_map>

namespace parconv {
namespace {

std::string end_of(const std::string& name, std::size_t width) {
  return name.size() <= width ? name : ".." + name.substr(name.size() - width + 2);
}

}  // namespace

std::vector<std::string> shortened(std::span<const std::string> names, std::size_t width) {
  std::unordered_map<std::string, int> uses;
  for (const std::string& name : names) ++uses[end_of(name, width)];
  std::vector<std::string> result;
  for (const std::string& name : names) {
    const std::string end = end_of(name, width);
    result.push_back(uses[end] == 1 ? end : name);
  }
  return result;
}

}  // namespace parconv
