#include "support/queued_communicator.hpp"

#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

class QueuedExchange final : public Exchange {
 public:
  QueuedExchange(FakeDevice& device, std::unique_ptr<Exchange> inner)
      : device_(device),
        inner_(std::move(inner)),
        is_due_(device.make_event(EventKind::Order)),
        is_complete_(device.make_event(EventKind::Order)) {}

  void start() override {
    PARCONV_EXPECT(!is_active_, "an exchange is started before it is finished");
    is_active_ = true;
    give();
  }
  void finish() override {
    if (is_active_) is_complete_->hold(DeviceLane::Compute);
    is_active_ = false;
  }
  bool test() override {
    if (is_active_ && !is_complete_->is_reached()) return false;
    finish();
    return true;
  }
  void capture_start() override { give(); }
  void capture_finish() override { is_complete_->hold(DeviceLane::Compute); }

 private:
  void give() {
    is_due_->record(DeviceLane::Compute);
    is_due_->hold(DeviceLane::Communication);
    device_.submit(DeviceLane::Communication, [this] {
      inner_->start();
      inner_->finish();
    });
    is_complete_->record(DeviceLane::Communication);
  }

  FakeDevice& device_;
  std::unique_ptr<Exchange> inner_;
  std::unique_ptr<DeviceEvent> is_due_;
  std::unique_ptr<DeviceEvent> is_complete_;
  bool is_active_ = false;
};

class QueuedCommunicator final : public Communicator {
 public:
  QueuedCommunicator(std::unique_ptr<Communicator> inner, FakeDevice& device) : inner_(std::move(inner)), device_(device) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  void progress() override { inner_->progress(); }
  void poll() override { inner_->poll(); }
  std::string capture_problem() const override { return {}; }
  void barrier() override { inner_->barrier(); }

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    std::vector<SendMessage> real_sends(sends.begin(), sends.end());
    for (SendMessage& message : real_sends)
      if (message.size_bytes > 0) message.data = device_.real(message.data);
    std::vector<ReceiveMessage> real_receives(receives.begin(), receives.end());
    for (ReceiveMessage& message : real_receives)
      if (message.size_bytes > 0) message.data = device_.real(message.data);
    return std::make_unique<QueuedExchange>(device_, inner_->prepare(order, real_sends, real_receives));
  }

 private:
  std::unique_ptr<Communicator> inner_;
  FakeDevice& device_;
};

}  // namespace

std::unique_ptr<Communicator> make_queued_communicator(std::unique_ptr<Communicator> inner, FakeDevice& device) {
  return std::make_unique<QueuedCommunicator>(std::move(inner), device);
}

}  // namespace parconv::test
