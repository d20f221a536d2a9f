// Runs on a device against the oracle on the host, bit for bit.
#pragma once

#include "engine/distributed_run.hpp"

namespace parconv::test {

/// A network, and how it is run.
struct DeviceCase {
  const Network& network;
  const Plan& plan;
  CompileOptions options{};
  index_t micro_batches = 1;
};

/// What runs it.
struct DeviceParts {
  Device& device;
  Backend& backend;
  std::unique_ptr<Communicator> communicator{};
};

inline void expect_outputs(const DeviceCase& run_case, std::vector<MemorySource>& sources, const std::vector<MemorySink>& sinks) {
  const auto reference = make_reference_backend();
  for (index_t m = 0; m < run_case.micro_batches; ++m) {
    const std::vector<HostTensor> expected = oracle_outputs(run_case.network, sources, m, *reference);
    for (std::size_t k = 0; k < sinks.size(); ++k) {
      const Box samples = expected[k].box();
      HostTensor actual(samples);
      copy(sinks[k].tensor().view(samples.with(Axis::N, samples[Axis::N].shifted(m * samples[Axis::N].size()))), actual.view());
      ASSERT_TRUE(same_bits(elements(actual), elements(expected[k]))) << "output " << k << ", micro-batch " << m;
    }
  }
}

/// Data of small integers. Programs have to store at the root.
inline void expect_equal_to_oracle(const DeviceCase& run_case, DeviceParts parts, Random& random) {
  const Network& network = run_case.network;
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<MemorySource> sources = random_sources(network, random, batch * run_case.micro_batches, true);
  CountingCommunicator communicator(std::move(parts.communicator));
  DistributedRun run(network, run_case.plan, run_case.options, parts.backend, communicator, &parts.device);
  const std::vector<MemorySink> sinks = run.run(sources, run_case.micro_batches);
  EXPECT_EQ(communicator.total().bytes_sent, sent_bytes(run.engine().program()) * run_case.micro_batches);
  if (rank() == 0) expect_outputs(run_case, sources, sinks);
}

}  // namespace parconv::test
