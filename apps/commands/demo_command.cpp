// SPDX-License-Identifier: Apache-2.0
// parconv_app without a subcommand: every split on the ranks of the job, checked against the reference.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "commands.hpp"
#include "demo_network.hpp"
#include "parconv/core/units.hpp"
#include "parconv/io/memory_sink.hpp"
#include "parconv/io/memory_source.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/session/machine.hpp"
#include "parconv/session/numerics.hpp"
#include "parconv/session/session.hpp"
#include "parconv/session/verification.hpp"
#include "versions.hpp"
#include "wrong_source.hpp"

namespace parconv::app {
namespace {

constexpr int num_timed_runs = 5;
constexpr index_t batch = 8;

/// One split, or the reason for skipping it.
struct DemoCase {
  std::string name{};
  std::string split{};
  std::string meaning{};
  index_t micro_batch = batch;
  std::string skipped{};
};

/// The factor of `ranks` closest to its square root from below; 1 for primes.
int middle_factor(int ranks) {
  int factor = 1;
  for (int k = 2; k <= ranks / k; ++k)
    if (ranks % k == 0) factor = k;
  return factor;
}

std::string why_no_product(int ranks) {
  return ranks == 1 ? "needs several ranks" : fmt::format("needs a composite number of ranks, {} is prime", ranks);
}

std::vector<DemoCase> demo_cases(int ranks, int num_layers) {
  const int small = middle_factor(ranks);
  const int large = ranks / small;
  std::vector<DemoCase> cases{{"none", "1", "everything on rank 0"},
                              {"batch", fmt::format("n={}", ranks), "samples"},
                              {"rows", fmt::format("h={}", ranks), "rows of each image"},
                              {"columns", fmt::format("w={}", ranks), "columns of each image"},
                              {"grid", fmt::format("h={},w={}", large, small), "rows and columns"},
                              {"filter", fmt::format("f={}", ranks), "output channels"},
                              {"channel", fmt::format("c={}", ranks), "input channels"},
                              {"pipeline", fmt::format("stages={}", ranks), "layers", 1},
                              {"hybrid", fmt::format("stages={},h={}", small, large), "layers, and rows", 1}};
  for (DemoCase& each : cases) {
    const bool is_product = each.name == "grid" || each.name == "hybrid";
    if (is_product && small == 1) each.skipped = why_no_product(ranks);
    if (each.name == "pipeline" && ranks > num_layers)
      each.skipped = fmt::format("needs at most one rank per layer, {} ranks are more than {} layers", ranks, num_layers);
    if (ranks == 1 && each.name != "none") each.skipped = "needs several ranks";
  }
  return cases;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double total_flops(const Network& network) {
  return std::accumulate(network.nodes.begin(), network.nodes.end(), 0.0, [&](double sum, const Node& node) {
    return sum + flops(network, node, {Box::whole(network.value(node.output).extents), whole_contracted(network, node)});
  });
}

struct DemoResult {
  double seconds = 0;       ///< of a batch
  index_t moved_bytes = 0;  ///< by all ranks per micro-batch
  double difference = 0;
  std::string worst_layer{};
};

class Demonstration {
 public:
  Demonstration(LaunchedJob& job, const DemoCommand& command)
      : launched_(job),
        job_(job.context()),
        command_(command),
        device_(job_, command.devices),
        threads_(default_threads(job_.control())),
        images_(demo_images(batch)) {}

  /// Returns false if a result is wrong.
  bool run() {
    const Network network = demo_network(batch);
    introduce(network);
    show_devices();
    show_header();
    int num_passed = 0;
    int num_failed = 0;
    for (const DemoCase& each : demo_cases(job_.size(), static_cast<int>(network.nodes.size()))) {
      if (!each.skipped.empty()) {
        say(fmt::format("  {:<9} {:<13} skipped: {}\n", each.name, each.split, each.skipped));
        continue;
      }
      const DemoResult result = measure(each);
      const bool is_right = result.difference <= allowed_difference({});
      (is_right ? num_passed : num_failed) += 1;
      say(fmt::format("  {:<9} {:<13} {:<22} {:>10} {:>11} {:>12.1e}  {}\n", each.name, each.split, each.meaning,
                      format_seconds(result.seconds), format_bytes(result.moved_bytes), result.difference,
                      is_right ? "ok" : fmt::format("WRONG in '{}'", result.worst_layer)));
    }
    conclude(num_passed, num_failed);
    return num_failed == 0;
  }

 private:
  void say(const std::string& text) const {
    if (!job_.is_root()) return;
    fmt::print("{}", text);
    std::fflush(stdout);
  }

  void introduce(const Network& network) {
    const int ranks = job_.size();
    const int hosts = num_hosts(job_.control());
    const Extents& in = network.value(network.inputs.front()).extents;
    say(fmt::format("parconv {} ({}): one network over {} rank{}, split in every way\n\n", version(), git_revision(), ranks,
                    ranks == 1 ? "" : "s"));
    say(fmt::format("  machine   {}, {} core{} a host\n", cpu_name(), num_cores(), num_cores() == 1 ? "" : "s"));
    say(fmt::format("  job       {} rank{} on {} host{} ({}), {} thread{} a rank\n", ranks, ranks == 1 ? "" : "s", hosts,
                    hosts == 1 ? "" : "s", job_.control().host_name(), threads_, threads_ == 1 ? "" : "s"));
    say(fmt::format("  backend   {}, messages by {}\n", backend_name(), name_of(device_.placement().transport)));
    if (device_.device() != nullptr) say(fmt::format("  device    {}\n", gpus_text()));
    say(fmt::format("  network   {} layers (residual, concatenation, pooling, softmax), {} images of {}x{}x{}, {}FLOP\n\n",
                    network.nodes.size(), in[Axis::N], in[Axis::C], in[Axis::H], in[Axis::W],
                    format_count(total_flops(network))));
  }

  std::string gpus_text() const {
    const int ranks = device_.placement().max_ranks_per_gpu;
    return device_.name() + (ranks > 1 ? fmt::format(", up to {} ranks on one GPU", ranks) : ", a GPU for each rank");
  }

  /// Prints why the job computes on CPUs despite GPUs, and --bind-report.
  void show_devices() {
    const std::string report = command_.reports_binding ? device_.bind_report() : std::string();
    if (device_.has_unused_gpus() && !device_.placement().note.empty())
      say(fmt::format("  computing on CPUs: {}\n\n", device_.placement().note));
    if (!report.empty()) say(report + "\n");
  }

  void show_header() const {
    say(fmt::format("  {:<9} {:<13} {:<22} {:>10} {:>11} {:>12}\n", "split", "option", "what is divided", "time", "moved",
                    "difference"));
  }

  void conclude(int num_passed, int num_failed) {
    say("\n  time: 8 images, median of 5, slowest rank. moved: bytes between ranks per micro-batch. difference: the largest of "
        "any\n"
        "  layer from the reference (plain loops on one rank), in relation to the layer's largest value.\n\n");
    say(num_failed == 0 ? fmt::format("PASSED: {} split{} gave the reference's results\n", num_passed, num_passed == 1 ? "" : "s")
                        : fmt::format("FAILED: {} of {} splits gave wrong results\n", num_failed, num_passed + num_failed));
  }

  std::string backend_name() {
    const auto backend = job_.together(JobPhase::Prepare, [&] { return make_backend({.device = device_.device()}); });
    return backend->name();
  }

  Plan plan_of(const DemoCase& each) const {
    const Network network = demo_network(each.micro_batch);
    const int ranks = each.name == "none" ? 1 : job_.size();
    Plan plan = make_plan(network, parse_split(each.split, ranks, 2), ranks);
    plan.num_ranks = job_.size();
    return plan;
  }

  DemoResult measure(const DemoCase& each) {
    Request request{.batch = batch, .micro_batch = each.micro_batch, .overlap = OverlapChoice::Off};
    request.plan = job_.together(JobPhase::Plan, [&] { return plan_of(each); });
    Session session(device_, std::move(request));
    session.describe({.network = demo_network, .sources = {&images_}, .model_name = "demonstration", .input_names = "images"});
    const VerifiedSources sources(launched_, {&images_});
    const auto differences = session.verify({.extent = VerifyExtent::Everything, .rank_sources = sources.list()});
    const LayerDifference& worst = worst_of(differences);
    const Network& network = session.setup().network;
    DemoResult result{.difference = worst.relative(), .worst_layer = network.value(network.node(worst.node).output).name};
    result.moved_bytes = job_.control().sum(sent_bytes(session.rank_plan().program));
    result.seconds = time_batches(session);
    return result;
  }

  double time_batches(Session& session) {
    const Setup& setup = session.setup();
    MemorySink sink(output_extents(setup, setup.network.outputs.front()));
    DataSink* const sinks[] = {&sink};
    session.prepare();
    session.run(sinks);  // warms up
    std::vector<double> seconds(num_timed_runs);
    for (double& each : seconds) each = session.run(sinks);
    return median(seconds);
  }

  const LaunchedJob& launched_;
  JobContext& job_;
  const DemoCommand& command_;
  RankDevice device_;
  int threads_;
  MemorySource images_;
};

}  // namespace

int demonstrate(LaunchedJob& job, const DemoCommand& command) {
  const bool is_right = Demonstration(job, command).run();
  return static_cast<int>(is_right ? ExitCode::Ok : ExitCode::Bug);
}

}  // namespace parconv::app
