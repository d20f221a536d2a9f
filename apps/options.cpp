#include "options.hpp"

#include <CLI/CLI.hpp>
#include <span>

#include "parconv/core/error.hpp"
#include "versions.hpp"

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
    "\nExit codes: 0 ok, 2 usage, 65 bad data, model or plan, 66 input missing, 69 device or transport unavailable, 70 a mistake "
    "of\n"
    "parconv or a failed --verify, 71 out of memory, 73 cannot create the output, 74 I/O error, 76 communication failure or "
    "time-out,\n"
    "78 bad configuration.";

/// As a shell would need it to run it again.
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

void add_split_options(CLI::App& app, RunOptions& options) {
  CLI::Option* split =
      app.add_option("--split", options.split,
                     "how all layers are split: a product like h=2,w=2, f=4 or stages=2,h=2; axes n f c d h w stages "
                     "(batch filter channel spatial pipeline); a bare axis takes all ranks; auto: by a rule")
          ->capture_default_str();
  app.add_option("--plan", options.plan_file, "a split per layer, from a JSON file that --dry-run wrote")->excludes(split);
  CLI::Option* dry = app.add_flag("--dry-run", options.is_dry_run, "print what would be done, and write the plan");
  app.add_option("--ranks", options.ranks, "ranks of a --dry-run; any number, without mpirun")
      ->needs(dry)
      ->check(CLI::Range(1, 1000000));
  app.add_option("--plan-out", options.plan_out, "where --dry-run writes the plan (OUTPUT.plan.json)")->needs(dry);
  app.add_option("--batch", options.batch, "samples per step, the unit of progress (8 or less: see the documentation)")
      ->check(CLI::Range(index_t{1}, index_t{1} << 40));
  app.add_option("--micro-batch", options.micro_batch,
                 "samples computed at once; memory grows with it (the batch; with stages a quarter of it per stage)")
      ->check(CLI::Range(index_t{1}, index_t{1} << 40));
}

void add_machine_options(CLI::App& app, RunOptions& options) {
  app.add_option("--device", options.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--transport", options.transport, "auto, mpi, nccl or staged")
      ->check(CLI::IsMember({"auto", "mpi", "nccl", "staged"}))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads of a rank (the cores that it is bound to)")->check(CLI::Range(1, 4096));
  app.add_option("--dtype", options.dtype,
                 "what activations are kept and convolutions computed in: f32, bf16; tf32 and f16 on GPUs only")
      ->check(CLI::IsMember({"f32", "tf32", "bf16", "f16"}))
      ->capture_default_str();
  app.add_option("--reduce", options.reduce, "sums over channels: fast, or ordered for the same bits on any number of ranks")
      ->check(CLI::IsMember({"fast", "ordered"}))
      ->capture_default_str();
  app.add_option("--overlap", options.overlap, "compute while messages travel: auto (on with several hosts), on, off")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
}

void add_data_options(CLI::App& app, RunOptions& options) {
  app.add_option("--layout", options.layout,
                 "axes of the input, one letter each, such as NHWC or CDHW (attribute layout, or NCHW)");
  app.add_option("--scale", options.scale, "input elements are multiplied by this, then normalised: (x * scale - mean) / std")
      ->capture_default_str();
  app.add_option("--mean", options.mean, "one number, or one per channel: 0.485,0.456,0.406")->delimiter(',');
  app.add_option("--std", options.std, "one number, or one per channel")->delimiter(',');
}

void add_output_options(CLI::App& app, RunOptions& options) {
  app.add_flag(
      "--verify{sampled}", options.verify,
      "before the run, recompute sampled boxes of every layer (=full: all) of the first micro-batch with the reference; a "
      "difference above 1e-4 (bf16: 1/32) of a layer's largest value ends with 70");
  app.add_option("--timeout", options.timeout_seconds,
                 "seconds without progress after which the job ends with 76; 0 waits for ever. A run progresses with every layer")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  app.add_option("--report", options.report_file, "write what was measured: JSON lines, one for the run and one per layer");
  app.add_option("--trace", options.trace_file, "write the average micro-batch of every rank as a Chrome trace");
  app.add_flag("--force", options.replaces_output, "replace an existing output");
  CLI::Option* quiet = app.add_flag("-q,--quiet", options.is_quiet, "print errors only");
  app.add_flag("-v,--verbose", options.is_verbose, "print every layer, and every rank of a dry run")->excludes(quiet);
}

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "compute MODEL on the samples of INPUT and write OUTPUT");
  run->add_option("MODEL", options.model, "ONNX file")->required();
  run->add_option("INPUT", options.input, "HDF5 file, or FILE:/path/of/dataset")->required();
  run->add_option("OUTPUT", options.output, "HDF5 file to write")->required();
  add_split_options(*run, options);
  add_machine_options(*run, options);
  add_data_options(*run, options);
  add_output_options(*run, options);
  run->footer(footer);
}

/// What CLI11 would print for help, version and errors.
ExitNow exit_now(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream text;
  const int code = app.exit(error, text, text);
  return {.code = code == 0 ? 0 : static_cast<int>(ExitCode::Usage), .text = text.str()};
}

std::string usage_problem(const RunOptions& options) {
  if (!options.verify.empty() && options.verify != "sampled" && options.verify != "full")
    return concat("--verify=", options.verify, " has no meaning: use --verify or --verify=full");
  if (options.batch > 0 && options.micro_batch > 0 && options.batch % options.micro_batch != 0)
    return concat("--batch ", options.batch, " is not a multiple of --micro-batch ", options.micro_batch);
  return {};
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  CLI::App app{description, "parconv_app"};
  app.set_version_flag("--version", concat("parconv ", version(), " (", git_revision(), ", ", compiler(), ")"));
  app.require_subcommand(0, 1);
  app.footer(footer);
  RunOptions run;
  InspectOptions inspect;
  DemoOptions demo;
  app.add_option("--timeout", demo.timeout_seconds, "of the demonstration: seconds without progress after which it ends with 76")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  add_run(app, run);
  app.add_subcommand("inspect", "say what is in an ONNX model or an HDF5 file, and what of it can be used")
      ->add_option("FILE", inspect.file, "FILE.onnx or FILE.h5")
      ->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_now(app, error);
  }
  if (app.got_subcommand("inspect")) return inspect;
  if (!app.got_subcommand("run")) return demo;
  if (const std::string problem = usage_problem(run); !problem.empty())
    return ExitNow{.code = static_cast<int>(ExitCode::Usage),
                   .text = concat(problem, "\nRun with --help for more information.\n")};
  run.command = command_line(std::span<char* const>(argv, static_cast<std::size_t>(argc)));
  return run;
}

}  // namespace parconv::app
