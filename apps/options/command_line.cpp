// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <span>

#include "commands/versions.hpp"
#include "help_format.hpp"
#include "parconv/core/error.hpp"
#include "run_options.hpp"

namespace parconv::app {
namespace {

constexpr const char* description =
    "parconv: runs convolutional networks over the ranks of an MPI job, each layer split the way you choose.\n"
    "Without a subcommand: a checked demonstration of every split on the ranks of the job.\n\n"
    "  mpirun -np 4 parconv_app\n"
    "  mpirun -np 4 parconv_app run model.onnx input.h5 output.h5 --split h=2,w=2\n"
    "  parconv_app run model.onnx input.h5 output.h5 --dry-run --ranks 64\n"
    "  parconv_app inspect model.onnx\n";

constexpr const char* footer =
    "\nExit codes: 0 ok, 2 usage, 65 bad data, model or plan, 66 input missing, 69 device or transport unavailable, 70 a bug in\n"
    "parconv or a failed --verify, 71 out of memory, 73 cannot create the output, 74 I/O error, 75 stopped early, --resume\n"
    "goes on, 76 communication failure or time-out, 78 bad configuration.";

/// Quoted for a shell.
std::string quoted(const std::string& word) {
  const bool is_plain = !word.empty() && word.find_first_not_of(
                                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                             "_-./:=,+%@") == std::string::npos;
  if (is_plain) return word;
  std::string result(1, '\'');
  for (char c : word) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  result += '\'';
  return result;
}

std::string command_line(std::span<char* const> arguments) {
  std::string text("parconv_app");
  for (const char* argument : arguments.subspan(arguments.empty() ? 0 : 1)) {
    text += ' ';
    text += quoted(argument);
  }
  return text;
}

/// The options of the program without a subcommand.
void add_demo(CLI::App& app, DemoCommand& command) {
  app.add_option("--timeout", command.timeout_seconds, "seconds without progress after which the demonstration ends with 76")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  add_device_options(app, command.devices);
  add_placement_options(app, {command.devices, command.reports_binding});
}

/// An option of the demonstration given with a subcommand, where it has no effect.
std::string misplaced_option(const CLI::App& app) {
  if (app.get_subcommands().empty()) return {};
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0)
      return concat(option->get_name(), " before '", app.get_subcommands().front()->get_name(),
                    "' is an option of the demonstration; options of a command follow its name");
  return {};
}

/// The text of CLI11 for help, version and errors.
ExitNow exit_now(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream text;
  const int code = app.exit(error, text, text);
  return {.code = code == 0 ? 0 : static_cast<int>(ExitCode::Usage), .text = text.str()};
}

ExitNow usage_error(const std::string& problem) {
  return {.code = static_cast<int>(ExitCode::Usage), .text = concat(problem, "\nRun with --help for more information.\n")};
}

void add_inspect(CLI::App& app, InspectCommand& inspect) {
  CLI::App& sub =
      *app.add_subcommand("inspect", "show the contents of an ONNX model or HDF5 file, and what parconv supports of them");
  sub.add_option("FILE", inspect.file, "FILE.onnx or FILE.h5")->required();
  auto* data = sub.add_option("DATA", inspect.data_file, "DATA.h5: show the model for samples of this file");
  sub.add_option("--size", inspect.sizes, "sizes that the model leaves open, by axis or symbol: H=384,W=512")
      ->delimiter(',')
      ->excludes(data);
  sub.add_flag("--pad-to-fit", inspect.pads_to_fit, "show the model with padding for sizes that do not fit, as run would pad");
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  CLI::App app{description, "parconv_app"};
  app.set_version_flag("--version", concat("parconv ", version(), " (", git_revision(), ", ", compiler(), ")"));
  app.require_subcommand(0, 1);
  app.footer(footer);
  app.formatter(std::make_shared<HelpFormat>());
  app.set_help_all_flag("--help-all", "print all options and exit");
  RunTexts texts;
  RunCommand run;
  InspectCommand inspect;
  DemoCommand demo;
  add_demo(app, demo);
  add_run_options(*app.add_subcommand("run", "compute MODEL on the samples of INPUT and write OUTPUT")->footer(footer), run,
                  texts);
  add_inspect(app, inspect);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_now(app, error);
  }
  if (const std::string problem = misplaced_option(app); !problem.empty()) return usage_error(problem);
  if (app.got_subcommand("inspect")) return inspect;
  if (!app.got_subcommand("run")) return demo;
  if (const std::string problem = take_texts(texts, run); !problem.empty()) return usage_error(problem);
  run.command_line = command_line(std::span<char* const>(argv, static_cast<std::size_t>(argc)));
  return run;
}

}  // namespace parconv::app
