// The command line.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv::app {

/// A value of the command line for one input of the model; without a name for the first.
template <class Value>
struct ForInput {
  std::string input{};  ///< empty if --input gives all data
  Value value{};
};

/// What ranks compute on, and what moves data between them.
struct DeviceOptions {
  std::string device = "auto";
  std::string transport = "auto";
  bool shares_gpus = false;
  bool reports_binding = false;
};

struct RunOptions {
  std::string command{};  ///< the whole command line
  std::string model{};
  std::string input{};
  std::string output{};
  std::string split = "auto";
  std::string plan_file{};
  bool is_dry_run = false;
  std::string plan_out{};
  int ranks = 0;            ///< for a dry run; 0: those of the job
  index_t batch = 0;        ///< 0: chosen
  index_t micro_batch = 0;  ///< 0: chosen
  DeviceOptions devices{};
  int threads = 0;  ///< 0: the cores that a rank is bound to
  std::string dtype = "f32";
  std::string reduce = "fast";
  std::string overlap = "auto";
  std::string graphs = "auto";
  std::string engines = "heuristic";
  std::string engine_cache{};  ///< empty: none
  std::vector<ForInput<std::string>> input_files{};
  std::vector<ForInput<std::string>> layouts{};
  std::vector<ForInput<float>> scales{};
  std::vector<ForInput<std::vector<float>>> means{};
  std::vector<ForInput<std::vector<float>>> stds{};
  std::string verify{};  ///< "", "sampled" or "full"
  double timeout_seconds = 600;
  std::string report_file{};
  std::string trace_file{};
  bool replaces_output = false;
  bool is_quiet = false;
  bool is_verbose = false;
};

struct InspectOptions {
  std::string file{};
};

struct DemoOptions {
  DeviceOptions devices{};
  double timeout_seconds = 120;
};

/// Nothing to do but to print `text` once and end with `code`.
struct ExitNow {
  int code = 0;
  std::string text{};
};

using Command = std::variant<DemoOptions, RunOptions, InspectOptions, ExitNow>;

/// Reads the command line; does not print, exit or throw for what a user may type.
Command parse_command_line(int argc, char** argv);

}  // namespace parconv::app
