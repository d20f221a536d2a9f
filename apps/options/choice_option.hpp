// SPDX-License-Identifier: Apache-2.0
// Options whose values have names.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "parconv/session/choices.hpp"

namespace parconv::app {

/// An option with the names of an enumeration as values. CLI11's own transformer would also accept the underlying number, and
/// list both in its messages.
template <class Enum>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Enum& value, const std::string& help) {
  std::vector<std::string> names;
  for (const Named<Enum>& each : Choices<Enum>::names) names.emplace_back(each.name);
  const auto take = [&value](const std::string& text) { value = choice_named<Enum>(text).value(); };
  return app.add_option_function<std::string>(name, take, help)
      ->check(CLI::IsMember(names))
      ->default_str(std::string(choice_name(value)));
}

}  // namespace parconv::app
