// SPDX-License-Identifier: Apache-2.0
#include "fuzz/model_pipeline.hpp"

#include <cstring>
#include <memory>

#include "parconv/engine/engine.hpp"
#include "parconv/engine/oracle.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/json/plan_json.hpp"
#include "parconv/io/memory_sink.hpp"
#include "parconv/io/memory_source.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/model/shape.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/program/explain.hpp"
#include "parconv/program/proof.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

/// Larger networks are checked but not computed.
constexpr index_t max_elems = index_t{1} << 18;
constexpr double max_flops = 3e7;

/// Communicator of a job with one rank: there are no peers.
class Alone final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage>, std::span<const ReceiveMessage>) override {
    throw Bug(concat("one rank prepares communication ", order));
  }
  void progress() override {}
  void poll() override {}
  std::string capture_problem() const override { return host_takes_part; }
  void barrier() override {}
};

bool is_number(const std::string& dim) { return !dim.empty() && dim.find_first_not_of("0123456789") == std::string::npos; }

/// Small random sizes for dimensions that the model leaves open.
ReadOptions options_for(const ModelSummary& summary, Random& random) {
  ReadOptions options;
  if (random.once_in(2)) options.batch = random.integer(1, 3);
  for (const TensorSummary& input : summary.inputs) {
    if (random.once_in(10)) continue;
    InputDims dims{.name = input.name};
    for (const std::string& dim : input.dims)
      dims.dims.push_back(is_number(dim) ? std::stoll(dim) : dims.dims.empty() ? random.integer(1, 3) : 4 * random.integer(2, 6));
    if (!dims.dims.empty()) options.inputs.push_back(std::move(dims));
  }
  return options;
}

bool is_small(const Network& network) {
  index_t elems = 0;
  for (const Value& value : network.values) {
    if (volume(value.extents) > max_elems) return false;
    elems += volume(value.extents);
  }
  double operations = 0;
  for (const Node& node : network.nodes) {
    const WorkRegion whole{Box::whole(network.value(node.output).extents), whole_contracted(network, node)};
    operations += flops(network, node, whole);
    elems += weight_bytes(network, node, whole) / static_cast<index_t>(sizeof(float));
    if (elems > max_elems) return false;
  }
  return operations <= max_flops;
}

Plan random_job_plan(const Network& network, Random& random) {
  const int ranks = static_cast<int>(random.integer(1, 4));
  if (random.once_in(3)) return make_plan(network, SplitPolicy::Auto, ranks);
  return random_plan(network, random, ranks, static_cast<int>(random.integer(1, 2)), true);
}

/// Round trip of a plan through its JSON file, as after a dry run.
void check_plan(const Network& network, Random& random) {
  const Plan plan = random_job_plan(network, random);
  const Plan again = plan_from_json(plan_to_json(plan, network), network);
  if (again != plan) throw Bug("a plan is not the same after it was written and read");
  CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off, .needs_dense = random.once_in(2)};
  const Layout layout = lay_out(network, plan, options);
  const std::vector<Program> programs = compile_all(network, layout);
  expect_proven(prove(network, programs, {.type = options.type}));
  explain(network, plan, layout, programs, {});
}

std::vector<MemorySource> sources_of(const Network& network, Random& random) {
  std::vector<MemorySource> sources;
  for (const ValueId id : network.inputs) {
    const Value& value = network.value(id);
    HostTensor tensor(Box::whole(value.extents));
    const std::vector<float> numbers = random.small_integers(volume(value.extents));
    std::memcpy(tensor.view().data, numbers.data(), numbers.size() * sizeof(float));
    sources.emplace_back(std::move(tensor), value.ndims);
  }
  return sources;
}

template <class Base, class Derived>
std::vector<Base*> pointers_to(std::vector<Derived>& objects) {
  std::vector<Base*> result;
  for (Derived& object : objects) result.push_back(&object);
  return result;
}

std::vector<MemorySink> run_alone(const RankPlan& job, std::vector<MemorySource>& sources, Backend& backend) {
  std::vector<MemorySink> sinks;
  for (const ValueId id : job.network.outputs) sinks.emplace_back(job.network.value(id).extents);
  Alone alone;
  Engine engine(job.network, job.program, alone, backend, {.read_filter = make_filter_reader()});
  engine.run({.sources = pointers_to<DataSource>(sources), .sinks = pointers_to<DataSink>(sinks)}, 1);
  return sinks;
}

std::vector<HostTensor> outputs_of_oracle(const Network& network, std::vector<MemorySource>& sources, Backend& backend) {
  std::vector<Box> wanted(network.values.size());
  for (const ValueId id : network.outputs) wanted[static_cast<std::size_t>(id)] = Box::whole(network.value(id).extents);
  return evaluate(network, {.sources = pointers_to<DataSource>(sources), .read_filter = make_filter_reader()}, wanted, backend);
}

void compute(const Network& network, Random& random) {
  const auto reference = make_reference_backend();
  const RankPlan job = make_rank_plan(network, make_plan(network, Split{}, 1), {}, 0);
  std::vector<MemorySource> sources = sources_of(network, random);
  const std::vector<MemorySink> sinks = run_alone(job, sources, *reference);
  const std::vector<HostTensor> expected = outputs_of_oracle(network, sources, *reference);
  for (std::size_t k = 0; k < sinks.size(); ++k) {
    const ValueId output = network.outputs[k];
    const auto bytes = static_cast<std::size_t>(volume(network.value(output).extents)) * sizeof(float);
    const std::byte* right = expected[static_cast<std::size_t>(output)].view().data;
    if (std::memcmp(sinks[k].tensor().view().data, right, bytes) != 0)
      throw Bug(concat("output '", network.value(output).name, "' differs from the oracle"));
  }
  run_alone(job, sources, *make_backend({}));
}

}  // namespace

Reached process_model(const std::string& path, Random& random) {
  const OnnxModel model(path);
  const ReadOptions options = options_for(summarize(model), random);
  const Network unfused = read_network(model, options);
  const Network network = fuse(unfused);
  validate(network);
  check_plan(network, random);
  if (!is_small(network)) return Reached::Checked;
  compute(network, random);
  return Reached::Computed;
}

}  // namespace parconv::test
