// What ranks agree on outside the steady loop: small collective calls, always over MPI.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/mpi_environment.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// How values of all ranks become one.
enum class Reduction { Min, Max, Sum };

/// A group of ranks that agree with each other, on a communicator of its own. Every method that is not const is collective and
/// blocking over the group, and throws Error(Communication) if MPI fails.
class Control {
 public:
  /// All ranks of the job. Collective. The environment must live longer.
  explicit Control(const MpiEnvironment& environment);
  ~Control();
  Control(Control&&) noexcept;
  Control& operator=(Control&&) noexcept;

  /// The ranks of this group that give the same `color` (>= 0), in the order of their ranks here.
  Control split(int color);

  int rank() const;
  int size() const;
  /// This rank's place among the ranks of the group on the same host, and their number.
  int node_rank() const;
  int node_size() const;
  /// Host names by rank.
  const std::vector<std::string>& host_names() const;
  const std::string& host_name() const;

  void barrier();

  /// Reduces each element over the ranks, in place. Precondition: as many elements on every rank.
  /// Sums of doubles may differ in the last bits with another number of ranks.
  void all_reduce(Reduction reduction, std::span<index_t> values);
  void all_reduce(Reduction reduction, std::span<double> values);

  index_t max(std::integral auto value) { return reduced(Reduction::Max, static_cast<index_t>(value)); }
  index_t min(std::integral auto value) { return reduced(Reduction::Min, static_cast<index_t>(value)); }
  index_t sum(std::integral auto value) { return reduced(Reduction::Sum, static_cast<index_t>(value)); }
  double max(std::floating_point auto value) { return reduced(Reduction::Max, static_cast<double>(value)); }
  double min(std::floating_point auto value) { return reduced(Reduction::Min, static_cast<double>(value)); }
  double sum(std::floating_point auto value) { return reduced(Reduction::Sum, static_cast<double>(value)); }

  /// The text of rank `root`; what the others pass is not read. Any bytes, up to 2 GiB.
  std::string broadcast(const std::string& text, int root = 0);
  /// On rank 0 the texts of all ranks by rank, elsewhere nothing. Up to 2 GiB together.
  std::vector<std::string> gather(const std::string& text);
  /// True on every rank if all ranks pass the same text.
  bool all_equal(const std::string& text);

  /// The address of the group's MPI_Comm, for libraries that take one (HDF5): *static_cast<const MPI_Comm*>(native_handle()).
  /// Valid as long as this object. Who sends messages with it duplicates it first.
  const void* native_handle() const;

 private:
  struct State;
  explicit Control(std::unique_ptr<State> state);

  template <class T>
  T reduced(Reduction reduction, T value) {
    all_reduce(reduction, std::span<T>(&value, 1));
    return value;
  }

  std::unique_ptr<State> state_;
};

}  // namespace parconv
