#include <algorithm>
#include <thread>
#include <vector>

#include "parconv/comm/device_communicators.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + memory_alignment - 1) / memory_alignment * memory_alignment; }

/// Bytes of a device, and where they are for the inner communicator.
struct Place {
  std::byte* device = nullptr;
  std::byte* outside = nullptr;
  std::size_t size_bytes = 0;
};

/// Gives messages places in pinned memory, one after the other; or, without staging, the places that they have.
class Places {
 public:
  Places(Device& device, std::size_t bytes, DeviceAccess access)
      : memory_(device.allocate(access == DeviceAccess::Staged ? bytes : 0, MemoryKind::Pinned)), free_(memory_.data()) {}

  std::byte* add(std::byte* data, std::size_t size_bytes) {
    if (free_ == nullptr || size_bytes == 0) return data;
    places_.push_back({.device = data, .outside = free_, .size_bytes = size_bytes});
    free_ += aligned(size_bytes);
    return places_.back().outside;
  }
  const std::vector<Place>& all() const { return places_; }
  std::size_t size_bytes() const { return memory_.size(); }

 private:
  DeviceBytes memory_;
  std::byte* free_;
  std::vector<Place> places_{};
};

template <class Message>
std::size_t staged_bytes(std::span<const Message> messages) {
  std::size_t bytes = 0;
  for (const Message& message : messages) bytes += aligned(message.size_bytes);
  return bytes;
}

class StagedExchange;

/// Exchanges whose data are on the way out of the device, in the order in which they were started.
class Departures {
 public:
  /// Room for one more exchange.
  void expect_one_more() { waiting_.reserve(++expected_); }
  void add(StagedExchange& exchange) { waiting_.push_back(&exchange); }
  void remove(const StagedExchange& exchange) { std::erase(waiting_, &exchange); }
  /// Sends what has arrived.
  void advance();

 private:
  std::vector<StagedExchange*> waiting_{};
  std::size_t expected_ = 0;
};

/// Two exchanges of the inner communicator: receives may begin at once, sends when their data have left the device.
class StagedExchange final : public Exchange {
 public:
  StagedExchange(Device& device, Departures& departures, std::span<const SendMessage> sends,
                 std::span<const ReceiveMessage> receives, DeviceAccess access)
      : device_(device),
        departures_(departures),
        access_(access),
        send_places_(device, staged_bytes(sends), access),
        receive_places_(device, staged_bytes(receives), access),
        has_left_(device.make_event()),
        is_back_(device.make_event()) {
    departures.expect_one_more();
  }
  ~StagedExchange() override { departures_.remove(*this); }

  void prepare(Communicator& inner, int order, std::span<const SendMessage> sends, std::span<const ReceiveMessage> receives) {
    std::vector<SendMessage> outside_sends(sends.begin(), sends.end());
    for (SendMessage& message : outside_sends)
      message.data = send_places_.add(const_cast<std::byte*>(message.data), message.size_bytes);
    std::vector<ReceiveMessage> outside_receives(receives.begin(), receives.end());
    for (ReceiveMessage& message : outside_receives) message.data = receive_places_.add(message.data, message.size_bytes);
    sends_ = inner.prepare(order, outside_sends, {});
    receives_ = inner.prepare(order, {}, outside_receives);
  }

  void start() override {
    PARCONV_EXPECT(state_ == State::Idle, "an exchange is started before it is finished");
    state_ = State::Leaving;
    wait_until_back();
    has_left_->record(DeviceLane::Compute);
    has_left_->hold(DeviceLane::Communication);
    for (const Place& place : send_places_.all())
      device_.download(bytes_view(std::as_const(place).device, place.size_bytes), bytes_view(place.outside, place.size_bytes),
                       DeviceLane::Communication);
    has_left_->record(DeviceLane::Communication);
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

  std::size_t pinned_bytes() const override { return send_places_.size_bytes() + receive_places_.size_bytes(); }

  /// Sends if the data have left the device.
  bool depart() {
    if (!has_left_->is_reached()) return false;
    if (access_ == DeviceAccess::Direct) receives_->start();
    sends_->start();
    state_ = State::Travelling;
    return true;
  }

 private:
  enum class State { Idle, Leaving, Travelling };

  /// What was received last time has left the pinned memory.
  void wait_until_back() {
    while (!is_back_->is_reached()) {
      departures_.advance();
      std::this_thread::yield();
    }
  }

  void return_to_device() {
    for (const Place& place : receive_places_.all())
      device_.upload(bytes_view(std::as_const(place).outside, place.size_bytes), bytes_view(place.device, place.size_bytes),
                     DeviceLane::Communication);
    is_back_->record(DeviceLane::Communication);
    is_back_->hold(DeviceLane::Compute);
  }

  Device& device_;
  Departures& departures_;
  DeviceAccess access_;
  Places send_places_;
  Places receive_places_;
  std::unique_ptr<DeviceEvent> has_left_;
  std::unique_ptr<DeviceEvent> is_back_;
  std::unique_ptr<Exchange> sends_{};
  std::unique_ptr<Exchange> receives_{};
  State state_ = State::Idle;
};

void Departures::advance() {
  while (!waiting_.empty() && waiting_.front()->depart()) waiting_.erase(waiting_.begin());
}

class StagedCommunicator final : public Communicator {
 public:
  StagedCommunicator(std::unique_ptr<Communicator> inner, Device& device, DeviceAccess access)
      : inner_(std::move(inner)), device_(device), access_(access) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    auto exchange = std::make_unique<StagedExchange>(device_, departures_, sends, receives, access_);
    exchange->prepare(*inner_, order, sends, receives);
    return exchange;
  }

  void progress() override {
    departures_.advance();
    inner_->progress();
  }
  void poll() override {
    departures_.advance();
    inner_->poll();
  }
  void barrier() override { inner_->barrier(); }

 private:
  std::unique_ptr<Communicator> inner_;
  Device& device_;
  DeviceAccess access_;
  Departures departures_{};
};

}  // namespace

std::unique_ptr<Communicator> make_staged_communicator(std::unique_ptr<Communicator> inner, Device& device, DeviceAccess access) {
  return std::make_unique<StagedCommunicator>(std::move(inner), device, access);
}

}  // namespace parconv
