// SPDX-License-Identifier: Apache-2.0
// Runs a network over the ranks of a test and compares it with the oracle.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/oracle.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/memory_sink.hpp"
#include "parconv/io/memory_source.hpp"
#include "support/compare.hpp"
#include "support/mpi_test.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// One source of random elements per network input, with `num_samples` samples; equal on every rank.
inline std::vector<MemorySource> random_sources(const Network& network, Random& random, index_t num_samples, bool is_integer) {
  std::vector<MemorySource> sources;
  for (ValueId id : network.inputs) {
    Extents extents = network.value(id).extents;
    extents[Axis::N] = num_samples;
    HostTensor tensor(Box::whole(extents));
    const std::vector<float> values = is_integer ? random.small_integers(volume(extents), -2, 2) : random.reals(volume(extents));
    std::copy(values.begin(), values.end(), reinterpret_cast<float*>(tensor.view().data));
    sources.emplace_back(std::move(tensor), network.value(id).ndims);
  }
  return sources;
}

inline std::span<const float> elements(const HostTensor& tensor) {
  return {reinterpret_cast<const float*>(tensor.view().data), static_cast<std::size_t>(volume(tensor.box()))};
}

/// A run and its results. Collective over the ranks of its communicator.
class DistributedRun {
 public:
  /// Runs on a communicator shared by consecutive runs; its counts are reset. Backend and communicator belong to the device in
  /// `engine`, or to the host if there is none.
  DistributedRun(const Network& network, const Plan& plan, const CompileOptions& options, Backend& backend,
                 CountingCommunicator& communicator, EngineOptions engine = {})
      : job_(make_rank_plan(network, plan, options, communicator.rank())), counting_(communicator) {
    counting_.reset();
    engine.read_filter = make_filter_reader();
    engine_.emplace(job_.network, std::move(job_.program), counting_, backend, engine);
  }
  /// Runs on a new communicator of all ranks of the test.
  DistributedRun(const Network& network, const Plan& plan, const CompileOptions& options, Backend& backend)
      : DistributedRun(network, plan, options, backend,
                       std::make_unique<CountingCommunicator>(make_mpi_communicator(control()))) {}

  /// The outputs of `micro_batches` micro-batches, complete on rank 0 if the program stores at the root.
  std::vector<MemorySink> run(std::vector<MemorySource>& sources, index_t micro_batches) {
    std::vector<MemorySink> sinks = make_sinks(micro_batches);
    run_into(sinks, sources, micro_batches);
    return sinks;
  }

  /// Sinks with the extents of the outputs.
  std::vector<MemorySink> make_sinks(index_t micro_batches) const {
    std::vector<MemorySink> sinks;
    for (ValueId id : job_.network.outputs) {
      Extents extents = job_.network.value(id).extents;
      extents[Axis::N] *= micro_batches;
      sinks.emplace_back(extents);
    }
    return sinks;
  }

  void run_into(std::vector<MemorySink>& sinks, std::vector<MemorySource>& sources, index_t micro_batches) {
    std::vector<DataSource*> source_list;
    for (MemorySource& source : sources) source_list.push_back(&source);
    std::vector<DataSink*> sink_list;
    for (MemorySink& sink : sinks) sink_list.push_back(&sink);
    engine_->run({.sources = source_list, .sinks = sink_list}, micro_batches);
  }

  Engine& engine() { return *engine_; }
  const CountingCommunicator& counting() const { return counting_; }

 private:
  DistributedRun(const Network& network, const Plan& plan, const CompileOptions& options, Backend& backend,
                 std::unique_ptr<CountingCommunicator> own)
      : DistributedRun(network, plan, options, backend, *own) {
    own_ = std::move(own);
  }

  RankPlan job_;
  std::unique_ptr<CountingCommunicator> own_{};
  CountingCommunicator& counting_;
  std::optional<Engine> engine_{};
};

/// The outputs of one rank with `backend` and activations of `type`.
inline std::vector<HostTensor> oracle_outputs(const Network& network, std::vector<MemorySource>& sources, index_t micro_batch,
                                              Backend& backend, DType type = DType::F32) {
  std::vector<Box> wanted(network.values.size());
  for (ValueId id : network.outputs) wanted[static_cast<std::size_t>(id)] = Box::whole(network.value(id).extents);
  std::vector<DataSource*> source_list;
  for (MemorySource& source : sources) source_list.push_back(&source);
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<HostTensor> values = evaluate(
      network, {.sources = source_list, .first_sample = micro_batch * batch, .read_filter = make_filter_reader(), .type = type},
      wanted, backend);
  std::vector<HostTensor> outputs;
  for (ValueId id : network.outputs) outputs.push_back(std::move(values[static_cast<std::size_t>(id)]));
  return outputs;
}

/// A network and the options of its run.
struct EngineCase {
  const Network& network;
  const Plan& plan;
  CompileOptions options{};
  index_t micro_batches = 1;
  double tolerance = 0;  ///< relative to the largest value of an output; 0: bit for bit
};

/// Compares every output of every micro-batch. Precondition: `sinks` are complete.
inline void expect_outputs(const EngineCase& run_case, std::vector<MemorySource>& sources, const std::vector<MemorySink>& sinks) {
  const auto reference = make_reference_backend();
  for (index_t m = 0; m < run_case.micro_batches; ++m) {
    const std::vector<HostTensor> expected = oracle_outputs(run_case.network, sources, m, *reference, run_case.options.type);
    for (std::size_t k = 0; k < sinks.size(); ++k) {
      const Box samples = expected[k].box();
      HostTensor actual(samples);
      copy(sinks[k].tensor().view(samples.with(Axis::N, samples[Axis::N].shifted(m * samples[Axis::N].size()))), actual.view());
      const auto is_equal = run_case.tolerance == 0 ? same_bits(elements(actual), elements(expected[k]))
                                                    : all_near(elements(actual), elements(expected[k]), run_case.tolerance);
      ASSERT_TRUE(is_equal) << "output " << k << ", micro-batch " << m;
    }
  }
}

/// Runs with the reference backend on small integers, compares with one rank, and checks the bytes sent against the program.
/// Collective. Precondition: the program stores at the root.
inline void expect_equal_to_oracle(const EngineCase& run_case, Random& random) {
  const Network& network = run_case.network;
  const auto backend = make_reference_backend();
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<MemorySource> sources = random_sources(network, random, batch * run_case.micro_batches, true);
  DistributedRun run(network, run_case.plan, run_case.options, *backend);
  const std::vector<MemorySink> sinks = run.run(sources, run_case.micro_batches);
  EXPECT_EQ(run.counting().total().bytes_sent, sent_bytes(run.engine().program()) * run_case.micro_batches);
  if (rank() == 0) expect_outputs(run_case, sources, sinks);
}

}  // namespace parconv::test
