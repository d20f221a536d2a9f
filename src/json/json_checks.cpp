// SPDX-License-Identifier: Apache-2.0
#include "json/json_checks.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Json = nlohmann::json;

/// Parser callback that rejects repeated keys of an object.
class RepeatedKeyCheck {
 public:
  explicit RepeatedKeyCheck(const JsonChecks& checks) : checks_(checks) {}

  bool operator()(int, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second)
      checks_.refuse(concat("key ", parsed.dump()), "occurs twice in one object", "keep one of them");
    return true;
  }

 private:
  const JsonChecks& checks_;
  std::vector<std::set<std::string>> open_{};
};

}  // namespace

void JsonChecks::refuse(const std::string& where, const std::string& why, const std::string& hint) const {
  throw Error(ExitCode::BadData, concat(kind_, ": ", where, " ", why), hint);
}

Json JsonChecks::parsed(std::string_view text) const {
  try {
    return Json::parse(text, RepeatedKeyCheck(*this));
  } catch (const Json::exception& error) {
    refuse("the text", concat("is not JSON: ", error.what()));
  }
}

void JsonChecks::require_object(const Json& json, const std::string& where) const {
  if (!json.is_object()) refuse(where, concat("is ", json.dump(), ", but must be an object {...}"));
}

void JsonChecks::require_known_keys(const Json& object, std::initializer_list<const char*> known,
                                    const std::string& where) const {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string list;
    for (const char* name : known) list += concat(list.empty() ? "" : ", ", name);
    refuse(concat("key ", quoted(key), " of ", where), "is unknown", concat("the known keys are ", list));
  }
}

index_t JsonChecks::integer(const Json& json, const std::string& where, index_t lowest, index_t highest) const {
  const bool fits = json.is_number_integer() &&
                    !(json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t(highest)) &&
                    json.get<index_t>() >= lowest && json.get<index_t>() <= highest;
  if (!fits) refuse(where, concat("is ", json.dump(), ", but must be an integer from ", lowest, " to ", highest));
  return json.get<index_t>();
}

}  // namespace parconv
