#include "options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
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
  app.add_option("--batch", options.batch,
                 "samples that progress is told in, and that the micro-batch follows from (8 or less: see the documentation)")
      ->check(CLI::Range(index_t{1}, index_t{1} << 40));
  app.add_option("--micro-batch", options.micro_batch,
                 "samples computed at once; memory grows with it (the batch; with stages a quarter of it per stage)")
      ->check(CLI::Range(index_t{1}, index_t{1} << 40));
}

void add_device_options(CLI::App& app, DeviceOptions& options) {
  app.add_option("--device", options.device, "auto (GPUs where every rank has one of its own), cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--transport", options.transport,
                 "what moves data between ranks: mpi; between GPUs nccl, or staged, which is MPI through host memory; auto")
      ->check(CLI::IsMember({"auto", "mpi", "nccl", "staged"}))
      ->capture_default_str();
  app.add_flag("--share-gpu", options.shares_gpus, "let several ranks compute on one GPU");
  app.add_flag("--bind-report", options.reports_binding, "print host, device and cores of every rank");
}

void add_machine_options(CLI::App& app, RunOptions& options) {
  add_device_options(app, options.devices);
  app.add_option("--threads", options.threads, "threads of a rank (the cores that it is bound to)")->check(CLI::Range(1, 4096));
  app.add_option("--dtype", options.dtype,
                 "what activations are kept and convolutions computed in: f32, bf16; tf32 and f16 on GPUs only")
      ->check(CLI::IsMember({"f32", "tf32", "bf16", "f16"}))
      ->capture_default_str();
  app.add_option("--reduce", options.reduce, "sums over channels: fast, or ordered for the same bits on any number of ranks")
      ->check(CLI::IsMember({"fast", "ordered"}))
      ->capture_default_str();
  app.add_option("--graphs", options.graphs,
                 "launch the steady ticks of a run as CUDA graphs: auto (if it is more than 2 % faster, measured in the first "
                 "ticks), on (wherever they can be captured), off")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
  app.add_option("--engines", options.engines,
                 "what computes convolutions on GPUs: heuristic, what the library recommends; timed, the fastest, alike on all "
                 "ranks; exact, for comparing bits: only what sums small integers exactly")
      ->check(CLI::IsMember({"heuristic", "timed", "exact"}))
      ->capture_default_str();
  app.add_option("--engine-cache", options.engine_cache,
                 "file that keeps what --engines timed found; what it has is not timed again");
  app.add_option("--overlap", options.overlap, "compute while messages travel: auto (on with several hosts), on, off")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
}

/// Options of inputs as they are typed: VALUE or NAME=VALUE.
struct InputTexts {
  std::vector<std::string> files{};
  std::vector<std::string> layouts{};
  std::vector<std::string> scales{};
  std::vector<std::string> means{};
  std::vector<std::string> stds{};
};

void add_data_options(CLI::App& app, InputTexts& texts) {
  app.add_option("--input", texts.files, "NAME=FILE.h5 or NAME=FILE.h5:/path: the data of one input of a model that has several")
      ->allow_extra_args(false);
  app.add_option("--layout", texts.layouts,
                 "axes of the input, one letter each, such as NHWC or CDHW (attribute layout, or NCHW); this and what follows "
                 "is for the first input, or for another as NAME=NHWC")
      ->allow_extra_args(false);
  app.add_option("--scale", texts.scales, "input elements are multiplied by this (1), then normalised: (x * scale - mean) / std")
      ->allow_extra_args(false);
  app.add_option("--mean", texts.means, "one number, or one per channel: 0.485,0.456,0.406")->allow_extra_args(false);
  app.add_option("--std", texts.stds, "one number, or one per channel")->allow_extra_args(false);
}

[[noreturn]] void refuse_text(const char* option, const std::string& text, const char* expected) {
  throw Error(ExitCode::Usage, concat(option, " '", text, "' is not ", expected));
}

/// NAME=VALUE at the given place of '='; all VALUE where there is none.
ForInput<std::string> named_text(const std::string& text, std::size_t equals) {
  if (equals == std::string::npos) return {.value = text};
  return {.input = text.substr(0, equals), .value = text.substr(equals + 1)};
}

std::vector<ForInput<std::string>> input_files(const std::vector<std::string>& texts) {
  std::vector<ForInput<std::string>> files;
  for (const std::string& text : texts) {
    files.push_back(named_text(text, text.find('=')));
    if (files.back().input.empty() || files.back().value.empty()) refuse_text("--input", text, "NAME=FILE.h5");
  }
  return files;
}

