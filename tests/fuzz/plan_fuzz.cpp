// SPDX-License-Identifier: Apache-2.0
// parconv_plan_fuzz: libFuzzer target; a plan file must end in a plan whose programs are proven, or in an Error for bad data.
//   parconv_plan_fuzz --write-corpus FOLDER   writes valid plans as a seed corpus
//   parconv_plan_fuzz FOLDER                  fuzzes
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz/fuzz_files.hpp"
#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/json/plan_json.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/program/proof.hpp"
#include "support/proven.hpp"
#include "support/random.hpp"
#include "support/random_plan.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

namespace fs = std::filesystem;
using namespace parconv;
using namespace parconv::test;
using Json = nlohmann::json;

/// Larger jobs are read, but not compiled.
constexpr int max_ranks = 8;

Network made_network() {
  NamedNetworkBuilder build;
  const ValueId first = build.conv("first", build.input("x", {{4, 3, 1, 12, 10}}), 8);
  const ValueId second = build.conv("second", build.relu("relu", first), 6, 3, 2);
  return build.build({build.full_conv("last", second, 5)});
}

const Network& network() {
  static const Network network = made_network();
  return network;
}

void write_corpus(const fs::path& folder) {
  fs::create_directories(folder);
  for (int number = 0; number < 40; ++number) {
    Random random(static_cast<std::uint64_t>(number));
    const Plan plan =
        random_plan(network(), random, static_cast<int>(random.integer(1, 8)), static_cast<int>(random.integer(1, 3)), true);
    write_bytes(folder / concat("plan-", number, ".json"), plan_to_json(plan, network()));
  }
  write_bytes(folder / "default.json", R"({"parconv_plan": 1, "ranks": 4, "default": "h=2,w=2"})");
  write_bytes(folder / "object.json", R"({"parconv_plan": 1, "ranks": 4, "stages": 2, "default": {"stages": 2, "f": 2}})");
}

/// All values below `json`, itself included.
void collect(Json& json, std::vector<Json*>& values) {
  values.push_back(&json);
  if (json.is_structured())
    for (Json& each : json) collect(each, values);
}

Json random_value(Random& random) {
  static const std::vector<Json> values{nullptr,
                                        true,
                                        -1,
                                        0,
                                        1,
                                        2,
                                        3,
                                        64,
                                        1 << 20,
                                        2147483647,
                                        9223372036854775807,
                                        1e300,
                                        0.5,
                                        "h=2",
                                        "",
                                        Json::array(),
                                        Json::object(),
                                        Json::array({0, 1, 2})};
  return values[static_cast<std::size_t>(random.integer(0, std::ssize(values) - 1))];
}

void mutate(Json& json, Random& random) {
  std::vector<Json*> values;
  collect(json, values);
  const auto any = [&]() -> Json& { return *values[static_cast<std::size_t>(random.integer(0, std::ssize(values) - 1))]; };
  Json& chosen = any();
  switch (random.integer(0, 5)) {
    case 0:
      chosen = random_value(random);
      break;
    case 1:
      chosen = Json(any());
      break;
    case 2:
      if (chosen.is_number_integer()) chosen = chosen.get<std::int64_t>() / 2 + random.integer(-1, 2);
      break;
    case 3:
      if (chosen.is_array() && !chosen.empty()) chosen.erase(static_cast<std::size_t>(random.integer(0, std::ssize(chosen) - 1)));
      break;
    case 4:
      if (chosen.is_array()) chosen.push_back(random.integer(0, 70));
      break;
    default:
      if (chosen.is_object() && !chosen.empty())
        chosen.erase(std::next(chosen.begin(), random.integer(0, std::ssize(chosen) - 1)));
  }
}

/// The time of a plan is proportional to its ranks.
bool is_large(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto ranks = json.is_object() ? json.find("ranks") : json.end();
  return ranks != json.end() && ranks->is_number_integer() && ranks->get<std::int64_t>() > 4096;
}

void process(const std::string& text) {
  if (is_large(text)) return;
  const Plan plan = plan_from_json(text, network());
  if (plan_from_json(plan_to_json(plan, network()), network()) != plan) std::abort();
  if (plan.num_ranks > max_ranks) return;
  const CompileOptions options{};
  const std::vector<Program> programs = compile_all(network(), lay_out(network(), plan, options));
  expect_proven(prove(network(), programs, {.type = options.type}));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  if (*count != 3 || std::strcmp((*arguments)[1], "--write-corpus") != 0) return 0;
  write_corpus((*arguments)[2]);
  std::exit(0);
}

/// Any exception other than an Error for bad data escapes, so libFuzzer stops and keeps the plan.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    process(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const Error& error) {
    if (error.code() != ExitCode::BadData) throw;
  }
  return 0;
}

/// Mutations of the values of a file reach further than those of its bytes.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  Random random(seed);
  Json json = Json::parse(data, data + size, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || random.once_in(4)) return LLVMFuzzerMutate(data, size, max_size);
  for (index_t left = random.integer(1, 4); left > 0; --left) mutate(json, random);
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > max_size) return size;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
