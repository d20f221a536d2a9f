// SPDX-License-Identifier: Apache-2.0
#include "command_facts.hpp"

#include <fmt/format.h>

#include "versions.hpp"

namespace parconv::app {
namespace {

Fact this_program() { return {"the program", fmt::format("parconv {} of {} by {}", version(), git_revision(), compiler())}; }

Fact bind_report(bool is_asked) { return {"--bind-report", is_asked ? "set" : ""}; }

}  // namespace

std::vector<Fact> facts_of(const RunCommand& command) {
  return {this_program(),
          {"the command", command.is_dry_run ? "run --dry-run" : "run"},
          {"--verify", command.verify ? std::string(choice_name(*command.verify)) : ""},
          {"--timeout", fmt::format("{}", command.timeout_seconds)},
          {"--resume", command.resumes ? "set" : ""},
          {"--discard-partial", command.discards_partial ? "set" : ""},
          {"--max-time", fmt::format("{}", command.max_seconds)},
          {"--checkpoint-interval", fmt::format("{}", command.record_seconds)},
          bind_report(command.reports_binding)};
}

Fact fact_of_version() { return {"the version", fmt::format("parconv {} of {}", version(), git_revision())}; }

std::vector<Fact> facts_of(const DemoCommand& command) {
  return {this_program(),
          {"the command", "the demonstration"},
          {"--device", std::string(choice_name(command.devices.device))},
          {"--transport", std::string(choice_name(command.devices.transport))},
          {"--share-gpu", command.devices.shares_gpus ? "set" : ""},
          {"--timeout", fmt::format("{}", command.timeout_seconds)},
          bind_report(command.reports_binding)};
}

}  // namespace parconv::app