std::vector<float> parse_numbers(const char* option, const std::string& text) {
  std::vector<float> numbers;
  for (const std::string& part : CLI::detail::split(text, ',')) {
    float number = 0;
    const auto [rest, status] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (status != std::errc{} || rest != part.data() + part.size()) refuse_text(option, text, "a list of numbers");
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<ForInput<std::string>> named_texts(const std::vector<std::string>& texts) {
  std::vector<ForInput<std::string>> result;
  for (const std::string& text : texts) result.push_back(named_text(text, text.rfind('=')));
  return result;
}

std::vector<ForInput<std::vector<float>>> number_lists(const char* option, const std::vector<std::string>& texts) {
  std::vector<ForInput<std::vector<float>>> result;
  for (const ForInput<std::string>& each : named_texts(texts)) result.push_back({each.input, parse_numbers(option, each.value)});
  return result;
}

std::vector<ForInput<float>> numbers(const char* option, const std::vector<std::string>& texts) {
  std::vector<ForInput<float>> result;
  for (const ForInput<std::vector<float>>& each : number_lists(option, texts)) {
    if (each.value.size() != 1) refuse_text(option, concat(each.value.size(), " numbers"), "one number");
    result.push_back({each.input, each.value.front()});
  }
  return result;
}

void take_inputs(const InputTexts& texts, RunOptions& options) {
  options.input_files = input_files(texts.files);
  options.layouts = named_texts(texts.layouts);
  options.scales = numbers("--scale", texts.scales);
  options.means = number_lists("--mean", texts.means);
  options.stds = number_lists("--std", texts.stds);
  // With --input for every input there are two files: MODEL OUTPUT.
  if (options.output.empty() && !options.input_files.empty()) options.output.swap(options.input);
  if (options.output.empty()) throw Error(ExitCode::Usage, "OUTPUT is required");
}

void add_output_options(CLI::App& app, RunOptions& options) {
  app.add_flag(
      "--verify{sampled}", options.verify,
      "before the run, recompute sampled boxes of every layer (=full: all) of the first micro-batch with the reference; a "
      "difference above 1e-4 (bf16 and tf32: 1/32, f16: 1/256) of a layer's largest value ends with 70");
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

void add_run(CLI::App& app, RunOptions& options, InputTexts& texts) {
  CLI::App* run = app.add_subcommand("run", "compute MODEL on the samples of INPUT and write OUTPUT");
  run->add_option("MODEL", options.model, "ONNX file")->required();
  run->add_option("INPUT", options.input,
                  "HDF5 file, or FILE:/path/of/dataset; left out if --input gives the data of every input")
      ->required();
  run->add_option("OUTPUT", options.output, "HDF5 file to write");
  add_split_options(*run, options);
  add_machine_options(*run, options);
  add_data_options(*run, texts);
  add_output_options(*run, options);
  run->footer(footer);
}

/// The options of the program without a subcommand.
void add_demo(CLI::App& app, DemoOptions& options) {
  app.add_option("--timeout", options.timeout_seconds, "seconds without progress after which the demonstration ends with 76")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  add_device_options(app, options.devices);
}

/// An option of the demonstration that was given together with a subcommand, for which it would have no meaning.
std::string misplaced_option(const CLI::App& app) {
  if (app.get_subcommands().empty()) return {};
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0)
      return concat(option->get_name(), " before '", app.get_subcommands().front()->get_name(),
                    "' is an option of the demonstration: options of a command come behind it");
  return {};
}

/// What CLI11 would print for help, version and errors.
ExitNow exit_now(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream text;
  const int code = app.exit(error, text, text);
  return {.code = code == 0 ? 0 : static_cast<int>(ExitCode::Usage), .text = text.str()};
}

ExitNow usage_error(const std::string& problem) {
  return {.code = static_cast<int>(ExitCode::Usage), .text = concat(problem, "\nRun with --help for more information.\n")};
}

std::string usage_problem(const InputTexts& texts, RunOptions& options) {
  try {
    take_inputs(texts, options);
  } catch (const Error& error) {
    return error.what();
  }
  if (!options.verify.empty() && options.verify != "sampled" && options.verify != "full")
    return concat("--verify=", options.verify, " has no meaning: use --verify or --verify=full");
  if (!options.engine_cache.empty() && options.engines != "timed") return "--engine-cache is for --engines timed";
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
  InputTexts texts;
  InspectOptions inspect;
  DemoOptions demo;
  add_demo(app, demo);
  add_run(app, run, texts);
  app.add_subcommand("inspect", "say what is in an ONNX model or an HDF5 file, and what of it can be used")
      ->add_option("FILE", inspect.file, "FILE.onnx or FILE.h5")
      ->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_now(app, error);
  }
  if (const std::string problem = misplaced_option(app); !problem.empty()) return usage_error(problem);
  if (app.got_subcommand("inspect")) return inspect;
  if (!app.got_subcommand("run")) return demo;
  if (const std::string problem = usage_problem(texts, run); !problem.empty()) return usage_error(problem);
  run.command = command_line(std::span<char* const>(argv, static_cast<std::size_t>(argc)));
  return run;
}

}  // namespace parconv::app
