// SPDX-License-Identifier: Apache-2.0
// Numbers, texts and lists as the bytes of a record's entry.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

class RecordBytes {
 public:
  void put(index_t number) { append(&number, sizeof(number)); }
  void put(const std::string& text) {
    put(std::ssize(text));
    text_ += text;
  }
  template <class T>
  void put_list(std::span<const T> list) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(std::ssize(list));
    append(list.data(), list.size_bytes());
  }

  const std::string& text() const { return text_; }

 private:
  void append(const void* data, std::size_t size) { text_.append(static_cast<const char*>(data), size); }

  std::string text_{};
};

/// Thrown by RecordReader for bytes that no RecordBytes wrote.
struct NotARecord {};

/// Reads in the order of writing. Never beyond the bytes, and allocates no more than they hold.
class RecordReader {
 public:
  explicit RecordReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void expect(bool condition) const {
    if (!condition) throw NotARecord{};
  }
  void expect_end() const { expect(bytes_.empty()); }

  index_t number() {
    index_t value = 0;
    take(&value, sizeof(value));
    return value;
  }
  /// The number of items that take at least `item_bytes` each.
  index_t count(std::size_t item_bytes) {
    const index_t value = number();
    expect(value >= 0 && value <= static_cast<index_t>(bytes_.size() / item_bytes));
    return value;
  }
  std::string text() {
    std::string value(static_cast<std::size_t>(count(1)), '\0');
    take(value.data(), value.size());
    return value;
  }
  template <class T>
  void take_list(std::vector<T>& list) {
    static_assert(std::is_trivially_copyable_v<T>);
    list.resize(static_cast<std::size_t>(count(sizeof(T))));
    take(list.data(), list.size() * sizeof(T));
  }

 private:
  void take(void* to, std::size_t size) {
    expect(size <= bytes_.size());
    if (size > 0) std::memcpy(to, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
  }

  std::span<const std::byte> bytes_;
};

}  // namespace parconv
