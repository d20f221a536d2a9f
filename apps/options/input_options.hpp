// SPDX-License-Identifier: Apache-2.0
// Options of inputs: VALUE for the first input, NAME=VALUE for another.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "parconv/session/request.hpp"

namespace parconv::app {

/// The texts of the options, unparsed.
struct InputTexts {
  std::vector<std::string> files{};
  std::vector<std::string> layouts{};
  std::vector<std::string> scales{};
  std::vector<std::string> means{};
  std::vector<std::string> stds{};
  bool pads_to_fit = false;
};

void add_input_options(CLI::App& app, InputTexts& texts);

/// Parses the texts. Throws Error(Usage) for a malformed NAME=FILE or number.
void parse_inputs(const InputTexts& texts, InputRequest& request);

}  // namespace parconv::app
