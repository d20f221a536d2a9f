// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <thread>
#include <vector>

#include "parconv/comm/device_communicators.hpp"
#include "parconv/comm/forwarding_communicator.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + memory_alignment - 1) / memory_alignment * memory_alignment; }

/// A message in device memory and its address for the inner communicator.
struct StagedMessage {
  std::byte* device = nullptr;
  std::byte* outside = nullptr;
  std::size_t size_bytes = 0;
};

/// Assigns messages consecutive pinned memory; without staging they keep their device addresses.
class StagingArea {
 public:
  StagingArea(Device& device, std::size_t bytes, DeviceAccess access)
      : memory_(device.allocate(access == DeviceAccess::Staged ? bytes : 0, MemoryKind::Pinned)), free_(memory_.data()) {}

  std::byte* add(std::byte* data, std::size_t size_bytes) {
    if (free_ == nullptr || size_bytes == 0) return data;
    messages_.push_back({.device = data, .outside = free_, .size_bytes = size_bytes});
    free_ += aligned(size_bytes);
    return messages_.back().outside;
  }
  const std::vector<StagedMessage>& all() const { return messages_; }
  std::size_t size_bytes() const { return memory_.size(); }

 private:
  DeviceBytes memory_;
  std::byte* free_;
  std::vector<StagedMessage> messages_{};
};

template <class Message>
std::size_t staged_bytes(std::span<const Message> messages) {
  std::size_t bytes = 0;
  for (const Message& message : messages) bytes += aligned(message.size_bytes);
  return bytes;
}

class StagedExchange;

/// Exchanges whose downloads are in flight, in start order.
class Departures {
 public:
  /// Reserves room for one more exchange.
  void expect_one_more() { waiting_.reserve(++expected_); }
  void add(StagedExchange& exchange) { waiting_.push_back(&exchange); }
  void remove(const StagedExchange& exchange) { std::erase(waiting_, &exchange); }
  /// Sends the exchanges whose downloads are complete.
  void advance();

 private:
  std::vector<StagedExchange*> waiting_{};
  std::size_t expected_ = 0;
};

/// Two exchanges of the inner communicator: receives start at once, sends once their data have been downloaded.
class StagedExchange final : public UncapturedExchange {
 public:
  StagedExchange(Device& device, Departures& departures, std::span<const SendMessage> sends,
                 std::span<const ReceiveMessage> receives, DeviceAccess access)
      : device_(device),
        departures_(departures),
        access_(access),
        send_area_(device, staged_bytes(sends), access),
        receive_area_(device, staged_bytes(receives), access),
        has_left_(device.make_event()),
        is_back_(device.make_event()) {
    departures.expect_one_more();
  }
  ~StagedExchange() override { departures_.remove(*this); }

  void prepare(Communicator& inner, int order, std::span<const SendMessage> sends, std::span<const ReceiveMessage> receives) {
    std::vector<SendMessage> outside_sends(sends.begin(), sends.end());
    for (SendMessage& message : outside_sends)
      message.data = send_area_.add(const_cast<std::byte*>(message.data), message.size_bytes);
    std::vector<ReceiveMessage> outside_receives(receives.begin(), receives.end());
    for (ReceiveMessage& message : outside_receives) message.data = receive_area_.add(message.data, message.size_bytes);
    sends_ = inner.prepare(order, outside_sends, {});
    receives_ = inner.prepare(order, {}, outside_receives);
  }

  void start() override {
    PARCONV_EXPECT(state_ == State::Idle, "an exchange is started before it is finished");
    state_ = State::Leaving;
    wait_until_back();
    has_left_->record(DeviceStream::Compute);
    has_left_->wait(DeviceStream::Communication);
    for (const StagedMessage& message : send_area_.all())
      device_.download(bytes_view(std::as_const(message).device, message.size_bytes),
                       bytes_view(message.outside, message.size_bytes), DeviceStream::Communication);
    has_left_->record(DeviceStream::Communication);
    if (access_ == DeviceAccess::Staged) receives_->start();
    departures_.add(*this);
    departures_.advance();
  }

  void finish() override {
    while (!test()) std::this_thread::yield();
  }

  bool test() override {
    if (state_ == State::Idle) return true;
    departures_.advance();
    if (state_ == State::Leaving || !sends_->test() || !receives_->test()) return false;
    return_to_device();
    state_ = State::Idle;
    return true;
  }

  std::size_t pinned_bytes() const override { return send_area_.size_bytes() + receive_area_.size_bytes(); }

  /// Starts the sends if the download is complete.
  bool depart() {
    if (!has_left_->is_reached()) return false;
    if (access_ == DeviceAccess::Direct) receives_->start();
    sends_->start();
    state_ = State::Travelling;
    return true;
  }

 private:
  enum class State { Idle, Leaving, Travelling };

  /// Waits until the previous upload has left the pinned memory.
  void wait_until_back() {
    while (!is_back_->is_reached()) {
      departures_.advance();
      std::this_thread::yield();
    }
  }

  void return_to_device() {
    for (const StagedMessage& message : receive_area_.all())
      device_.upload(bytes_view(std::as_const(message).outside, message.size_bytes),
                     bytes_view(message.device, message.size_bytes), DeviceStream::Communication);
    is_back_->record(DeviceStream::Communication);
    is_back_->wait(DeviceStream::Compute);
  }

  Device& device_;
  Departures& departures_;
  DeviceAccess access_;
  StagingArea send_area_;
  StagingArea receive_area_;
  std::unique_ptr<DeviceEvent> has_left_;
  std::unique_ptr<DeviceEvent> is_back_;
  std::unique_ptr<Exchange> sends_{};
  std::unique_ptr<Exchange> receives_{};
  State state_ = State::Idle;
};

void Departures::advance() {
  while (!waiting_.empty() && waiting_.front()->depart()) waiting_.erase(waiting_.begin());
}

class StagedCommunicator final : public ForwardingCommunicator {
 public:
  StagedCommunicator(std::unique_ptr<Communicator> inner, Device& device, DeviceAccess access)
      : ForwardingCommunicator(std::move(inner)), device_(device), access_(access) {}

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    auto exchange = std::make_unique<StagedExchange>(device_, departures_, sends, receives, access_);
    exchange->prepare(inner(), order, sends, receives);
    return exchange;
  }

  void progress() override {
    departures_.advance();
    inner().progress();
  }
  void poll() override {
    departures_.advance();
    inner().poll();
  }
  std::string capture_problem() const override { return host_takes_part; }

 private:
  Device& device_;
  DeviceAccess access_;
  Departures departures_{};
};

}  // namespace

std::unique_ptr<Communicator> make_staged_communicator(std::unique_ptr<Communicator> inner, Device& device, DeviceAccess access) {
  return std::make_unique<StagedCommunicator>(std::move(inner), device, access);
}

}  // namespace parconv
