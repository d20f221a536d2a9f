// The device of this rank and what its messages move by.
#pragma once

#include <memory>
#include <vector>

#include "app_job.hpp"
#include "options.hpp"
#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"
#include "parconv/program/program.hpp"
#include "placement.hpp"

namespace parconv::app {

/// Decided together by all ranks when it is made.
class RankDevice {
 public:
  /// Collective. Throws JobError(Unavailable) if what was asked for cannot be had.
  RankDevice(AppJob& job, const DeviceOptions& options);

  const Placement& placement() const { return placement_; }
  /// True if some rank could have computed on a GPU.
  bool has_unused_gpus() const;
  /// Null on the host.
  Device* device() { return device_.get(); }
  /// "host", or the name of the GPU.
  std::string name() const { return device_ ? device_->name() : "host"; }

  /// Messages in the memory of the device. Collective.
  std::unique_ptr<Communicator> make_communicator(Control& control);

  /// Throws JobError(OutOfMemory) if the programs of all ranks do not fit into the free memory of their GPUs. Collective.
  void require_memory(AppJob& job, const Program& program) const;

  /// The table of --bind-report, on rank 0. Collective.
  std::string bind_report(Control& control) const;

 private:
  std::vector<RankOffer> offers_;
  int rank_;
  Placement placement_;
  std::unique_ptr<Device> device_{};
};

}  // namespace parconv::app
