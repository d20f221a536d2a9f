// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/nccl_handle.hpp"

#include <chrono>
#include <cstring>
#include <future>
#include <thread>

#include "parconv/core/error.hpp"

namespace parconv::nccl {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point deadline_after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// ncclCommAbort ends kernels that wait for lost ranks, but can itself hang; its thread is then detached.
void abort_within(ncclComm_t comm, double seconds) {
  std::promise<void> promise;
  std::future<void> is_done = promise.get_future();
  std::thread([comm, done = std::move(promise)]() mutable {
    static_cast<void>(ncclCommAbort(comm));
    done.set_value();
  }).detach();
  is_done.wait_until(deadline_after(seconds));
}

}  // namespace

void check(ncclResult_t status, const char* call, std::source_location where) {
  if (status == ncclSuccess || status == ncclInProgress) return;
  throw Error(ExitCode::Communication,
              concat(call, " failed: ", ncclGetErrorString(status), ": ", ncclGetLastError(nullptr), " (", where.file_name(), ":",
                     where.line(), ")"),
              "Set NCCL_DEBUG=INFO for details, or use --transport staged, which does not need NCCL.");
}

Handle::Handle(const ncclUniqueId& id, const Group& group, const NcclOptions& options) : options_(options) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  config.maxCTAs = options.max_ctas;
  check(ncclCommInitRankConfig(&comm_, group.size, id, group.rank, &config), "ncclCommInitRankConfig");
}

Handle::~Handle() {
  if (comm_ == nullptr) return;
  try {
    abort_within(comm_, options_.timeout_seconds);
  } catch (...) {  // no thread available: NCCL's resources are leaked
  }
}

bool Handle::is_in_progress() const {
  ncclResult_t state = ncclSuccess;
  check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
  check(state, "NCCL");
  return state == ncclInProgress;
}

void Handle::settle(const char* call) const {
  const Clock::time_point deadline = deadline_after(options_.timeout_seconds);
  while (is_in_progress()) {
    if (Clock::now() > deadline)
      throw Error(ExitCode::Communication, concat(call, " did not complete within ", options_.timeout_seconds, " s"),
                  "Check the other ranks and their network; set NCCL_DEBUG=INFO for details.");
    std::this_thread::yield();
  }
}

std::string make_id() {
  ncclUniqueId id{};
  check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  return {id.internal, sizeof(id.internal)};
}

ncclUniqueId id_from(const std::string& text) {
  ncclUniqueId id{};
  PARCONV_EXPECT(text.size() == sizeof(id.internal), text.size(), " bytes");
  std::memcpy(id.internal, text.data(), text.size());
  return id;
}

}  // namespace parconv::nccl
