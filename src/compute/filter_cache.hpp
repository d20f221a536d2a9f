// SPDX-License-Identifier: Apache-2.0
// Packed filters, stored once for all kernels of a backend that use the same part of a filter.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "parconv/model/constant.hpp"

namespace parconv {

/// Finds packed filters, of type `Memory`, that a living kernel holds. Two filters are the same if they refer to the same
/// vector of values or the same position in a file, with equal strides and scale. Filters with neither are never shared. Not
/// thread-safe.
template <class Memory>
class FilterCache {
 public:
  struct Shared {
    std::shared_ptr<const Memory> memory{};
    bool is_new = false;  ///< packed by this call
  };

  /// The part `box` of a filter, rounded to `type`, with fits(memory) true. Calls pack(), which reads the filter, only if no
  /// kernel holds it.
  template <class Fits, class Pack>
  Shared get(const Filter& filter, const FilterBox& box, DType type, Fits&& fits, Pack&& pack) {
    const bool is_shareable = filter.data.values != nullptr || !filter.data.file.empty();
    const Key key = is_shareable ? key_of(filter, box, type) : Key{};
    if (is_shareable)
      if (auto found = find(key, filter, fits)) return {.memory = std::move(found)};
    auto made = std::make_shared<const Memory>(pack());
    if (is_shareable) keep(key, filter, made);
    return {.memory = std::move(made), .is_new = true};
  }

 private:
  struct Key {
    std::string file{};
    const void* values = nullptr;
    const void* scale = nullptr;
    std::array<index_t, 18> numbers{};  // types, offset, strides, and both ends of the five intervals of the box

    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::weak_ptr<const std::vector<float>> values{};  // weak: a new vector may reuse the address of an old one
    std::weak_ptr<const std::vector<float>> scale{};
    std::weak_ptr<const Memory> memory{};
  };

  static Key key_of(const Filter& filter, const FilterBox& box, DType type) {
    Key key{.file = filter.data.file, .values = filter.data.values.get(), .scale = filter.scale.get()};
    auto next = key.numbers.begin();
    *next++ = static_cast<index_t>(filter.data.type);
    *next++ = static_cast<index_t>(type);
    *next++ = filter.data.offset_bytes;
    next = std::copy(filter.strides.begin(), filter.strides.end(), next);
    for (const Interval& interval : {box.oc, box.ic, box.kernel[0], box.kernel[1], box.kernel[2]}) {
      *next++ = interval.lo;
      *next++ = interval.hi;
    }
    return key;
  }

  template <class T>
  static bool is_same(const std::weak_ptr<T>& kept, const std::shared_ptr<T>& asked) {
    return !kept.owner_before(asked) && !asked.owner_before(kept);
  }

  template <class Fits>
  std::shared_ptr<const Memory> find(const Key& key, const Filter& filter, Fits& fits) const {
    const auto [begin, end] = entries_.equal_range(key);
    for (auto entry = begin; entry != end; ++entry) {
      const auto& [values, scale, kept] = entry->second;
      if (!is_same(values, filter.data.values) || !is_same(scale, filter.scale)) continue;
      auto memory = kept.lock();
      if (memory && fits(*memory)) return memory;
    }
    return nullptr;
  }

  void keep(const Key& key, const Filter& filter, const std::shared_ptr<const Memory>& memory) {
    drop_unused();
    entries_.emplace(key, Entry{.values = filter.data.values, .scale = filter.scale, .memory = memory});
  }

  /// Runs whenever the number of entries has doubled: amortised constant cost per entry.
  void drop_unused() {
    if (entries_.size() < size_to_drop_at_) return;
    std::erase_if(entries_, [](const auto& entry) { return entry.second.memory.expired(); });
    size_to_drop_at_ = std::max(size_to_drop_at_, 2 * entries_.size());
  }

  std::multimap<Key, Entry> entries_{};
  std::size_t size_to_drop_at_ = 64;
};

}  // namespace parconv
