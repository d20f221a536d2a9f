// SPDX-License-Identifier: Apache-2.0
// The command line, parsed into values.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "parconv/session/request.hpp"

namespace parconv::app {

/// Verbosity.
enum class Verbosity { Quiet, Normal, Verbose };

/// The machine of a dry run, as far as options specify it.
struct DryRunOptions {
  int ranks = 0;  ///< 0: those of the job, or one
  int hosts = 0;  ///< 0: those of the job, or one
  std::string gpu{};
  std::string plan_file{};  ///< to write; empty: beside the output
};

struct RunCommand {
  std::string command_line{};
  Request request{};
  std::optional<VerifyExtent> verify{};
  bool is_dry_run = false;
  DryRunOptions dry_run{};
  bool reports_binding = false;
  double timeout_seconds = 600;
  std::string report_file{};
  std::string trace_file{};
  bool resumes = false;
  bool discards_partial = false;
  double record_seconds = 30;  ///< between records; 0: only at a stop
  double max_seconds = 0;      ///< 0: no limit
  Verbosity verbosity = Verbosity::Normal;

  bool is_quiet() const { return verbosity == Verbosity::Quiet; }
  bool is_verbose() const { return verbosity == Verbosity::Verbose; }
};

struct InspectCommand {
  std::string file{};
  std::string data_file{};           ///< whose sizes a model is shown with
  std::vector<std::string> sizes{};  ///< "H=384": for sizes that a model leaves open
  bool pads_to_fit = false;
};

struct DemoCommand {
  DeviceRequest devices{};
  bool reports_binding = false;
  double timeout_seconds = 120;
};

/// Prints `text` once and ends with `code`.
struct ExitNow {
  int code = 0;
  std::string text{};
};

using Command = std::variant<DemoCommand, RunCommand, InspectCommand, ExitNow>;

/// Parses the command line. Does not print, exit or throw for any user input.
Command parse_command_line(int argc, char** argv);

}  // namespace parconv::app
