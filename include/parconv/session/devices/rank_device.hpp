// SPDX-License-Identifier: Apache-2.0
// The device of this rank, and the communicator for its memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parconv/comm/communicator.hpp"
#include "parconv/comm/watched_communicator.hpp"
#include "parconv/device/device.hpp"
#include "parconv/program/program.hpp"
#include "parconv/session/devices/device_placement.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/request.hpp"

namespace parconv {

/// The device of this rank, chosen collectively at construction. Several sessions may use it, one after the other. The job must
/// outlive it.
class RankDevice {
 public:
  /// Chooses and opens the device. Collective. Throws JobError(Unavailable) if the request cannot be met.
  RankDevice(JobContext& job, const DeviceRequest& request);

  JobContext& job() const { return job_; }
  const DevicePlacement& placement() const { return placement_; }
  /// True if the job computes on CPUs although some rank has a GPU.
  bool has_unused_gpus() const;
  /// Null on the host.
  Device* device() const { return device_.get(); }
  /// "host", or the name of the GPU.
  std::string name() const { return device_ ? device_->name() : "host"; }

  /// The communicator for messages in device memory. The first call creates it and is collective.
  WatchedCommunicator& communicator();

  /// Checks that the programs of all ranks fit into the free memory of their GPUs. Collective. Throws JobError(OutOfMemory).
  void require_memory(const Program& program) const;

  /// Host, device and cores of every rank as a table, on rank 0; empty elsewhere. Collective.
  std::string bind_report() const;

 private:
  std::unique_ptr<Communicator> make_communicator();

  JobContext& job_;
  std::vector<RankOffer> offers_;
  DevicePlacement placement_;
  std::unique_ptr<Device> device_{};
  std::unique_ptr<WatchedCommunicator> communicator_{};
};

}  // namespace parconv
