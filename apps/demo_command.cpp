// parconv_app without a subcommand: every way of splitting, on the ranks of the job, checked against the reference.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

#include "commands.hpp"
#include "demo_network.hpp"
#include "machine.hpp"
#include "parconv/engine/job.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/plan/split.hpp"
#include "parconv/report/units.hpp"
#include "rank_device.hpp"
#include "run_setup.hpp"
#include "verify.hpp"
#include "versions.hpp"

namespace parconv::app {
namespace {

constexpr int num_timed_runs = 5;
constexpr index_t batch = 8;

/// One way of splitting, or why it is left out.
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
  Demonstration(AppJob& job, const DemoOptions& options)
      : job_(job),
        options_(options),
        device_(job, options.devices),
        threads_(default_threads(job.control())),
        backend_(job.together(Phase::Prepare, [&] { return make_backend({.threads = threads_, .device = device_.device()}); })),
        communicator_(device_.make_communicator(job.control()), job.watchdog()),
        images_(demo_images(batch)) {}

  /// False if a result is wrong.
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
    say(fmt::format("  backend   {}, messages by {}\n", backend_->name(), name_of(device_.placement().transport)));
    if (device_.device() != nullptr) say(fmt::format("  device    {}\n", gpus_text()));
    say(fmt::format("  network   {} layers (residual, concatenation, pooling, softmax), {} images of {}x{}x{}, {}FLOP\n\n",
                    network.nodes.size(), in[Axis::N], in[Axis::C], in[Axis::H], in[Axis::W],
                    format_count(total_flops(network))));
  }

  std::string gpus_text() const {
    const int sharers = device_.placement().max_ranks_per_gpu;
    return device_.name() + (sharers > 1 ? fmt::format(", up to {} ranks on one GPU", sharers) : ", a GPU for each rank");
  }

  /// Why it computes on CPUs although there are GPUs, and --bind-report.
  void show_devices() {
    const std::string report = options_.devices.reports_binding ? device_.bind_report(job_.control()) : std::string();
    if (device_.has_unused_gpus() && !device_.placement().remark.empty())
      say(fmt::format("  computing on CPUs: {}\n\n", device_.placement().remark));
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

  Plan plan_of(const DemoCase& each, const Network& network) const {
    const int ranks = each.name == "none" ? 1 : job_.size();
    Plan plan = make_plan(network, parse_split(each.split, ranks, 2), ranks);
    plan.num_ranks = job_.size();
    return plan;
  }

  DemoResult measure(const DemoCase& each) {
    const Network network = demo_network(each.micro_batch);
    const CompileOptions options{.store = {.kind = StoreKind::Root}, .needs_dense = backend_->memory_rules().needs_dense};
    const Plan plan = job_.together(Phase::Plan, [&] { return plan_of(each, network); });
    DataSource* const sources[] = {&images_};
    DemoResult result;
    const auto differences = verify_layers(job_,
                                           {.network = network,
                                            .plan = plan,
                                            .options = options,
                                            .sources = sources,
                                            .extent = VerifyExtent::Everything,
                                            .device = device_},
                                           communicator_, *backend_);
    result.difference = worst_of(differences).relative();
    result.worst_layer = network.value(network.node(worst_of(differences).node).output).name;
    const Job compiled = job_.together(Phase::Check, [&] { return make_job(network, plan, options, job_.rank()); });
    result.moved_bytes = job_.control().sum(sent_bytes(compiled.program));
    result.seconds = time_batches(compiled, batch / each.micro_batch);
    return result;
  }

  double time_batches(const Job& compiled, index_t micro_batches) {
    std::optional<Engine> engine;
    job_.together(Phase::Prepare, [&] {
      engine.emplace(compiled.network, compiled.program, communicator_, *backend_,
                     EngineOptions{.read_filter = make_filter_reader(),
                                   .device = device_.device(),
                                   .on_tick = [&](index_t ticks) { job_.tick(ticks); }});
    });
    Extents extents = compiled.network.value(compiled.network.outputs.front()).extents;
    extents[Axis::N] = batch;
    MemorySink sink(extents);
    DataSource* const sources[] = {&images_};
    DataSink* const sinks[] = {&sink};
    std::vector<double> seconds;
    for (int k = 0; k <= num_timed_runs; ++k) {
      job_.control().barrier();
      const auto begin = std::chrono::steady_clock::now();
      job_.in_messages(Phase::Run, [&] { engine->run({.sources = sources, .sinks = sinks}, micro_batches); });
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
      const double slowest = job_.control().max(spent.count());
      if (k > 0) seconds.push_back(slowest);  // the first warms up
    }
    return median(seconds);
  }

  AppJob& job_;
  const DemoOptions& options_;
  RankDevice device_;
  int threads_;
  std::unique_ptr<Backend> backend_;
  WatchedCommunicator communicator_;
  MemorySource images_;
};

}  // namespace

int demonstrate(AppJob& job, const DemoOptions& options) {
  const bool is_right = Demonstration(job, options).run();
  return static_cast<int>(is_right ? ExitCode::Ok : ExitCode::Bug);
}

}  // namespace parconv::app
