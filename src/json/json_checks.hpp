// SPDX-License-Identifier: Apache-2.0
// Checks shared by all readers of JSON files, naming the position. Only sources that read JSON include this.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "parconv/core/types.hpp"

namespace parconv {

/// Checks of files of one kind ("plan"). All throw Error(BadData) with a message that begins with the kind.
class JsonChecks {
 public:
  explicit constexpr JsonChecks(const char* kind) : kind_(kind) {}

  [[noreturn]] void refuse(const std::string& where, const std::string& why, const std::string& hint = {}) const;

  /// Parses `text`. Rejects invalid JSON and repeated keys, of which nlohmann::json silently keeps the last.
  nlohmann::json parsed(std::string_view text) const;
  void require_object(const nlohmann::json& json, const std::string& where) const;
  void require_known_keys(const nlohmann::json& object, std::initializer_list<const char*> known, const std::string& where) const;
  /// An integer in [lowest, highest].
  index_t integer(const nlohmann::json& json, const std::string& where, index_t lowest, index_t highest) const;

 private:
  const char* kind_;
};

inline std::string quoted(const std::string& key) { return '"' + key + '"'; }

}  // namespace parconv
