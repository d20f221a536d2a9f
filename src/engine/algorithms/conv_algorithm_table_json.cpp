// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "json/json_checks.hpp"
#include "parconv/core/error.hpp"
#include "parconv/engine/conv_algorithm_table.hpp"

namespace parconv {
namespace {

using Json = nlohmann::json;
/// Keeps keys in insertion order.
using OrderedJson = nlohmann::ordered_json;

constexpr JsonChecks checks("convolution algorithms");
constexpr int table_version = 1;
constexpr const char* version_key = "parconv_conv_algorithms";
constexpr const char* former_version_key = "parconv_engines";  // written by version 0.1
constexpr index_t largest_int = std::numeric_limits<int>::max();

// ---- writing -------------------------------------------------------------------------------------------------------------

OrderedJson to_json(const ConvAlgorithm& choice) {
  OrderedJson knobs = OrderedJson::array();
  for (const ConvAlgorithmKnob& knob : choice.knobs) knobs.push_back({knob.type, knob.value});
  return {{"engine", choice.engine},
          {"knobs", knobs},
          {"multiprocessors", choice.multiprocessors},
          {"workspace_bytes", choice.workspace_bytes},
          {"seconds", choice.seconds}};
}

std::string head_of(const ConvAlgorithmMachine& machine) {
  return concat("{\"gpu\": ", Json(machine.gpu).dump(), ", \"major\": ", machine.major, ", \"minor\": ", machine.minor,
                ", \"multiprocessors\": ", machine.multiprocessors, ", \"library\": ", Json(machine.library).dump(),
                ", \"choices\": {");
}

// ---- reading -------------------------------------------------------------------------------------------------------------

const Json& member(const Json& object, const char* key, const std::string& of) {
  const auto found = object.find(key);
  if (found == object.end()) checks.refuse(concat("key ", quoted(key), " of ", of), "is missing");
  return *found;
}

index_t integer(const Json& object, const char* key, const std::string& of, index_t lowest, index_t highest) {
  return checks.integer(member(object, key, of), concat("key ", quoted(key), " of ", of), lowest, highest);
}

int small_integer(const Json& object, const char* key, const std::string& of) {
  return static_cast<int>(integer(object, key, of, 0, largest_int));
}

std::string text(const Json& object, const char* key, const std::string& of) {
  const Json& json = member(object, key, of);
  if (!json.is_string())
    checks.refuse(concat("key ", quoted(key), " of ", of), concat("is ", json.dump(), ", but must be a string"));
  return json.get<std::string>();
}

const Json& list(const Json& object, const char* key, const std::string& of) {
  const Json& json = member(object, key, of);
  if (!json.is_array())
    checks.refuse(concat("key ", quoted(key), " of ", of), concat("is ", json.dump(), ", but must be a list"));
  return json;
}

double seconds_from(const Json& object, const std::string& of) {
  const Json& json = member(object, "seconds", of);
  const bool is_time = json.is_number() && std::isfinite(json.get<double>()) && json.get<double>() >= 0;
  if (!is_time) checks.refuse(concat("key \"seconds\" of ", of), concat("is ", json.dump(), ", but must be a number of seconds"));
  return json.get<double>();
}

ConvAlgorithmKnob knob_from(const Json& json, const std::string& of) {
  const std::string where = concat("a knob of ", of);
  if (!json.is_array() || json.size() != 2) checks.refuse(where, concat("is ", json.dump(), ", but must be [type, value]"));
  return {.type = static_cast<int>(checks.integer(json[0], where, 0, largest_int)),
          .value = checks.integer(json[1], where, std::numeric_limits<index_t>::min(), std::numeric_limits<index_t>::max())};
}

ConvAlgorithm choice_from(const Json& json, const std::string& of) {
  checks.require_object(json, of);
  checks.require_known_keys(json, {"engine", "knobs", "multiprocessors", "workspace_bytes", "seconds"}, of);
  constexpr index_t largest = std::numeric_limits<index_t>::max();
  ConvAlgorithm choice{.engine = integer(json, "engine", of, ConvAlgorithm::no_engine, largest),
                       .multiprocessors = small_integer(json, "multiprocessors", of),
                       .workspace_bytes = integer(json, "workspace_bytes", of, 0, largest),
                       .seconds = seconds_from(json, of)};
  for (const Json& knob : list(json, "knobs", of)) choice.knobs.push_back(knob_from(knob, of));
  return choice;
}

ConvAlgorithmMachine machine_from(const Json& json, const std::string& of) {
  checks.require_object(json, of);
  checks.require_known_keys(json, {"gpu", "major", "minor", "multiprocessors", "library", "choices"}, of);
  return {.gpu = text(json, "gpu", of),
          .major = small_integer(json, "major", of),
          .minor = small_integer(json, "minor", of),
          .multiprocessors = small_integer(json, "multiprocessors", of),
          .library = text(json, "library", of)};
}

ConvAlgorithms choices_from(const Json& json, const std::string& of) {
  checks.require_object(json, concat("key \"choices\" of ", of));
  ConvAlgorithms choices;
  for (const auto& [call, choice] : json.items())
    choices.emplace(call, choice_from(choice, concat("the choice for ", quoted(call), " of ", of)));
  return choices;
}

void check_header(const Json& json) {
  checks.require_object(json, "the file");
  const char* const key_name = json.contains(former_version_key) ? former_version_key : version_key;
  const std::string key = concat("key ", quoted(key_name));
  if (!json.contains(key_name))
    checks.refuse(key, "is missing", concat("a table begins with {", quoted(version_key), ": ", table_version, ", ..."));
  const Json& version = json[key_name];
  if (version != table_version)
    checks.refuse(key, concat("is version ", version.dump(), ", but this program reads version ", table_version),
                  "remove the file; the next run writes a new one");
  checks.require_known_keys(json, {key_name, "machines"}, "the file");
}

}  // namespace

std::string conv_algorithms_to_json(const ConvAlgorithmTables& tables) {
  std::string result = concat("{", quoted(version_key), ": ", table_version, ", \"machines\": [");
  const char* before_machine = "\n";
  for (const auto& [machine, choices] : tables) {
    result += before_machine + head_of(machine);
    const char* before_choice = "\n  ";
    for (const auto& [call, choice] : choices) {
      result += concat(before_choice, Json(call).dump(), ": ", to_json(choice).dump());
      before_choice = ",\n  ";
    }
    result += "}}";
    before_machine = ",\n";
  }
  return result + "]}\n";
}

ConvAlgorithmTables conv_algorithms_from_json(std::string_view json_text) {
  const Json json = checks.parsed(json_text);
  check_header(json);
  ConvAlgorithmTables tables;
  const std::string file = "the file";
  for (const Json& each : list(json, "machines", file)) {
    const std::string of = concat("machine ", tables.size());
    const ConvAlgorithmMachine machine = machine_from(each, of);
    if (tables.contains(machine)) checks.refuse(of, concat("repeats the entry of ", to_string(machine)), "keep one of them");
    tables.emplace(machine, choices_from(member(each, "choices", of), of));
  }
  return tables;
}

}  // namespace parconv
