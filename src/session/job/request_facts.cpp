// SPDX-License-Identifier: Apache-2.0
#include "session/job/request_facts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace parconv {
namespace {

/// Each of the values with the name of its input: "image=0.5 mask=1".
template <class Value>
Fact fact_of(const char* option, const std::vector<ForInput<Value>>& values) {
  std::string text;
  for (const ForInput<Value>& each : values)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", each.input, each.input.empty() ? "" : "=", each.value);
  return {option, text};
}

template <class Enum>
Fact fact_of(const char* option, Enum choice) {
  return {option, std::string(choice_name(choice))};
}

/// Whether a value is given: 0 is none.
Fact number(const char* option, index_t value) { return {option, value == 0 ? "" : fmt::format("{}", value)}; }

std::string_view flag(bool is_set) { return is_set ? "set" : ""; }

Fact size_fact(const Request& request) {
  return {"--pad-to-fit", std::string(flag(request.inputs.sizes == SizePolicy::PadToFit))};
}

void add_data(const Request& request, std::vector<Fact>& facts) {
  facts.insert(facts.end(), {fact_of("--layout", request.inputs.layouts),
                             fact_of("--scale", request.inputs.scales),
                             fact_of("--mean", request.inputs.means),
                             fact_of("--std", request.inputs.stds),
                             size_fact(request),
                             fact_of("--output-dtype", request.output_type),
                             {"OUTPUT", request.output_file},
                             {"--force", std::string(flag(request.replaces_output))},
                             number("--batch", request.batch),
                             number("--micro-batch", request.micro_batch)});
}

void add_computation(const Request& request, std::vector<Fact>& facts) {
  facts.insert(facts.end(), {{"--split", request.split},
                             {"--plan", request.plan_file.empty() && !request.plan ? "" : "a plan"},
                             {"--backend", request.backend},
                             fact_of("--dtype", request.numerics),
                             fact_of("--reduce", request.reduce),
                             fact_of("--overlap", request.overlap),
                             fact_of("--graphs", request.graphs),
                             fact_of("--conv-algorithms", request.conv_algorithms),
                             fact_of("--device", request.devices.device),
                             fact_of("--transport", request.devices.transport),
                             {"--share-gpu", std::string(flag(request.devices.shares_gpus))},
                             number("the rule for stored parts", static_cast<index_t>(request.store))});
}

}  // namespace

std::vector<Fact> result_facts_of(const Request& request) {
  return {fact_of("--layout", request.inputs.layouts),
          fact_of("--scale", request.inputs.scales),
          fact_of("--mean", request.inputs.means),
          fact_of("--std", request.inputs.stds),
          size_fact(request),
          fact_of("--dtype", request.numerics),
          fact_of("--reduce", request.reduce),
          fact_of("--output-dtype", request.output_type)};
}

std::vector<Fact> facts_of(const Request& request) {
  std::vector<Fact> facts;
  add_computation(request, facts);
  add_data(request, facts);
  return facts;
}

}  // namespace parconv
