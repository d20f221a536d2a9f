#include "verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "parconv/engine/job.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv::app {
namespace {

/// The reference backend, which tells the watchdog when it goes on to another layer.
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

/// Reads another source and alters one element of each box: a fault that verification has to find.
class WrongSource final : public DataSource {
 public:
  explicit WrongSource(DataSource& inner) : inner_(inner) {}

  Extents extents() const override { return inner_.extents(); }
  int ndims() const override { return inner_.ndims(); }
  void read(const Box& box, View dst) override {
    inner_.read(box, dst);
    if (box.is_empty()) return;
    const Extents one;
    HostTensor wrong(Box::whole(one));
    wrong.at(0, 0, 0, 0, 0) = 1000.0F;
    dst.layout.extents = one;
    convert(wrong.view(), dst);
  }

 private:
  DataSource& inner_;
};

bool is_altered(const AppJob& job, int rank) {
  return job.fault().kind == FaultKind::Wrong && job.fault().rank == rank && job.fault().phase == Phase::Verify;
}

/// The worst of all ranks, on all ranks.
void reduce_over_ranks(Control& control, std::vector<LayerDifference>& differences) {
  std::vector<double> most;
  std::vector<double> sums;
  for (const LayerDifference& difference : differences) {
    most.insert(most.end(), {difference.worst, difference.largest});
    sums.push_back(difference.compared_elems);
  }
  control.all_reduce(Reduction::Max, std::span(most));
  control.all_reduce(Reduction::Sum, std::span(sums));
  for (std::size_t k = 0; k < differences.size(); ++k) {
    differences[k].worst = most[2 * k];
    differences[k].largest = most[2 * k + 1];
    differences[k].compared_elems = sums[k];
  }
}

std::string layer_name(const Network& network, const LayerDifference& difference) {
  return network.value(network.node(difference.node).output).name;
}

}  // namespace

std::vector<LayerDifference> verify_layers(AppJob& job, const VerifyInput& input, WatchedCommunicator& communicator,
                                           Backend& backend) {
  CompileOptions options = input.options;
  options.store = {.kind = StoreKind::Owners};
  WrongSource wrong(*input.sources.front());
  std::vector<DataSource*> engine_sources(input.sources.begin(), input.sources.end());
  if (is_altered(job, job.rank())) engine_sources.front() = &wrong;
  Job observed;
  std::optional<Engine> engine;
  std::vector<BoxesOfValues> passes;
  std::vector<KeepingSink> sinks;
  job.together(Phase::Verify, [&] { observed = make_job(with_all_outputs(input.network), input.plan, options, job.rank()); });
  input.device.require_memory(job, observed.program);
  job.together(Phase::Verify, [&] {
    passes = boxes_to_verify(observed.network, observed.layout, job.rank(), input.extent);
    sinks = make_keeping_sinks(observed.network, passes);
    engine.emplace(observed.network, observed.program, communicator, backend,
                   EngineOptions{.read_filter = make_filter_reader(), .device = input.device.device()});
  });
  std::vector<DataSink*> sink_list;
  for (KeepingSink& sink : sinks) sink_list.push_back(&sink);
  job.in_messages(Phase::Verify, [&] { engine->run({.sources = engine_sources, .sinks = sink_list}, 1); });
  auto differences = job.together(Phase::Verify, [&] {
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
      "This is a mistake in parconv: please report it with the model, the split and the number of ranks.");
}

std::string verify_summary(const Network& network, std::span<const LayerDifference> differences) {
  const LayerDifference& worst = worst_of(differences);
  double elems = 0;
  for (const LayerDifference& difference : differences) elems += difference.compared_elems;
  return fmt::format("verified {} layers ({:.0f} values): the largest difference is {:.2g} of a layer's largest value, in '{}'\n",
                     differences.size(), elems, worst.relative(), layer_name(network, worst));
}

std::string verify_table(const Network& network, std::span<const LayerDifference> differences) {
  std::string text = fmt::format("{:<40} {:>12} {:>14} {:>12}\n", "layer", "values", "largest value", "difference");
  for (const LayerDifference& difference : differences)
    text += fmt::format("{:<40.40} {:>12.0f} {:>14.6g} {:>12.2g}\n", layer_name(network, difference), difference.compared_elems,
                        difference.largest, difference.relative());
  return text;
}

}  // namespace parconv::app
