// Errors and lifetime of NCCL communicators.
#pragma once

#include <nccl.h>

#include <source_location>
#include <string>

#include "parconv/comm/device_communicators.hpp"

namespace parconv::nccl {

/// Throws Error(Communication) for any status but success and "in progress".
void check(ncclResult_t status, const char* call, std::source_location where = std::source_location::current());

/// Who takes part.
struct Group {
  int rank = 0;
  int size = 1;
};

/// Owner of a communicator whose calls do not block.
class Handle {
 public:
  /// Begins to connect the ranks that give the same id. The others are waited for in `settle`.
  Handle(const ncclUniqueId& id, const Group& group, const NcclOptions& options);
  /// Ends without the other ranks. What hangs is left behind after the time-out.
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  ncclComm_t get() const { return comm_; }

  /// True if the last call is still in progress. Throws Error(Communication) if the communicator has failed.
  bool is_in_progress() const;
  /// Waits for the last call. Throws Error(Communication) after the time-out.
  void settle(const char* call) const;

 private:
  NcclOptions options_;
  ncclComm_t comm_ = nullptr;
};

/// A name that all ranks of a new communicator have to give; made by one of them.
std::string make_id();
ncclUniqueId id_from(const std::string& text);

}  // namespace parconv::nccl
