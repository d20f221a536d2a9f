// Which device every rank computes on, and how messages move between them. Pure: all ranks decide the same from the same facts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv::app {

/// What a rank tells the others about itself.
struct RankOffer {
  std::string host{};
  std::string gpu_name{};
  std::string gpu_pci_id{};
  std::string gpu_uuid{};     ///< empty: no GPU
  std::string gpu_problem{};  ///< why there is none
  std::string cpus{};         ///< cores that the rank is bound to: "0-7,16-23"

  friend bool operator==(const RankOffer&, const RankOffer&) = default;
};

/// As one line of text, and back. Precondition: a line that to_line made.
std::string to_line(const RankOffer& offer);
RankOffer offer_from(const std::string& line);

/// "0-3,8" for the cores 0, 1, 2, 3 and 8, in order.
std::string ranges_text(std::span<const int> numbers);

/// What was asked for.
struct PlacementRequest {
  std::string device = "auto";     ///< auto, cpu, cuda
  std::string transport = "auto";  ///< auto, mpi, nccl, staged
  bool shares_gpus = false;
  bool is_mpi_cuda_aware = false;
  /// NCCL takes ranks that share a GPU for ranks of different hosts (NCCL_HOSTID is set): for tests.
  bool separates_nccl_hosts = false;
};

enum class DeviceKind { Cpu, Gpu };
/// Mpi: between host memories. MpiDirect: MPI takes addresses of GPUs. Staged: MPI through pinned host memory.
enum class Transport { Mpi, MpiDirect, Staged, Nccl };

std::string_view name_of(Transport transport);

struct Placement {
  DeviceKind device = DeviceKind::Cpu;
  Transport transport = Transport::Mpi;
  /// Ranks on the GPU that most ranks share.
  int max_ranks_per_gpu = 1;
  /// Why the job does not compute on GPUs although it may; empty otherwise.
  std::string remark{};
};

/// The GPU that a rank takes: ranks of a host take its GPUs in turn. Precondition: there are GPUs.
inline int gpu_of(int node_rank, int num_gpus) { return node_rank % num_gpus; }

/// Offers are by rank. Throws Error(Unavailable) if what was asked for cannot be had: no GPU, several ranks on one GPU without
/// `shares_gpus`, a transport that does not fit.
Placement choose_placement(const PlacementRequest& request, std::span<const RankOffer> offers);

/// Ranks whose GPU is that of `rank`, itself among them; none for a rank without one.
std::vector<int> ranks_on_gpu_of(std::span<const RankOffer> offers, int rank);

/// The table of --bind-report. `peers` are by rank: the other ranks of the host whose GPU it reaches directly ("1,2"), or "".
std::string bind_report(const Placement& placement, std::span<const RankOffer> offers, std::span<const std::string> peers);

}  // namespace parconv::app
