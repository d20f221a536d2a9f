// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>

#include <chrono>
#include <thread>
#include <vector>

#include "comm/nccl/nccl_handle.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using nccl::check;

/// All messages form one group on the communication stream. NCCL has no tags: messages between two ranks match in the order of
/// enqueueing across all exchanges. The global order makes that order equal on both sides.
class NcclExchange final : public Exchange {
 public:
  NcclExchange(const nccl::Handle& handle, Device& device, std::span<const SendMessage> sends,
               std::span<const ReceiveMessage> receives)
      : handle_(handle),
        device_(device),
        sends_(sends.begin(), sends.end()),
        receives_(receives.begin(), receives.end()),
        is_due_(device.make_event()),
        is_complete_(device.make_event()) {}

  void start() override {
    PARCONV_EXPECT(!is_active_, "an exchange is started before it is finished");
    is_active_ = true;
    enqueue();
  }

  void finish() override {
    static_cast<void>(handle_.is_in_progress());  // throws if a rank is lost
    end();
  }

  bool test() override {
    if (!is_active_) return true;
    static_cast<void>(handle_.is_in_progress());
    if (!is_complete_->is_reached()) return false;
    end();
    return true;
  }

  void capture_start() override { enqueue(); }
  void capture_finish() override { is_complete_->wait(DeviceStream::Compute); }
  void note_launch() override {}
  std::size_t pinned_bytes() const override { return 0; }

 private:
  void enqueue() {
    is_due_->record(DeviceStream::Compute);
    is_due_->wait(DeviceStream::Communication);
    enqueue_messages();
    is_complete_->record(DeviceStream::Communication);
  }

  void enqueue_messages() {
    auto* const stream = static_cast<cudaStream_t>(device_.native_stream(DeviceStream::Communication));
    check(ncclGroupStart(), "ncclGroupStart");
    for (const ReceiveMessage& message : receives_)
      if (message.size_bytes > 0)
        check(ncclRecv(message.data, message.size_bytes, ncclUint8, message.peer, handle_.get(), stream), "ncclRecv");
    for (const SendMessage& message : sends_)
      if (message.size_bytes > 0)
        check(ncclSend(message.data, message.size_bytes, ncclUint8, message.peer, handle_.get(), stream), "ncclSend");
    check(ncclGroupEnd(), "ncclGroupEnd");
    handle_.settle("a group of messages");  // enqueued on the stream only after this
    static_cast<void>(cudaGetLastError());  // NCCL may leave a harmless error behind
  }

  void end() {
    if (!is_active_) return;
    is_complete_->wait(DeviceStream::Compute);
    is_active_ = false;
  }

  const nccl::Handle& handle_;
  Device& device_;
  std::vector<SendMessage> sends_;
  std::vector<ReceiveMessage> receives_;
  std::unique_ptr<DeviceEvent> is_due_;
  std::unique_ptr<DeviceEvent> is_complete_;
  bool is_active_ = false;
};

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(Control& control, Device& device, const ncclUniqueId& id, const NcclOptions& options)
      : control_(control),
        device_(device),
        rank_(control.rank()),
        size_(control.size()),
        options_(options),
        handle_(id, {.rank = rank_, .size = size_}, options) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    PARCONV_EXPECT(order >= 0, "order ", order);
    return std::make_unique<NcclExchange>(handle_, device_, sends, receives);
  }

  void progress() override { poll(); }
  void poll() override { static_cast<void>(handle_.is_in_progress()); }
  /// All connections exist since `connect`; NCCL cannot connect during a capture.
  std::string capture_problem() const override { return {}; }
  void barrier() override { control_.barrier(); }

  /// Waits for all ranks and exchanges a byte between every pair: the first message opens the connection.
  void connect() {
    handle_.settle("ncclCommInitRankConfig");
    first_bytes_ = device_.allocate(2 * static_cast<std::size_t>(size_));
    std::vector<SendMessage> sends;
    std::vector<ReceiveMessage> receives;
    for (int peer = 0; peer < size_; ++peer) {
      sends.push_back({.peer = peer, .data = first_bytes_.data() + peer, .size_bytes = 1});
      receives.push_back({.peer = peer, .data = first_bytes_.data() + size_ + peer, .size_bytes = 1});
    }
    NcclExchange exchange(handle_, device_, sends, receives);
    exchange.start();
    await(exchange);
    first_bytes_ = {};
  }

 private:
  void await(Exchange& exchange) const {
    const auto begin = std::chrono::steady_clock::now();
    while (!exchange.test()) {
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
      if (spent.count() > options_.timeout_seconds)
        throw Error(ExitCode::Communication, concat("the first messages did not arrive within ", options_.timeout_seconds, " s"),
                    "Check the network between the hosts; set NCCL_DEBUG=INFO for details.");
      std::this_thread::yield();
    }
  }

  Control& control_;
  Device& device_;
  int rank_;
  int size_;
  NcclOptions options_;
  /// Declared before the handle, so freed after it: cudaFree waits for the GPU and would deadlock on messages of a lost rank,
  /// which the handle aborts.
  DeviceBytes first_bytes_{};
  nccl::Handle handle_;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(Control& control, Device& device, const NcclOptions& options) {
  const auto text = coordinated(control, "starting NCCL", [&] {
    PARCONV_EXPECT(device.platform() == DevicePlatform::Cuda, "NCCL on ", device.name());
    return control.rank() == 0 ? nccl::make_id() : std::string();
  });
  const ncclUniqueId id = nccl::id_from(control.broadcast(text));
  control.barrier();
  return coordinated(control, "connecting GPUs", [&]() -> std::unique_ptr<Communicator> {
    auto communicator = std::make_unique<NcclCommunicator>(control, device, id, options);
    communicator->connect();
    return communicator;
  });
}

}  // namespace parconv
