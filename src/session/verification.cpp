// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "parconv/core/names.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/session/devices/host_memory.hpp"

namespace parconv {
namespace {

/// The reference backend, which reports progress at every layer.
class WatchedBackend final : public Backend {
 public:
  explicit WatchedBackend(Watchdog& watchdog) : inner_(make_reference_backend()), watchdog_(watchdog) {}

  std::string name() const override { return inner_->name(); }
  MemoryRules memory_rules() const override { return inner_->memory_rules(); }
  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    watchdog_.kick();
    return inner_->prepare(op, read_filter);
  }

 private:
  std::unique_ptr<Backend> inner_;
  Watchdog& watchdog_;
};

constexpr const char* bug_hint = "This is a bug in parconv: please report it with the model, the split and the number of ranks.";

/// The largest differences over all ranks, on all ranks.
void reduce_over_ranks(Control& control, std::vector<LayerDifference>& differences) {
  std::vector<double> most;
  std::vector<double> sums;
  for (const LayerDifference& difference : differences) {
    most.insert(most.end(), {difference.worst, difference.largest});
    sums.insert(sums.end(), {difference.compared_elems, difference.different_elems});
  }
  control.all_reduce(ReduceOp::Max, std::span(most));
  control.all_reduce(ReduceOp::Sum, std::span(sums));
  for (std::size_t k = 0; k < differences.size(); ++k) {
    differences[k].worst = most[2 * k];
    differences[k].largest = most[2 * k + 1];
    differences[k].compared_elems = sums[2 * k];
    differences[k].different_elems = sums[2 * k + 1];
  }
}

std::string layer_name(const Network& network, const LayerDifference& difference) {
  return network.value(network.node(difference.node).output).name;
}

}  // namespace

std::vector<LayerDifference> verify_layers(RankDevice& device, Backend& backend, const VerifyInput& input) {
  JobContext& job = device.job();
  CompileOptions options = input.options;
  options.store = {.kind = StoreKind::Owners};
  const RankPlan observed = job.together(
      JobPhase::Verify, [&] { return make_rank_plan(with_all_outputs(input.network), input.plan, options, job.rank()); });
  device.require_memory(observed.program);
  if (device.device() == nullptr)
    require_host_memory(job, host_memory_need(observed, {.bytes_per_weight = bytes_per_weight(backend, options.type)}));
  WatchedCommunicator& communicator = device.communicator();
  std::optional<Engine> engine;
  std::vector<BoxesOfValues> passes;
  std::vector<KeepingSink> sinks;
  job.together(JobPhase::Verify, [&] {
    passes = boxes_to_verify(observed.network, observed.layout, job.rank(), input.extent);
    sinks = make_keeping_sinks(observed.network, passes);
    engine.emplace(observed.network, observed.program, communicator, backend,
                   EngineOptions{.read_filter = make_filter_reader(), .device = device.device()});
  });
  std::vector<DataSink*> sink_list;
  for (KeepingSink& sink : sinks) sink_list.push_back(&sink);
  job.in_messages(JobPhase::Verify, [&] { engine->run({.sources = input.rank_sources, .sinks = sink_list}, 1); });
  auto differences = job.together(JobPhase::Verify, [&] {
    WatchedBackend reference(job.watchdog());
    return differences_from_oracle(observed.network, sinks, passes,
                                   {.sources = input.sources, .read_filter = make_filter_reader(), .type = options.type},
                                   reference);
  });
  reduce_over_ranks(job.control(), differences);
  return differences;
}

const LayerDifference& worst_of(std::span<const LayerDifference> differences) {
  return *std::max_element(differences.begin(), differences.end(),
                           [](const LayerDifference& a, const LayerDifference& b) { return a.relative() < b.relative(); });
}

void require_equal(const Network& network, std::span<const LayerDifference> differences, double allowed) {
  const LayerDifference& worst = worst_of(differences);
  if (worst.relative() <= allowed) return;
  throw Error(
      ExitCode::Bug,
      fmt::format("layer '{}' differs from the reference by {:.3g} of its largest value {:.3g} (at most {:.1e} is allowed)",
                  layer_name(network, worst), worst.relative(), worst.largest, allowed),
      bug_hint);
}

void require_same_bits(const Network& network, std::span<const LayerDifference> differences) {
  const auto first = std::find_if(differences.begin(), differences.end(),
                                  [](const LayerDifference& difference) { return difference.different_elems > 0; });
  if (first == differences.end()) return;
  throw Error(
      ExitCode::Bug,
      fmt::format("layer '{}': {:.0f} of {:.0f} compared values have other bits than the reference (the largest difference "
                  "is {:.3g} of its largest value {:.3g})",
                  layer_name(network, *first), first->different_elems, first->compared_elems, first->relative(), first->largest),
      bug_hint);
}

std::string verify_summary(const Network& network, std::span<const LayerDifference> differences) {
  const LayerDifference& worst = worst_of(differences);
  double elems = 0, different = 0;
  for (const LayerDifference& difference : differences) {
    elems += difference.compared_elems;
    different += difference.different_elems;
  }
  if (different == 0)
    return fmt::format("verified {} layers ({:.0f} values): all have the bits of the reference\n", differences.size(), elems);
  return fmt::format("verified {} layers ({:.0f} values): the largest difference is {:.2g} of a layer's largest value, in '{}'\n",
                     differences.size(), elems, worst.relative(), layer_name(network, worst));
}

std::string verify_table(const Network& network, std::span<const LayerDifference> differences) {
  std::string text =
      fmt::format("{:<40} {:>12} {:>12} {:>14} {:>12}\n", "layer", "values", "other bits", "largest value", "difference");
  std::vector<std::string> all;
  for (const LayerDifference& difference : differences) all.push_back(layer_name(network, difference));
  const std::vector<std::string> names = shortened(all, 40);
  auto name = names.begin();
  for (const LayerDifference& difference : differences)
    text += fmt::format("{:<40} {:>12.0f} {:>12.0f} {:>14.6g} {:>12.2g}\n", *name++, difference.compared_elems,
                        difference.different_elems, difference.largest, difference.relative());
  return text;
}

}  // namespace parconv
