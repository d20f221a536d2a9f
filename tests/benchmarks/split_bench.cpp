// SPDX-License-Identifier: Apache-2.0
// Times convolution layers split over the ranks of the job, alternating with one rank of the same job so that drift affects
// both. Samples in which a rank was preempted are repeated where possible. One thread per rank. Timed: the layer and the
// exchange of its input; not timed: reading the input and the operator before the layer.
// mpirun -np P parconv_split_bench LAYERS.csv [--filter SUBSTRING] [--max-gflop X] [--repeats N] [--splits h,f] [--overlap on
// or off]. Prints one JSON line per layer and split, then a summary.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "benchmarks/measuring.hpp"
#include "benchmarks/quiet_barrier.hpp"
#include "benchmarks/split_samples.hpp"

namespace parconv::bench {
namespace {

constexpr double most_bytes = 2e9;
constexpr double shortest_sample_seconds = 1e-3;
constexpr int most_tries = 10;  // per requested sample
constexpr double most_calls = 200;

struct Options {
  std::string path{};
  LayerChoice choice{.most_bytes = most_bytes};
  int repeats = 11;
  std::vector<std::string> splits{"h", "f"};
  Overlap overlap = Overlap::On;
};

/// Communicators of the job, and of this rank alone.
struct Ranks {
  Control& all;
  Control& alone;

  bool is_first() const { return all.rank() == 0; }
};

/// Number of involuntary context switches of this process.
index_t lost_cores() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  return items;
}

void set_option(Options& options, const std::string& option, const std::string& value) {
  if (option == "--filter")
    options.choice.filter = value;
  else if (option == "--max-gflop")
    options.choice.max_gflop = number_of<double>(value, option);
  else if (option == "--repeats")
    options.repeats = std::max(least_samples, number_of<int>(value, option));
  else if (option == "--splits")
    options.splits = list_of(value);
  else if (option == "--overlap" && (value == "on" || value == "off"))
    options.overlap = value == "on" ? Overlap::On : Overlap::Off;
  else
    throw Error(ExitCode::Usage, concat("unknown option ", option, " ", value));
}

Options parse(std::span<char* const> arguments) {
  constexpr const char* usage =
      "mpirun -np P parconv_split_bench LAYERS.csv [--filter SUBSTRING] [--max-gflop X] [--repeats N] [--splits h,f] "
      "[--overlap on|off]";
  if (arguments.size() < 2 || arguments.size() % 2 != 0) throw Error(ExitCode::Usage, "wrong number of arguments", usage);
  Options options{.path = arguments[1]};
  for (std::size_t k = 2; k < arguments.size(); k += 2) set_option(options, arguments[k], arguments[k + 1]);
  return options;
}

/// The layer on one rank (run by rank 0 only), then under every split.
std::vector<Candidate> candidates_of(const Layer& layer, const Options& options, Ranks ranks, Backend& backend) {
  const Network network = network_of(layer);
  RunOptions run{.overlap = options.overlap, .first_counted_node = 1};
  std::vector<Candidate> candidates(1 + options.splits.size());
  candidates[0].split = "one";
  if (ranks.is_first()) candidates[0].run.emplace(network, run, ranks.alone, backend);
  for (std::size_t k = 0; k < options.splits.size(); ++k) {
    run.split = parse_split(options.splits[k], ranks.all.size(), layer.spatial_ndims);
    candidates[k + 1].split = to_string(run.split);
    candidates[k + 1].run.emplace(network, run, ranks.all, backend);
  }
  return candidates;
}

/// Measurement of one rank.
struct OwnSample {
  TrackTimes times{};
  index_t lost_cores = 0;
};

/// The first micro-batch absorbs the skew between ranks and is not counted.
OwnSample sample(Candidate& candidate, index_t calls, Ranks ranks) {
  quiet_barrier(ranks.all);
  OwnSample own;
  if (candidate.run) {
    candidate.run->run(1);
    const index_t lost = lost_cores();
    own.times = candidate.run->run(calls);
    own.lost_cores = lost_cores() - lost;
  }
  quiet_barrier(ranks.all);
  return own;
}

void add_sample(Candidate& candidate, index_t calls, Ranks ranks) {
  const OwnSample own = sample(candidate, calls, ranks);
  candidate.samples.push_back({.times = {.compute_seconds = ranks.all.max(own.times.compute_seconds),
                                         .communication_seconds = ranks.all.max(own.times.communication_seconds)},
                               .total_seconds = ranks.all.max(own.times.total_seconds()),
                               .is_undisturbed = ranks.all.max(own.lost_cores) == 0});
}

bool is_enough(const std::vector<Candidate>& candidates, int repeats) {
  return std::all_of(candidates.begin(), candidates.end(),
                     [&](const Candidate& candidate) { return candidate.num_undisturbed() >= repeats; });
}

/// The order alternates between samples.
index_t measure(std::vector<Candidate>& candidates, const Options& options, Ranks ranks) {
  for (Candidate& candidate : candidates) sample(candidate, 1, ranks);
  const double seconds = ranks.all.max(sample(candidates[0], 1, ranks).times.total_seconds());
  const auto calls = static_cast<index_t>(std::clamp(std::ceil(shortest_sample_seconds / seconds), 1.0, most_calls));
  for (int repeat = 0; repeat < most_tries * options.repeats && !is_enough(candidates, options.repeats); ++repeat)
    for (std::size_t k = 0; k < candidates.size(); ++k)
      add_sample(candidates[(k + static_cast<std::size_t>(repeat)) % candidates.size()], calls, ranks);
  return calls;
}

struct LineContext {
  const Layer& layer;
  const Options& options;
  index_t calls = 1;
  index_t sent_bytes = 0;
  index_t copied_bytes = 0;
};

void print(const LineContext& context, const Comparison& compared) {
  const Layer& layer = context.layer;
  const bool only_undisturbed = compared.only_undisturbed();
  const Efficiency efficiency = compared.efficiency();
  const Timing t1 = total_of(compared.one, only_undisturbed), tp = total_of(compared.split, only_undisturbed);
  const Timing compute = timing_of(compared.split, only_undisturbed, [](const Sample& s) { return s.times.compute_seconds; });
  const Timing communication =
      timing_of(compared.split, only_undisturbed, [](const Sample& s) { return s.times.communication_seconds; });
  fmt::print(
      R"({{"network":"{}","layer":"{}","spatial_ndims":{},"ic":{},"size":{},"oc":{},"kernel":{},"stride":{},"pad":{},)"
      R"("gflop":{},"split":"{}","overlap":"{}","ranks":{},"threads":1,"samples":{},"undisturbed_samples":{},)"
      R"("calls_per_sample":{},"one_median_seconds":{:.3e},"one_min_seconds":{:.3e},"median_seconds":{:.3e},)"
      R"("min_seconds":{:.3e},"compute_median_seconds":{:.3e},"communication_median_seconds":{:.3e},"efficiency":{:.4f},)"
      R"("min_efficiency":{:.4f},"sent_bytes":{},"copied_bytes":{},"implementation":"{}","revision":"{}","load_average":{:.2f}}})"
      "\n",
      layer.network, layer.name, layer.spatial_ndims, layer.ic, layer.size, layer.oc, layer.kernel, layer.stride, layer.pad,
      layer.gflop, compared.split.split, context.options.overlap == Overlap::On ? "on" : "off", compared.num_ranks,
      compared.split.samples.size(), compared.num_undisturbed(), context.calls, t1.median_seconds, t1.min_seconds,
      tp.median_seconds, tp.min_seconds, compute.median_seconds, communication.median_seconds, efficiency.of_medians,
      efficiency.of_minima, context.sent_bytes, context.copied_bytes, compared.split.run->implementation(),
      PARCONV_BENCH_REVISION, load_average());
  std::fflush(stdout);
}

/// Efficiencies of all layers by split, and of the best split of each layer.
class Summary {
 public:
  void add(const std::vector<Candidate>& candidates, int num_ranks) {
    Efficiency best;
    for (std::size_t k = 1; k < candidates.size(); ++k) {
      const Efficiency efficiency = Comparison{candidates[0], candidates[k], num_ranks}.efficiency();
      add(candidates[k].split, efficiency);
      best.of_medians = std::max(best.of_medians, efficiency.of_medians);
      best.of_minima = std::max(best.of_minima, efficiency.of_minima);
    }
    add("best", best);
  }

