// SPDX-License-Identifier: Apache-2.0
#include "run_options.hpp"

#include "choice_option.hpp"
#include "help_format.hpp"
#include "parconv/core/error.hpp"

namespace parconv::app {
namespace {

void add_files(CLI::App& app, Request& request) {
  app.add_option("MODEL", request.model, "ONNX file")->required();
  app.add_option("INPUT", request.inputs.file,
                 "HDF5 file, or FILE:/path/of/dataset; left out if --input gives the data of every input")
      ->required();
  app.add_option("OUTPUT", request.output_file, "HDF5 file to write");
}

void add_split_options(CLI::App& app, RunCommand& command) {
  Request& request = command.request;
  CLI::Option* split =
      app.add_option("--split", request.split,
                     "how all layers are split: a product like h=2,w=2, f=4 or stages=2,h=2; axes n f c d h w stages "
                     "(batch filter channel spatial pipeline); a bare axis takes all ranks; auto: by a rule")
          ->capture_default_str();
  app.add_option("--plan", request.plan_file, "a split per layer, from a JSON file that --dry-run wrote")->excludes(split);
  CLI::Option* dry = app.add_flag("--dry-run", command.is_dry_run, "print what a run would do, and write the plan");
  app.add_option("--ranks", command.dry_run.ranks, "ranks of a --dry-run; any number, without mpirun")
      ->needs(dry)
      ->check(CLI::Range(1, 1000000));
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->needs(dry)->group(option_group::dry_run);
  };
  add("--hosts", command.dry_run.hosts, "hosts that the ranks of a --dry-run lie on, in blocks (those of the job, or 1)")
      ->check(CLI::Range(1, 1000000));
  add("--gpu", command.dry_run.gpu, "GPU of every rank of a --dry-run, none needed here: H200, A100-80GB, ...");
  add("--plan-out", command.dry_run.plan_file, "where --dry-run writes the plan (OUTPUT.plan.json)");
}

void add_sample_options(CLI::App& app, Request& request) {
  const CLI::Range positive(index_t{1}, index_t{1} << 40);
  app.add_option("--batch", request.batch,
                 "samples of a step of progress, which the default of --micro-batch follows from (8 or less: see the "
                 "documentation)")
      ->check(positive)
      ->group(option_group::samples);
  app.add_option("--micro-batch", request.micro_batch,
                 "samples computed at once; memory grows with it (the batch; with stages a quarter of it per stage)")
      ->check(positive)
      ->group(option_group::samples);
}

void add_common_numerics(CLI::App& app, Request& request) {
  add_choice(app, "--dtype", request.numerics, "type of activations and convolutions: f32, bf16, f16; tf32 on GPUs only");
  app.add_option("--threads", request.threads, "threads of a rank (the cores that it is bound to)")->check(CLI::Range(1, 4096));
}

void add_numerics(CLI::App& app, Request& request) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    add_choice(app, name, value, help)->group(option_group::numerics);
  };
  app.add_option("--backend", request.backend,
                 "kernels of convolutions and other layers: auto (cpu, or cudnn on GPUs), cpu (ours, whose every bit "
                 "docs/arithmetic.md defines), reference (plain loops with the same bits), onednn, cudnn")
      ->capture_default_str()
      ->group(option_group::numerics);
  add("--reduce", request.reduce,
      "leaves of sums over channels: fast (up to 8 a layer), or ordered (up to 64, so that more ranks along c keep the bits of "
      "one)");
  add("--overlap", request.overlap, "compute while messages travel: auto (on with several hosts), on, off");
  add("--graphs", request.graphs,
      "launch the steady ticks of a run as CUDA graphs: auto (if it is more than 2 % faster, measured in the first ticks), on "
      "(wherever they can be captured), off");
  add("--conv-algorithms", request.conv_algorithms,
      "convolutions on GPUs: heuristic, as the library recommends; timed, the fastest, alike on all ranks; exact, for comparing "
      "bits: only algorithms that sum small integers exactly");
  app.add_option("--conv-algorithm-cache", request.conv_algorithm_cache,
                 "file that keeps the results of --conv-algorithms timed; calls in it are not timed again")
      ->group(option_group::numerics);
}

/// Names of former versions.
void add_former_names(CLI::App& app, Request& request) {
  add_choice(app, "--engines", request.conv_algorithms, "--conv-algorithms")->group(option_group::former);
  app.add_option("--engine-cache", request.conv_algorithm_cache, "--conv-algorithm-cache")->group(option_group::former);
}

