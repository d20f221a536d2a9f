// SPDX-License-Identifier: Apache-2.0
// The options of `parconv_app run`, and those that the demonstration shares.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command_line.hpp"
#include "input_options.hpp"

namespace parconv::app {

/// Texts of options that are parsed once all options are known.
struct RunTexts {
  InputTexts inputs{};
  std::string verify{};  ///< "", "sampled" or "full"
  bool is_quiet = false;
  bool is_verbose = false;
};

/// --device.
void add_device_options(CLI::App& app, DeviceRequest& devices);

/// --transport, --share-gpu and --bind-report.
struct PlacementOptions {
  DeviceRequest& devices;
  bool& reports_binding;
};
void add_placement_options(CLI::App& app, const PlacementOptions& options);

/// All options of `run`. `command` and `texts` must live as long as `app`.
void add_run_options(CLI::App& app, RunCommand& command, RunTexts& texts);

/// Parses the texts into the command. Returns a message for options that conflict; empty without a conflict.
std::string take_texts(const RunTexts& texts, RunCommand& command);

}  // namespace parconv::app
