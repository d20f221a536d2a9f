// SPDX-License-Identifier: Apache-2.0
// Device and transport of every rank. Pure: all ranks decide alike from the same facts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parconv/session/choices.hpp"

namespace parconv {

/// Facts about one rank, known to all ranks.
struct RankOffer {
  std::string host{};
  std::string gpu_name{};
  std::string gpu_pci_id{};
  std::string gpu_uuid{};     ///< empty: no GPU
  std::string gpu_problem{};  ///< reason for having no GPU
  std::string cpus{};         ///< cores that the rank is bound to: "0-7,16-23"

  friend bool operator==(const RankOffer&, const RankOffer&) = default;
};

/// Converts an offer to one line of text and back. Precondition of offer_from: `line` is a result of to_line.
std::string to_line(const RankOffer& offer);
RankOffer offer_from(const std::string& line);

/// "0-3,8" for the cores 0, 1, 2, 3 and 8, in order.
std::string ranges_text(std::span<const int> numbers);

/// The request, and the facts known about the libraries of this process.
struct PlacementRequest {
  DeviceChoice device = DeviceChoice::Auto;
  TransportChoice transport = TransportChoice::Auto;
  bool shares_gpus = false;
  bool is_mpi_cuda_aware = false;
  /// NCCL_HOSTID is set: NCCL treats ranks on one GPU as ranks of different hosts. For tests.
  bool separates_nccl_hosts = false;
};

/// Kind of device that a rank computes on.
enum class DeviceKind { Cpu, Gpu };
/// Mpi: between host memories. MpiDirect: CUDA-aware MPI between GPU memories. Staged: MPI through pinned host memory.
enum class Transport { Mpi, MpiDirect, Staged, Nccl };

std::string_view name_of(Transport transport);

/// Device and transport of a job, the same on all ranks.
struct DevicePlacement {
  DeviceKind device = DeviceKind::Cpu;
  Transport transport = Transport::Mpi;
  /// The largest number of ranks on one GPU.
  int max_ranks_per_gpu = 1;
  /// Reason why Auto did not choose GPUs; empty otherwise.
  std::string note{};
};

/// The GPU of a rank: ranks of a host are assigned to its GPUs round-robin. Precondition: num_gpus >= 1. Example: rank 5 of a
/// host with 4 GPUs uses GPU 1.
inline int gpu_of(int node_rank, int num_gpus) { return node_rank % num_gpus; }

/// Chooses device and transport of a job. Local and pure. `offers` is indexed by rank. Throws Error(Unavailable) if the request
/// cannot be met: no GPU, several ranks on one GPU without `shares_gpus`, or a transport that does not fit.
DevicePlacement choose_placement(const PlacementRequest& request, std::span<const RankOffer> offers);

/// Ranks on the same GPU as `rank`, including itself; empty for a rank without a GPU.
std::vector<int> ranks_on_gpu_of(std::span<const RankOffer> offers, int rank);

/// The table of --bind-report. `peers` is indexed by rank: the other ranks of its host with a GPU that its own reaches by peer
/// access ("1,2"), or "".
std::string bind_report(const DevicePlacement& placement, std::span<const RankOffer> offers, std::span<const std::string> peers);

}  // namespace parconv