void add_output_options(CLI::App& app, RunCommand& command, RunTexts& texts) {
  app.add_flag("--verify{sampled}", texts.verify,
               "first recompute sampled boxes of every layer (=full: all) of the first micro-batch with the reference; other "
               "bits of --backend cpu, or a difference of other backends above a tolerance, end with 70");
  app.add_option("--report", command.report_file, "write the measurements: JSON lines, one for the run and one per layer");
  add_choice(app, "--output-dtype", command.request.output_type,
             "type of stored elements: f32, f16, bf16, u8, i16; rounded to nearest even, integers saturate")
      ->group(option_group::data);
  app.add_flag("--force", command.request.replaces_output, "replace an existing output");
  CLI::Option* quiet = app.add_flag("-q,--quiet", texts.is_quiet, "print errors only");
  app.add_flag("-v,--verbose", texts.is_verbose, "print every layer, and every rank of a dry run")->excludes(quiet);
  app.add_option("--timeout", command.timeout_seconds,
                 "seconds without progress after which the job ends with 76; 0: no deadline. Every layer is progress")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str()
      ->group(option_group::output);
  app.add_option("--trace", command.trace_file, "write the average micro-batch of every rank as a Chrome trace")
      ->group(option_group::output);
}

void add_resume_options(CLI::App& app, RunCommand& command) {
  CLI::Option* resume =
      app.add_flag("--resume", command.resumes,
                   "go on with an unfinished output of the same job; begin if there is none, end with 0 if it is "
                   "complete")
          ->group(option_group::resume);
  app.add_flag("--discard-partial", command.discards_partial, "first remove unfinished outputs whose jobs are certainly dead")
      ->excludes(resume)
      ->group(option_group::resume);
  app.add_option("--max-time", command.max_seconds,
                 "seconds after which the run ends with 75, resumable, as after SIGUSR1 and when OUTPUT.stop appears")
      ->check(CLI::Range(0.0, 1e9))
      ->group(option_group::resume);
  app.add_option("--checkpoint-interval", command.record_seconds,
                 "seconds between records of the progress, which --resume needs after a kill; 0: only at a stop and at the end")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str()
      ->group(option_group::resume);
}

/// With --input for every input, only two positional files remain: MODEL OUTPUT.
void take_files(Request& request) {
  if (request.output_file.empty() && !request.inputs.files.empty()) request.output_file.swap(request.inputs.file);
  if (request.output_file.empty()) throw Error(ExitCode::Usage, "OUTPUT is required");
}

void take_verify(const std::string& text, RunCommand& command) {
  if (text.empty()) return;
  command.verify = choice_named<VerifyExtent>(text);
  if (!command.verify) throw Error(ExitCode::Usage, concat("--verify=", text, " is unknown: use --verify or --verify=full"));
}

void require_consistent(const Request& request) {
  if (!request.conv_algorithm_cache.empty() && request.conv_algorithms != ConvAlgorithmChoice::Timed)
    throw Error(ExitCode::Usage, "--conv-algorithm-cache requires --conv-algorithms timed (formerly --engines timed)");
  if (request.batch > 0 && request.micro_batch > 0 && request.batch % request.micro_batch != 0)
    throw Error(ExitCode::Usage, concat("--batch ", request.batch, " is not a multiple of --micro-batch ", request.micro_batch));
}

}  // namespace

void add_device_options(CLI::App& app, DeviceRequest& devices) {
  add_choice(app, "--device", devices.device, "auto (GPUs where every rank has one of its own), cpu or cuda");
}

void add_placement_options(CLI::App& app, const PlacementOptions& options) {
  add_choice(app, "--transport", options.devices.transport,
             "what moves data between ranks: mpi; between GPUs nccl, or staged, which is MPI through host memory; auto")
      ->group(option_group::devices);
  app.add_flag("--share-gpu", options.devices.shares_gpus, "let several ranks compute on one GPU")->group(option_group::devices);
  app.add_flag("--bind-report", options.reports_binding, "print host, device and cores of every rank")
      ->group(option_group::devices);
}

void add_run_options(CLI::App& app, RunCommand& command, RunTexts& texts) {
  Request& request = command.request;
  request.graphs = GraphUse::Auto;
  request.store = StoreKind::Chunks;
  add_files(app, request);
  add_split_options(app, command);
  add_device_options(app, request.devices);
  add_common_numerics(app, request);
  add_sample_options(app, request);
  add_input_options(app, texts.inputs);
  add_output_options(app, command, texts);
  add_resume_options(app, command);
  add_placement_options(app, {request.devices, command.reports_binding});
  add_numerics(app, request);
  add_former_names(app, request);
}

std::string take_texts(const RunTexts& texts, RunCommand& command) {
  try {
    parse_inputs(texts.inputs, command.request.inputs);
    take_files(command.request);
    take_verify(texts.verify, command);
    require_consistent(command.request);
  } catch (const Error& error) {
    return error.what();
  }
  if (texts.is_quiet) command.verbosity = Verbosity::Quiet;
  if (texts.is_verbose) command.verbosity = Verbosity::Verbose;
  return {};
}

}  // namespace parconv::app
