// SPDX-License-Identifier: Apache-2.0
#include "fault.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <span>
#include <sstream>

#include "parconv/core/error.hpp"

namespace parconv::app {
namespace {

constexpr std::array phase_keys{"start",   "place",  "read", "open",   "plan",   "check",  "create",
                                "prepare", "verify", "run",  "record", "finish", "report", "end"};
constexpr std::array kind_keys{"none", "throw", "exit", "hang", "kill", "wrong", "stop"};
constexpr int fault_exit_code = 7;

[[noreturn]] void refuse(const std::string& text) {
  throw Error(ExitCode::Config, concat("PARCONV_FAULT='", text, "' is not a known fault"),
              "Unset PARCONV_FAULT; it makes jobs fail on purpose, for tests.");
}

int position_of(const std::string& text, std::span<const char* const> keys) {
  const auto found = std::find(keys.begin(), keys.end(), text);
  if (found == keys.end()) refuse(text);
  return static_cast<int>(found - keys.begin());
}

int number_of(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) refuse(text);
  return number;
}

void set_field(InjectedFault& fault, const std::string& name, const std::string& value) {
  if (name == "rank")
    fault.rank = value == "all" ? every_rank : number_of(value);
  else if (name == "tick")
    fault.tick = number_of(value);
  else if (name == "phase")
    fault.phase = static_cast<Phase>(position_of(value, phase_keys));
  else if (name == "kind")
    fault.kind = static_cast<FaultKind>(position_of(value, kind_keys));
  else
    refuse(name);
}

}  // namespace

InjectedFault fault_from_environment() {
  InjectedFault fault;
  const char* text = std::getenv("PARCONV_FAULT");
  if (text == nullptr) return fault;
  std::istringstream in(text);
  for (std::string field; std::getline(in, field, ',');) {
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) refuse(field);
    set_field(fault, field.substr(0, equals), field.substr(equals + 1));
  }
  return fault;
}

void raise_fault(FaultKind kind) {
  switch (kind) {
    case FaultKind::None:
    case FaultKind::Wrong:
      return;
    case FaultKind::Throw:
      throw Error(ExitCode::Bug, "a fault was injected", "Unset PARCONV_FAULT.");
    case FaultKind::Exit:
      ::_exit(fault_exit_code);
    case FaultKind::Hang:
      while (true) ::pause();
    case FaultKind::Stop:
      ::kill(::getpid(), SIGSTOP);
      return;
    case FaultKind::Kill:
      ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace parconv::app
