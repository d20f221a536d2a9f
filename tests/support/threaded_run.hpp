// SPDX-License-Identifier: Apache-2.0
// All ranks of a job in one process: a thread for each, on a device of its own that works as late as it may.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/program/program.hpp"

namespace parconv::test {

struct ThreadedRun {
  const Network& network;
  std::span<const Program> programs;
  std::span<DataSource* const> sources;  ///< of each input; read by all ranks at once
  std::span<DataSink* const> sinks;      ///< of each output; written by all ranks at once, each to boxes of its own
  index_t micro_batches = 1;
  double timeout_seconds = 30;  ///< for any one message
};

/// Executes the programs. Returns what the first rank that failed threw, or that it waited too long; empty if all finished.
std::string run_on_fake_devices(const ThreadedRun& run);

}  // namespace parconv::test
