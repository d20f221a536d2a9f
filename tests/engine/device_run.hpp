// SPDX-License-Identifier: Apache-2.0
// Runs on a device against the oracle on the host, bit for bit.
#pragma once

#include "engine/distributed_run.hpp"

namespace parconv::test {

/// The environment of a run.
struct DeviceParts {
  Device& device;
  Backend& backend;
  std::unique_ptr<Communicator> communicator{};
  GraphUse graphs = GraphUse::Off;
};

/// Runs on small integers and returns the report on graphs. Precondition: the program stores at the root.
inline GraphReport expect_equal_to_oracle(const EngineCase& run_case, DeviceParts parts, Random& random) {
  const Network& network = run_case.network;
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<MemorySource> sources = random_sources(network, random, batch * run_case.micro_batches, true);
  CountingCommunicator communicator(std::move(parts.communicator));
  DistributedRun run(network, run_case.plan, run_case.options, parts.backend, communicator,
                     {.device = &parts.device, .graphs = parts.graphs, .control = &control()});
  const std::vector<MemorySink> sinks = run.run(sources, run_case.micro_batches);
  EXPECT_EQ(communicator.total().bytes_sent, sent_bytes(run.engine().program()) * run_case.micro_batches);
  if (rank() == 0) expect_outputs(run_case, sources, sinks);
  return run.engine().graphs();
}

}  // namespace parconv::test
