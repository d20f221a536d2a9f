// SPDX-License-Identifier: Apache-2.0
#include "support/fakes/queued_communicator.hpp"

#include <vector>

#include "parconv/comm/forwarding_communicator.hpp"
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
    enqueue();
  }
  void finish() override {
    if (is_active_) is_complete_->wait(DeviceStream::Compute);
    is_active_ = false;
  }
  bool test() override {
    if (is_active_ && !is_complete_->is_reached()) return false;
    finish();
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
    device_.submit(DeviceStream::Communication, [this] {
      inner_->start();
      inner_->finish();
    });
    is_complete_->record(DeviceStream::Communication);
  }

  FakeDevice& device_;
  std::unique_ptr<Exchange> inner_;
  std::unique_ptr<DeviceEvent> is_due_;
  std::unique_ptr<DeviceEvent> is_complete_;
  bool is_active_ = false;
};

class QueuedCommunicator final : public ForwardingCommunicator {
 public:
  QueuedCommunicator(std::unique_ptr<Communicator> inner, FakeDevice& device)
      : ForwardingCommunicator(std::move(inner)), device_(device) {}

  std::string capture_problem() const override { return {}; }

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    std::vector<SendMessage> real_sends(sends.begin(), sends.end());
    for (SendMessage& message : real_sends)
      if (message.size_bytes > 0) message.data = device_.real(message.data);
    std::vector<ReceiveMessage> real_receives(receives.begin(), receives.end());
    for (ReceiveMessage& message : real_receives)
      if (message.size_bytes > 0) message.data = device_.real(message.data);
    return std::make_unique<QueuedExchange>(device_, inner().prepare(order, real_sends, real_receives));
  }

 private:
  FakeDevice& device_;
};

}  // namespace

std::unique_ptr<Communicator> make_queued_communicator(std::unique_ptr<Communicator> inner, FakeDevice& device) {
  return std::make_unique<QueuedCommunicator>(std::move(inner), device);
}

}  // namespace parconv::test
