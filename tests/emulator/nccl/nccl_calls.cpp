// SPDX-License-Identifier: Apache-2.0
// Emulated NCCL for ranks that are processes of one host. Like the real library it connects and launches in the background,
// rejects two ranks on one GPU of a host, reports a lost rank by an asynchronous error, and then blocks the stream until the
// communicator is aborted.
#include <nccl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "emulator/cudart/emulated_memory.hpp"
#include "emulator/cudart/emulated_runtime.hpp"
#include "emulator/settings.hpp"
#include "nccl_exchange.hpp"
#include "parconv/core/error.hpp"

namespace parconv::emulator {
namespace {

/// Text of the last failure. Never freed, since callers keep the pointer.
std::atomic<const char*> last_failure = "";

ncclResult_t failed(ncclResult_t result, const std::string& text) {
  last_failure = (new std::string(text))->c_str();
  return result;
}

std::string host_id() {
  const char* const id = std::getenv("NCCL_HOSTID");
  if (id != nullptr) return id;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::uint64_t number_of(const std::string& text) { return std::hash<std::string>{}(text); }

class Communicator : public std::enable_shared_from_this<Communicator> {
 public:
  Communicator(const std::string& name, int rank, int size)
      : own_{.rank = rank, .size = size, .host = number_of(host_id()), .gpu = number_of(pci_id_of(current_device()))},
        device_(current_device()),
        connections_(name, own_),
        helper_(new Stream(device_, StreamKind::Helper)) {}
  ~Communicator() { helper_->destroy(); }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int size() const { return own_.size; }
  int device() const { return device_; }
  ncclResult_t state() const { return state_; }

  void start() {
    helper_->submit([self = shared_from_this()] { self->connect(); });
  }

  /// Enqueues the messages on the stream, asynchronously.
  void launch(std::vector<Message> messages, cudaStream_t stream) {
    state_ = ncclInProgress;
    helper_->submit([self = shared_from_this(), messages = std::move(messages), stream] {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      submit(stream, [self, messages] { self->run(messages); });
      self->settle(ncclSuccess);
    });
  }

  void abort() {
    is_aborted_ = true;
    helper_->wait();
    while (running_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    connections_.shut_down();
  }

 private:
  /// Ends an operation in progress. A failure is sticky.
  void settle(ncclResult_t result) {
    ncclResult_t expected = ncclInProgress;
    state_.compare_exchange_strong(expected, result);
  }

  void connect() {
    for (const Hello& other : connections_.connect(is_aborted_)) {
      if (other.rank == own_.rank || other.host != own_.host || other.gpu != own_.gpu) continue;
      settle(failed(ncclInvalidUsage, concat("Duplicate GPU detected : rank ", own_.rank, " and rank ", other.rank,
                                             " both on CUDA device ", pci_id_of(device_))));
    }
    settle(ncclSuccess);
  }

  void run(const std::vector<Message>& messages) {
    ++running_;
    if (++exchanges_ == settings().lost_exchange) connections_.shut_down();
    if (exchange(connections_, messages, is_aborted_) == ExchangeEnd::PeerLost) {
      state_ = failed(ncclRemoteError, "a rank closed its connection");
      while (!is_aborted_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    --running_;
  }

  Hello own_;
  int device_;
  Connections connections_;
  Stream* helper_;
  std::atomic<ncclResult_t> state_ = ncclInProgress;
  std::atomic<bool> is_aborted_ = false;
  std::atomic<int> running_ = 0;
  std::uint64_t exchanges_ = 0;  ///< accessed on the stream's thread only
};

}  // namespace
}  // namespace parconv::emulator

struct ncclComm {
  std::shared_ptr<parconv::emulator::Communicator> communicator{};
};

namespace parconv::emulator {
namespace {

struct Group {
  int depth = 0;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  std::vector<Message> messages{};
};
thread_local Group group;

/// The error for calls on a communicator that is busy or has failed.
ncclResult_t refusal(ncclComm_t comm) {
  const ncclResult_t state = comm->communicator->state();
  if (state == ncclInProgress)
    return failed(ncclInvalidArgument, "Attempt to use communicator before the previous operation returned ncclSuccess");
  return state;
}

ncclResult_t add(const Message& message, ncclDataType_t type, ncclComm_t comm, cudaStream_t stream) {
  if (type != ncclUint8) abort_with("unsupported: messages of types other than bytes");
  if (group.depth == 0) abort_with("a message outside of a group");
  if (const ncclResult_t result = refusal(comm); result != ncclSuccess) return result;
  if (message.peer < 0 || message.peer >= comm->communicator->size()) return failed(ncclInvalidArgument, "no such rank");
  if (memory_type_of(message.data, message.bytes) == MemoryType::Pageable)
    return failed(ncclInvalidArgument, "not memory of a GPU");
  if (stream_of(stream).stream->device() != comm->communicator->device())
    return failed(ncclInvalidUsage, "the stream is of another GPU");
  if (!group.messages.empty() && (group.comm != comm || group.stream != stream))
    abort_with("unsupported: a group with several communicators or streams");
  group.comm = comm;
  group.stream = stream;
  group.messages.push_back(message);
  return ncclSuccess;
}

}  // namespace
}  // namespace parconv::emulator

using namespace parconv::emulator;

const char* ncclGetErrorString(ncclResult_t result) {
  static constexpr std::array<const char*, ncclNumResults> texts = {"no error",
                                                                    "unhandled cuda error",
                                                                    "unhandled system error",
                                                                    "internal error",
                                                                    "invalid argument",
                                                                    "invalid usage",
                                                                    "remote process exited or there was a network error",
                                                                    "NCCL operation in progress"};
  return texts.at(static_cast<std::size_t>(result));
}

const char* ncclGetLastError(ncclComm_t) { return last_failure; }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  *id = {};
  std::random_device random;
  const std::string name = parconv::concat("parconv-emulator-", ::getpid(), "-", random(), "-", random());
  std::copy(name.begin(), name.end(), id->internal);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  if (rank < 0 || rank >= size) return failed(ncclInvalidArgument, "no such rank");
  if (config->blocking != 0) abort_with("unsupported: a blocking communicator");
  *comm = new ncclComm{std::make_shared<Communicator>(id.internal, rank, size)};
  (*comm)->communicator->start();
  return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* result) {
  *result = comm->communicator->state();
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  comm->communicator->abort();
  delete comm;
  return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
  ++group.depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (group.depth == 0) return failed(ncclInvalidUsage, "ncclGroupEnd without ncclGroupStart");
  if (--group.depth > 0 || group.messages.empty()) return ncclSuccess;
  const Group ended = std::exchange(group, {});
  if (const ncclResult_t result = refusal(ended.comm); result != ncclSuccess) return result;
  ended.comm->communicator->launch(ended.messages, ended.stream);
  return ncclInProgress;
}

ncclResult_t ncclSend(const void* data, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  auto* const bytes = static_cast<std::byte*>(const_cast<void*>(data));
  return add({.is_sent = true, .peer = peer, .data = bytes, .bytes = count}, type, comm, stream);
}

ncclResult_t ncclRecv(void* data, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return add({.is_sent = false, .peer = peer, .data = static_cast<std::byte*>(data), .bytes = count}, type, comm, stream);
}
