// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/devices/device_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr char separator = '\t';

bool share_a_gpu(const RankOffer& a, const RankOffer& b) {
  return !a.gpu_uuid.empty() && a.gpu_uuid == b.gpu_uuid && a.host == b.host;
}

/// Reason why the ranks cannot compute on GPUs, with a remedy; empty if they can.
struct GpuProblem {
  std::string text{};
  std::string hint{};
};

GpuProblem problem_of_gpus(const PlacementRequest& request, std::span<const RankOffer> offers) {
  for (std::size_t rank = 0; rank < offers.size(); ++rank)
    if (offers[rank].gpu_uuid.empty())
      return {.text = fmt::format("rank {} on {}: {}", rank, offers[rank].host, offers[rank].gpu_problem),
              .hint = "Start the job where every rank finds a GPU and its driver, or use --device cpu."};
  if (request.shares_gpus) return {};
  for (std::size_t rank = 0; rank < offers.size(); ++rank)
    for (std::size_t other = 0; other < rank; ++other)
      if (share_a_gpu(offers[rank], offers[other]))
        return {
            .text = fmt::format("ranks {} and {} on {} would share one GPU ({}, {})", other, rank, offers[rank].host,
                                offers[rank].gpu_name, offers[rank].gpu_pci_id),
            .hint =
                "Start no more ranks on a host than it has GPUs, let ranks share them with --share-gpu, or use --device cpu."};
  return {};
}

DevicePlacement on_cpus(const PlacementRequest& request, std::string note) {
  if (request.transport == TransportChoice::Nccl || request.transport == TransportChoice::Staged)
    throw Error(ExitCode::Unavailable,
                fmt::format("--transport {} moves data between GPUs, but the job computes on CPUs{}{}",
                            choice_name(request.transport), note.empty() ? "" : ": ", note),
                "Use --transport mpi or auto.");
  return {.note = std::move(note)};
}

Transport transport_between_gpus(const PlacementRequest& request, bool is_shared, std::size_t num_ranks) {
  if (request.transport == TransportChoice::Staged) return Transport::Staged;
  if (request.transport == TransportChoice::Mpi) {
    if (request.is_mpi_cuda_aware) return Transport::MpiDirect;
    throw Error(ExitCode::Unavailable, "--transport mpi between GPUs requires a CUDA-aware MPI library, but this one is not",
                concat("Use --transport staged, which goes through pinned host memory", is_shared ? "." : ", or nccl."));
  }
  const bool can_use_nccl = !is_shared || request.separates_nccl_hosts;
  if (request.transport == TransportChoice::Nccl) {
    if (can_use_nccl) return Transport::Nccl;
    throw Error(ExitCode::Unavailable, "--transport nccl does not support several ranks on one GPU",
                "Use --transport staged, or one rank per GPU.");
  }
  return is_shared || num_ranks == 1 ? Transport::Staged : Transport::Nccl;
}

}  // namespace

std::string to_line(const RankOffer& offer) {
  std::string line;
  for (const std::string* field :
       {&offer.host, &offer.gpu_name, &offer.gpu_pci_id, &offer.gpu_uuid, &offer.gpu_problem, &offer.cpus}) {
    for (const char c : *field) line += c == separator || c == '\n' ? ' ' : c;
    line += separator;
  }
  return line;
}

RankOffer offer_from(const std::string& line) {
  std::istringstream text(line);
  RankOffer offer;
  for (std::string* field : {&offer.host, &offer.gpu_name, &offer.gpu_pci_id, &offer.gpu_uuid, &offer.gpu_problem, &offer.cpus})
    PARCONV_EXPECT(std::getline(text, *field, separator), "'", line, "'");
  return offer;
}

std::string ranges_text(std::span<const int> numbers) {
  std::string text;
  for (std::size_t first = 0; first < numbers.size();) {
    std::size_t last = first;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[first]);
    if (last > first) text += fmt::format("-{}", numbers[last]);
    first = last + 1;
  }
  return text;
}

std::string_view name_of(Transport transport) {
  constexpr std::array names{"MPI in host memory", "MPI in GPU memory", "MPI through pinned host memory", "NCCL"};
  return names[static_cast<std::size_t>(transport)];
}

std::vector<int> ranks_on_gpu_of(std::span<const RankOffer> offers, int rank) {
  std::vector<int> ranks;
  for (std::size_t other = 0; other < offers.size(); ++other)
    if (share_a_gpu(offers[static_cast<std::size_t>(rank)], offers[other])) ranks.push_back(static_cast<int>(other));
  return ranks;
}

DevicePlacement choose_placement(const PlacementRequest& request, std::span<const RankOffer> offers) {
  if (request.device == DeviceChoice::Cpu) return on_cpus(request, {});
  const GpuProblem problem = problem_of_gpus(request, offers);
  if (!problem.text.empty() && request.device == DeviceChoice::Cuda)
    throw Error(ExitCode::Unavailable, "--device cuda is not possible: " + problem.text, problem.hint);
  if (!problem.text.empty()) return on_cpus(request, problem.text);
  DevicePlacement placement{.device = DeviceKind::Gpu};
  for (int rank = 0; rank < static_cast<int>(offers.size()); ++rank)
    placement.max_ranks_per_gpu = std::max(placement.max_ranks_per_gpu, static_cast<int>(ranks_on_gpu_of(offers, rank).size()));
  placement.transport = transport_between_gpus(request, placement.max_ranks_per_gpu > 1, offers.size());
  return placement;
}

std::string bind_report(const DevicePlacement& placement, std::span<const RankOffer> offers, std::span<const std::string> peers) {
  std::string text = fmt::format("messages: {}\n{:>5}  {:<20} {:<24} {:<14} {:<20} {}\n", name_of(placement.transport), "rank",
                                 "host", "device", "PCI id", "cores", "reaches the GPUs of ranks");
  for (std::size_t rank = 0; rank < offers.size(); ++rank) {
    const RankOffer& offer = offers[rank];
    const bool has_gpu = placement.device == DeviceKind::Gpu;
    text += fmt::format("{:>5}  {:<20} {:<24} {:<14} {:<20} {}\n", rank, offer.host, has_gpu ? offer.gpu_name : "CPU",
                        has_gpu ? offer.gpu_pci_id : "-", offer.cpus, peers[rank].empty() ? "-" : peers[rank]);
  }
  return text;
}

}  // namespace parconv