  void print() const {
    std::string text;
    for (const auto& [split, medians] : medians_) {
      const std::vector<double>& minima = minima_.at(split);
      text +=
          fmt::format(R"({{"split":"{}","geomean":{:.4f},"worst":{:.4f},"geomean_of_minima":{:.4f},"worst_of_minima":{:.4f}}},)",
                      split, geomean(medians), worst(medians), geomean(minima), worst(minima));
    }
    text.pop_back();
    fmt::print(R"({{"layers":{},"efficiency":[{}],"load_average":{:.2f}}})"
               "\n",
               medians_.at("best").size(), text, load_average());
  }

 private:
  void add(const std::string& split, const Efficiency& efficiency) {
    medians_[split].push_back(efficiency.of_medians);
    minima_[split].push_back(efficiency.of_minima);
  }
  static double worst(const std::vector<double>& ratios) { return *std::min_element(ratios.begin(), ratios.end()); }

  std::map<std::string, std::vector<double>> medians_;
  std::map<std::string, std::vector<double>> minima_;
};

void bench_layer(const Layer& layer, const Options& options, Ranks ranks, Backend& backend, Summary& summary) {
  std::vector<Candidate> candidates = candidates_of(layer, options, ranks, backend);
  const index_t calls = measure(candidates, options, ranks);
  for (std::size_t k = 1; k < candidates.size(); ++k) {
    const LineContext context{.layer = layer,
                              .options = options,
                              .calls = calls,
                              .sent_bytes = ranks.all.sum(candidates[k].run->sent_bytes()),
                              .copied_bytes = ranks.all.sum(candidates[k].run->copied_bytes())};
    if (ranks.is_first()) print(context, {candidates[0], candidates[k], ranks.all.size()});
  }
  summary.add(candidates, ranks.all.size());
}

void run(const Options& options) {
  const MpiEnvironment environment;
  Control all(environment);
  Control alone = all.split(all.rank());
  const Ranks ranks{.all = all, .alone = alone};
  const auto backend = make_backend({.name = "onednn", .threads = 1});
  Summary summary;
  std::size_t num_layers = 0;
  for (const Layer& layer : read_layers(options.path)) {
    if (!is_chosen(layer, options.choice)) continue;
    bench_layer(layer, options, ranks, *backend, summary);
    ++num_layers;
  }
  if (num_layers == 0) throw Error(ExitCode::BadData, "no layer was chosen", "Relax --filter and --max-gflop.");
  if (ranks.is_first()) summary.print();
}

}  // namespace
}  // namespace parconv::bench

int main(int argc, char** argv) {
  using namespace parconv::bench;
  const int status = guarded([&] { run(parse({argv, static_cast<std::size_t>(argc)})); });
  if (status != 0) parconv::MpiEnvironment::abort(status);
  return status;
}
