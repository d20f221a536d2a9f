// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/devices/rank_device.hpp"

#include <algorithm>
#include <cstdlib>

#include "parconv/comm/device_communicators.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/session/devices/gpu_memory.hpp"
#include "parconv/session/machine.hpp"

namespace parconv {
namespace {

/// The GPU for this rank, if the request allows one.
RankOffer own_offer(const Control& control, DeviceChoice device) {
  RankOffer offer{.host = control.host_name(), .cpus = ranges_text(cores_allowed())};
  if (device == DeviceChoice::Cpu) return offer;
  const GpuList list = find_gpus();
  offer.gpu_problem = list.problem;
  if (list.gpus.empty()) return offer;
  const auto index = gpu_of(control.node_rank(), static_cast<int>(list.gpus.size()));
  const GpuInfo& gpu = list.gpus[static_cast<std::size_t>(index)];
  offer.gpu_name = gpu.name;
  offer.gpu_pci_id = gpu.pci_id;
  offer.gpu_uuid = gpu.uuid;
  return offer;
}

std::vector<RankOffer> all_gather_offers(JobContext& job, DeviceChoice device) {
  const std::string own = job.together(JobPhase::Place, [&] { return to_line(own_offer(job.control(), device)); });
  std::vector<RankOffer> offers;
  for (const std::string& line : job.control().all_gather(own)) offers.push_back(offer_from(line));
  return offers;
}

PlacementRequest placement_request(const DeviceRequest& request) {
  return {.device = request.device,
          .transport = request.transport,
          .shares_gpus = request.shares_gpus,
          .is_mpi_cuda_aware = is_mpi_cuda_aware(),
          .separates_nccl_hosts = std::getenv("NCCL_HOSTID") != nullptr};
}

/// Gathers the memory needs of all ranks on all ranks.
std::vector<MemoryNeed> all_gather_needs(Control& control, const MemoryUse& own) {
  std::vector<index_t> numbers(2 * static_cast<std::size_t>(control.size()));
  const auto rank = static_cast<std::size_t>(control.rank());
  numbers[2 * rank] = own.arena_bytes + own.staging_bytes;
  numbers[2 * rank + 1] = own.weight_bytes;
  control.all_reduce(ReduceOp::Sum, numbers);
  std::vector<MemoryNeed> needs;
  for (std::size_t k = 0; k < numbers.size(); k += 2) needs.push_back({.data_bytes = numbers[k], .weight_bytes = numbers[k + 1]});
  return needs;
}

int own_gpu(const Control& control) { return gpu_of(control.node_rank(), static_cast<int>(find_gpus().gpus.size())); }

/// Other ranks of this host with a GPU that the own one reaches by peer access.
std::string peers_of(std::span<const RankOffer> offers, int rank, int own_index) {
  const GpuList list = find_gpus();
  const RankOffer& own = offers[static_cast<std::size_t>(rank)];
  std::vector<int> peers;
  for (std::size_t other = 0; other < offers.size(); ++other) {
    const RankOffer& offer = offers[other];
    if (offer.host != own.host || offer.gpu_uuid == own.gpu_uuid) continue;
    const auto found =
        std::find_if(list.gpus.begin(), list.gpus.end(), [&](const GpuInfo& gpu) { return gpu.uuid == offer.gpu_uuid; });
    if (found == list.gpus.end()) continue;
    if (has_peer_access(own_index, static_cast<int>(found - list.gpus.begin()))) peers.push_back(static_cast<int>(other));
  }
  return ranges_text(peers);
}

}  // namespace

RankDevice::RankDevice(JobContext& job, const DeviceRequest& request)
    : job_(job),
      offers_(all_gather_offers(job, request.device)),
      placement_(job.together(JobPhase::Place, [&] { return choose_placement(placement_request(request), offers_); })) {
  if (placement_.device == DeviceKind::Gpu)
    device_ = job.together(JobPhase::Place, [&] { return make_cuda_device(own_gpu(job.control())); });
}

std::unique_ptr<Communicator> RankDevice::make_communicator() {
  Control& control = job_.control();
  switch (placement_.transport) {
    case Transport::Nccl:
      return make_nccl_communicator(control, *device_);
    case Transport::Staged:
      return make_staged_communicator(make_mpi_communicator(control), *device_, DeviceAccess::Staged);
    case Transport::MpiDirect:
      return make_staged_communicator(make_mpi_communicator(control), *device_, DeviceAccess::Direct);
    case Transport::Mpi:
      break;
  }
  return make_mpi_communicator(control);
}

WatchedCommunicator& RankDevice::communicator() {
  if (!communicator_) {
    const ActivityScope call = job_.in_library();
    communicator_ = std::make_unique<WatchedCommunicator>(make_communicator(), job_.watchdog(), job_.pulse());
  }
  return *communicator_;
}

bool RankDevice::has_unused_gpus() const {
  return !device_ && std::any_of(offers_.begin(), offers_.end(), [](const RankOffer& offer) { return !offer.gpu_uuid.empty(); });
}

void RankDevice::require_memory(const Program& program) const {
  if (!device_) return;
  const std::vector<MemoryNeed> needs = all_gather_needs(job_.control(), known_memory(program));
  job_.together(JobPhase::Check, [&] { parconv::require_memory(offers_, needs, job_.rank(), device_->memory()); });
}

std::string RankDevice::bind_report() const {
  const std::string own = device_ ? peers_of(offers_, job_.rank(), own_gpu(job_.control())) : std::string();
  const std::vector<std::string> peers = job_.control().gather(own);
  return job_.is_root() ? parconv::bind_report(placement_, offers_, peers) : std::string();
}

}  // namespace parconv
