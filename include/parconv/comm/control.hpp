// SPDX-License-Identifier: Apache-2.0
// Agreement between ranks outside the steady loop: small collectives, always over MPI.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/heartbeat/pulse.hpp"
#include "parconv/comm/mpi/mpi_environment.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// The operation of a reduction over ranks.
enum class ReduceOp { Min, Max, Sum };

/// A group of ranks with a duplicated MPI communicator of its own. Every non-const method is collective over the group, blocks,
/// and throws Error(Communication) if MPI fails.
class Control {
 public:
  /// The group of all ranks of the job. Collective. The environment must outlive it.
  explicit Control(const MpiEnvironment& environment);
  ~Control();
  Control(Control&&) noexcept;
  Control& operator=(Control&&) noexcept;

  /// Splits the group by `color` (>= 0), as MPI_Comm_split does; the order of ranks is kept.
  Control split(int color);

  int rank() const;
  int size() const;
  /// This rank's index among the ranks of the group on the same host, and their number.
  int node_rank() const;
  int node_size() const;
  /// The host of each rank, as far as memory is shared: numbers from 0 in the order of their first ranks.
  const std::vector<int>& nodes() const;
  /// Host names by rank.
  const std::vector<std::string>& host_names() const;
  const std::string& host_name() const;

  /// From now on every collective call of this group, and of those split from it, is published as a wait. Local. The pulse must
  /// outlive it; null ends that.
  void publish(RankPulse* pulse);
  /// The pulse of `publish`; null: none.
  RankPulse* pulse() const;

  void barrier();

  /// Reduces each element over the ranks, in place. Precondition: equal sizes on all ranks. Sums of doubles may depend on the
  /// number of ranks in the last bits.
  void all_reduce(ReduceOp op, std::span<index_t> values);
  void all_reduce(ReduceOp op, std::span<double> values);

  index_t max(std::integral auto value) { return reduced(ReduceOp::Max, static_cast<index_t>(value)); }
  index_t min(std::integral auto value) { return reduced(ReduceOp::Min, static_cast<index_t>(value)); }
  index_t sum(std::integral auto value) { return reduced(ReduceOp::Sum, static_cast<index_t>(value)); }
  double max(std::floating_point auto value) { return reduced(ReduceOp::Max, static_cast<double>(value)); }
  double min(std::floating_point auto value) { return reduced(ReduceOp::Min, static_cast<double>(value)); }
  double sum(std::floating_point auto value) { return reduced(ReduceOp::Sum, static_cast<double>(value)); }

  /// Returns the text of rank `root` on all ranks; the argument of other ranks is ignored. Any bytes, up to 2 GiB.
  std::string broadcast(const std::string& text, int root = 0);
  /// Returns the texts of all ranks by rank on rank 0 and an empty vector elsewhere. Up to 2 GiB in total.
  std::vector<std::string> gather(const std::string& text);
  /// Returns the texts of all ranks by rank on all ranks. Up to 2 GiB in total.
  std::vector<std::string> all_gather(const std::string& text);
  /// True on every rank if all ranks pass the same text.
  bool all_equal(const std::string& text);

  /// The address of the group's MPI_Comm, for libraries that take one (HDF5): *static_cast<const MPI_Comm*>(native_handle()).
  /// Valid as long as this object. Duplicate it before sending messages on it.
  const void* native_handle() const;

 private:
  struct State;
  explicit Control(std::unique_ptr<State> state);

  template <class T>
  T reduced(ReduceOp op, T value) {
    all_reduce(op, std::span<T>(&value, 1));
    return value;
  }

  std::unique_ptr<State> state_;
};

}  // namespace parconv
