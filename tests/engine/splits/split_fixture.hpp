// SPDX-License-Identifier: Apache-2.0
// The fixture of split tests: communicators of all ranks and of this one, a backend, and runs.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/distributed_run.hpp"
#include "engine/splits/named_splits.hpp"

namespace parconv::test {

/// The tolerance between numbers of ranks where bits are not promised, relative to the largest value. f32 sums in a different
/// order may round to the adjacent value, a step of 2^-7 in bf16 and 2^-10 in f16, once per layer.
inline constexpr double tolerance_of(DType type) {
  if (type == DType::F16) return 0x1p-9;
  return type == DType::BF16 ? 0x1p-6 : 1e-5;
}

/// One way of running a network.
struct RunCase {
  const Network& network;
  SplitRequest split{};
  DType type = DType::F32;
};

class SplitTest : public ::testing::Test {
 protected:
  static constexpr index_t micro_batches = 2;

  /// Uses the default backend, or one by name.
  explicit SplitTest(std::string backend = "auto") : backend_name_(std::move(backend)) {}

  void SetUp() override {
    Control self = control().split(rank());
    alone_.emplace(make_mpi_communicator(self));
    all_.emplace(make_mpi_communicator(control()));
  }

  /// Data for all micro-batches of a network with one input.
  static std::vector<MemorySource> sources_for(const Network& network, bool is_integer) {
    Random random(5);
    return random_sources(network, random, network.value(network.inputs[0]).extents[Axis::N] * micro_batches, is_integer);
  }

  /// The first output, on rank 0. Checks the invariants of every run: bytes sent and implementations.
  MemorySink run_on_all(const RunCase& run_case, std::vector<MemorySource>& sources) { return run(run_case, sources, *all_); }

  /// The same on this rank alone; local.
  MemorySink run_alone(RunCase run_case, std::vector<MemorySource>& sources) {
    run_case.split = Split{};
    return run(run_case, sources, *alone_);
  }

  /// The first output of a plan, on rank 0.
  MemorySink run_plan(const Network& network, const Plan& plan, std::vector<MemorySource>& sources) {
    return run({network}, plan, sources, *all_);
  }

  /// Reduce steps of this rank's programs so far that add up several partial sums.
  int num_partial_sums() const { return num_partial_sums_; }

  Backend& backend() { return *backend_; }

 private:
  MemorySink run(const RunCase& run_case, std::vector<MemorySource>& sources, CountingCommunicator& ranks) {
    return run(run_case, make_plan(run_case.network, run_case.split, ranks.size()), sources, ranks);
  }

  MemorySink run(const RunCase& run_case, const Plan& plan, std::vector<MemorySource>& sources, CountingCommunicator& ranks) {
    const CompileOptions options{.overlap = Overlap::On, .store = {.kind = StoreKind::Root}, .type = run_case.type};
    DistributedRun run(run_case.network, plan, options, *backend_, ranks);
    std::vector<MemorySink> sinks = run.run(sources, micro_batches);
    EXPECT_EQ(ranks.total().bytes_sent, sent_bytes(run.engine().program()) * micro_batches);
    for (const Step& step : run.engine().program().steps)
      if (const auto* reduce = std::get_if<Reduce>(&step.action)) num_partial_sums_ += reduce->partials.size() > 1 ? 1 : 0;
    if (backend_name_ == "auto") expect_fast_kernels(run.engine());
    return std::move(sinks.front());
  }

  static void expect_fast_kernels(const Engine& engine) {
    for (std::size_t step = 0; step < engine.program().steps.size(); ++step)
      EXPECT_EQ(engine.implementation(step).find("ref"), std::string::npos) << engine.implementation(step);
  }

  std::optional<CountingCommunicator> alone_{};
  std::optional<CountingCommunicator> all_{};
  std::string backend_name_;
  int num_partial_sums_ = 0;
  std::unique_ptr<Backend> backend_ = make_backend({.name = backend_name_});
};

}  // namespace parconv::test
