// SPDX-License-Identifier: Apache-2.0
// Errors and lifetime of NCCL communicators.
#pragma once

#include <nccl.h>

#include <source_location>
#include <string>

#include "parconv/comm/device_communicators.hpp"

namespace parconv::nccl {

/// Throws Error(Communication) for any status but success and "in progress".
void check(ncclResult_t status, const char* call, std::source_location where = std::source_location::current());

/// The members of a communicator.
struct Group {
  int rank = 0;
  int size = 1;
};

/// Owner of a communicator whose calls do not block.
class Handle {
 public:
  /// Starts connecting the ranks that pass the same id; `settle` waits for them.
  Handle(const ncclUniqueId& id, const Group& group, const NcclOptions& options);
  /// Aborts locally. An abort that hangs is abandoned after the timeout.
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  ncclComm_t get() const { return comm_; }

  /// True while the last call is in progress. Throws Error(Communication) if the communicator has failed.
  bool is_in_progress() const;
  /// Blocks until the last call is complete. Throws Error(Communication) after the timeout.
  void settle(const char* call) const;

 private:
  NcclOptions options_;
  ncclComm_t comm_ = nullptr;
};

/// The unique id of a new communicator: created by one rank, passed by all.
std::string make_id();
ncclUniqueId id_from(const std::string& text);

}  // namespace parconv::nccl
