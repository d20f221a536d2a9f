// SPDX-License-Identifier: Apache-2.0
// The pulses of all ranks of a job, in memory that the ranks of one host share.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "parconv/comm/control.hpp"
#include "parconv/comm/heartbeat/pulse.hpp"

namespace parconv {

/// A mapped array of cells, one per rank. Nothing remains in the file system, however the job ends.
class PulseBoard {
 public:
  /// Maps one board per host of `host_of_rank`. Collective. `name` is unique to the job. Null on all ranks if one of them cannot
  /// map it.
  static std::unique_ptr<PulseBoard> make(Control& control, std::span<const int> host_of_rank, const std::string& name);
  ~PulseBoard();
  PulseBoard(const PulseBoard&) = delete;
  PulseBoard& operator=(const PulseBoard&) = delete;

  std::span<PulseCell> cells() const { return cells_; }

 private:
  explicit PulseBoard(std::span<PulseCell> cells) : cells_(cells) {}
  static std::unique_ptr<PulseBoard> map(int file, int num_ranks);

  std::span<PulseCell> cells_;
};

}  // namespace parconv
