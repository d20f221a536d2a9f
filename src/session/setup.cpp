// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/setup.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "parconv/core/error.hpp"
#include "parconv/io/json/plan_json.hpp"
#include "parconv/io/text_files.hpp"
#include "parconv/model/shape.hpp"
#include "parconv/plan/split.hpp"

namespace parconv {
namespace {

constexpr index_t default_batch = 8;
constexpr index_t max_input_elems = index_t{1} << 26;  // 256 MiB of f32

bool has_plan(const Request& request) { return request.plan || !request.plan_file.empty(); }

SplitRequest chosen_split(const Request& request, const Workload& workload, int ranks) {
  if (has_plan(request)) return SplitPolicy::Auto;
  return parse_split(request.split, ranks, std::clamp(workload.sources.front()->ndims() - 2, 0, 3));
}

/// Reads the plan when it is called, since nodes are named in the network.
Partitioner json_partitioner(const std::string& json, const std::string& name) {
  return [json, name](const Network& network, int ranks) {
    const Plan plan = plan_from_json(json, network);
    if (plan.num_ranks != ranks)
      throw Error(
          ExitCode::Usage, concat("the plan ", name, " is for ", plan.num_ranks, " ranks, but the job has ", ranks),
          concat("Start ", plan.num_ranks, " ranks, or write a plan for ", ranks, " with --dry-run --ranks ", ranks, "."));
    return plan_partitioner(plan)(network, ranks);
  };
}

Partitioner chosen_partitioner(const Request& request, const SplitRequest& split) {
  if (request.plan) return plan_partitioner(*request.plan);
  if (request.plan_file.empty()) return partitioner_of(split);
  return json_partitioner(read_text_file(request.plan_file), request.plan_file);
}

constexpr auto automatic_split = "auto";

bool leaves_plan_open(const Request& request) { return !has_plan(request) && request.split == automatic_split; }

Setup with_partitioner(Setup setup, const Partitioner& partitioner, const Workload& workload, const Request& request, int ranks) {
  setup.network = workload.network(setup.blocks.micro_batch);
  set_leaf_rule(setup.network, request.reduce);
  setup.plan = make_plan(setup.network, partitioner, ranks);
  return setup;
}

/// The setup of the earlier job; nullopt if its plan is for another network or number of ranks.
std::optional<Setup> recorded_setup(Request request, const Workload& workload, int ranks) {
  const RecordedPlan& plan = request.recorded_plan.value();
  if (request.batch == 0) request.batch = plan.batch;
  if (request.micro_batch == 0) request.micro_batch = plan.micro_batch;
  try {
    return with_partitioner(
        {.blocks = choose_blocks(request, size_of(workload), SplitPolicy::Auto, ranks), .split = "as recorded"},
        json_partitioner(plan.json, "of the record"), workload, request, ranks);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string name_of_partition(const Request& request, const SplitRequest& split) {
  if (request.plan) return "plan";
  return request.plan_file.empty() ? to_string(split) : concat("plan ", request.plan_file);
}

bool grows_with_samples(const Setup& setup, ValueId output) {
  return setup.network.value(output).extents[Axis::N] == setup.blocks.micro_batch;
}

std::string file_name_part(const std::string& name) {
  std::string result;
  for (char c : name) result += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  return result;
}

/// The names of all outputs as parts of file names; a part that is taken gets a number: "a/b" and "a_b" are a_b and a_b.2.
std::vector<std::string> unique_parts(const Network& network) {
  std::vector<std::string> parts;
  for (const ValueId output : network.outputs) {
    const std::string wanted = file_name_part(network.value(output).name);
    std::string part = wanted;
    for (int number = 2; std::find(parts.begin(), parts.end(), part) != parts.end(); ++number) part = concat(wanted, ".", number);
    parts.push_back(part);
  }
  return parts;
}

}  // namespace

Blocks choose_blocks(const Request& request, const DataSize& data, const SplitRequest& split_request, int ranks) {
  const bool is_given = std::holds_alternative<Split>(split_request);
  const Split split = is_given ? std::get<Split>(split_request) : Split{};
  Blocks blocks{.samples = data.samples};
  const index_t fitting = std::max<index_t>(1, max_input_elems / std::max<index_t>(1, data.elems_per_sample));
  const index_t parts = split.parts[GridAxis::N];
  const index_t wanted = is_given ? default_batch : std::max<index_t>(default_batch, ranks);
  blocks.batch = std::max(parts, std::min(wanted, fitting));
  if (request.micro_batch > 0)
    blocks.batch = std::max(request.micro_batch, blocks.batch / request.micro_batch * request.micro_batch);
  if (request.batch > 0) blocks.batch = request.batch;
  blocks.batch = std::clamp<index_t>(blocks.batch, 1, blocks.samples);
  blocks.micro_batch = blocks.batch;
  if (split.stages > 1)
    blocks.micro_batch = std::clamp(blocks.batch / (index_t{4} * split.stages), std::min(parts, blocks.batch), blocks.batch);
  if (request.micro_batch > 0) blocks.micro_batch = std::min(request.micro_batch, blocks.batch);
  blocks.batch = blocks.batch / blocks.micro_batch * blocks.micro_batch;
  return blocks;
}

Setup set_up(const Request& request, const Workload& workload, int ranks) {
  if (request.recorded_plan && leaves_plan_open(request))
    if (std::optional<Setup> setup = recorded_setup(request, workload, ranks)) return *std::move(setup);
  const SplitRequest split = chosen_split(request, workload, ranks);
  return with_partitioner(
      {.blocks = choose_blocks(request, size_of(workload), split, ranks), .split = name_of_partition(request, split)},
      chosen_partitioner(request, split), workload, request, ranks);
}

Extents output_extents(const Setup& setup, ValueId output) {
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

std::string output_path(const std::string& file, const Network& network, std::size_t output) {
  if (output == 0) return file;
  std::filesystem::path path(file);
  const std::string extension = path.extension().string();
  path.replace_extension();
  return concat(path.string(), ".", unique_parts(network)[output], extension.empty() ? ".h5" : extension);
}

}  // namespace parconv
