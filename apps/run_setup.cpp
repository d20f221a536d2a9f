#include "run_setup.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "parconv/core/error.hpp"
#include "parconv/engine/job.hpp"
#include "parconv/io/onnx_reader.hpp"
#include "parconv/io/plan_json.hpp"
#include "parconv/model/shape.hpp"
#include "parconv/plan/split.hpp"

namespace parconv::app {
namespace {

constexpr index_t default_batch = 8;
constexpr index_t max_input_elems = index_t{1} << 26;  // 256 MiB of f32

Network read_fused(const OnnxModel& model, const Inputs& inputs, index_t samples) {
  return fuse(read_network(model, {.inputs = inputs.dims(samples), .batch = samples}));
}

Split chosen_split(const RunOptions& options, const Inputs& inputs, int ranks) {
  if (!options.plan_file.empty()) return Split{.is_auto = true};
  return parse_split(options.split, ranks, std::clamp(inputs.ndims() - 2, 0, 3));
}

Plan chosen_plan(const RunOptions& options, const Network& network, const Split& split, int ranks) {
  if (options.plan_file.empty()) return make_plan(network, split, ranks);
  Plan plan = plan_from_json(read_text_file(options.plan_file), network);
  if (plan.num_ranks != ranks)
    throw Error(ExitCode::Usage,
                concat("the plan ", options.plan_file, " is for ", plan.num_ranks, " ranks, but the job has ", ranks),
                concat("Start ", plan.num_ranks, " ranks, or write a plan for ", ranks, " with --dry-run --ranks ", ranks, "."));
  return plan;
}

bool grows_with_samples(const RunSetup& setup, ValueId output) {
  return setup.network.value(output).extents[Axis::N] == setup.blocks.micro_batch;
}

std::string file_name_part(const std::string& name) {
  std::string result;
  for (char c : name) result += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  return result;
}

}  // namespace

Precision precision_of(const RunOptions& options) {
  if (options.dtype == "bf16") return {.activations = DType::BF16};
  if (options.dtype == "f16") return {.activations = DType::F16};
  if (options.dtype == "tf32") return {.products = F32Products::Tf32};
  return {};
}

void require_available(const RunOptions& options, const Placement& placement) {
  const Precision precision = precision_of(options);
  const bool needs_gpu = precision.activations == DType::F16 || precision.products == F32Products::Tf32;
  if (!needs_gpu || placement.device == DeviceKind::Gpu) return;
  throw Error(ExitCode::Unavailable,
              concat("--dtype ", options.dtype, " is for GPUs, but the job computes on CPUs",
                     placement.remark.empty() ? "" : ": ", placement.remark),
              "Use --dtype f32 or bf16, or start the job where every rank finds a GPU.");
}

double allowed_difference(const Precision& precision) {
  if (precision.activations == DType::BF16) return 0x1p-5;
  if (precision.activations == DType::F16) return 0x1p-8;
  return precision.products == F32Products::Tf32 ? 0x1p-5 : 1e-4;
}

Blocks choose_blocks(const RunOptions& options, const DataSize& data, const Split& split, int ranks) {
  Blocks blocks{.samples = data.samples};
  const index_t fitting = std::max<index_t>(1, max_input_elems / std::max<index_t>(1, data.elems_per_sample));
  const index_t parts = split.is_auto ? 1 : split.parts[GridAxis::N];
  const index_t wanted = split.is_auto ? std::max<index_t>(default_batch, ranks) : default_batch;
  blocks.batch = std::max(parts, std::min(wanted, fitting));
  if (options.micro_batch > 0)
    blocks.batch = std::max(options.micro_batch, blocks.batch / options.micro_batch * options.micro_batch);
  if (options.batch > 0) blocks.batch = options.batch;
  blocks.batch = std::clamp<index_t>(blocks.batch, 1, blocks.samples);
  blocks.micro_batch = blocks.batch;
  if (split.stages > 1)
    blocks.micro_batch = std::clamp(blocks.batch / (4 * split.stages), std::min(parts, blocks.batch), blocks.batch);
  if (options.micro_batch > 0) blocks.micro_batch = std::min(options.micro_batch, blocks.batch);
  blocks.batch = blocks.batch / blocks.micro_batch * blocks.micro_batch;
  return blocks;
}

RunSetup set_up(const RunOptions& options, const OnnxModel& model, const Inputs& inputs, int ranks) {
  const Split split = chosen_split(options, inputs, ranks);
  RunSetup setup{.blocks = choose_blocks(options, inputs.size(), split, ranks)};
  setup.split = options.plan_file.empty() ? to_string(split) : concat("plan ", options.plan_file);
  setup.network = read_fused(model, inputs, setup.blocks.micro_batch);
  setup.plan = chosen_plan(options, setup.network, split, ranks);
  return setup;
}

Extents output_extents(const RunSetup& setup, ValueId output) {
  const Value& value = setup.network.value(output);
  Extents extents = value.extents;
  if (grows_with_samples(setup, output))
    extents[Axis::N] = setup.blocks.samples;
  else if (setup.blocks.samples != setup.blocks.micro_batch)
    throw Error(ExitCode::BadData,
                concat("output '", value.name, "' has the shape ", to_string(value.extents), " for ", setup.blocks.micro_batch,
                       " samples: it mixes samples, so they cannot be computed in several micro-batches"),
                concat("Use --batch ", setup.blocks.samples, " --micro-batch ", setup.blocks.samples, "."));
  return extents;
}

GraphUse use_of_graphs(const RunOptions& options) {
  if (options.graphs == "off") return GraphUse::Off;
  return options.graphs == "on" ? GraphUse::On : GraphUse::Auto;
}

Overlap overlap_of(const RunOptions& options, bool has_several_hosts) {
  const bool overlaps = options.overlap == "on" || (options.overlap == "auto" && has_several_hosts);
  return overlaps ? Overlap::On : Overlap::Off;
}

CompileOptions compile_options(const RunOptions& options, const RunSetup& setup, const Backend& backend, bool has_several_hosts) {
  const ValueId output = setup.network.outputs.front();
  return {.reduce = options.reduce == "ordered" ? ReduceMode::Ordered : ReduceMode::Fast,
          .overlap = overlap_of(options, has_several_hosts),
          .store = {.kind = StoreKind::Chunks,
                    .chunk = output_chunk(output_extents(setup, output), setup.network.value(output).ndims)},
          .needs_dense = backend.memory_rules().needs_dense,
          .type = precision_of(options).activations};
}

std::string output_path(const RunOptions& options, const Network& network, std::size_t output) {
  if (output == 0) return options.output;
  std::filesystem::path path(options.output);
  const std::string extension = path.extension().string();
  path.replace_extension();
  return concat(path.string(), ".", file_name_part(network.value(network.outputs[output]).name),
                extension.empty() ? ".h5" : extension);
}

std::string read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    throw Error(ExitCode::InputMissing, concat("cannot read ", path), "Check the path and the permissions.");
  return text.str();
}

void write_text_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) throw Error(ExitCode::CannotCreate, concat("cannot create ", path), "Check the folder and its permissions.");
  file << text;
  file.close();
  if (!file) throw Error(ExitCode::Io, concat("cannot write ", path), "Check the free space of the disk.");
}

}  // namespace parconv::app
