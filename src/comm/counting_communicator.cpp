#include "parconv/comm/counting_communicator.hpp"

#include <utility>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

Traffic traffic_of(int rank, std::span<const SendMessage> sends, std::span<const ReceiveMessage> receives) {
  const auto counts = [rank](const auto& message) { return message.peer != rank && message.size_bytes > 0; };
  Traffic traffic;
  for (const SendMessage& message : sends)
    if (counts(message)) traffic += {.messages_sent = 1, .bytes_sent = static_cast<index_t>(message.size_bytes)};
  for (const ReceiveMessage& message : receives)
    if (counts(message)) traffic += {.messages_received = 1, .bytes_received = static_cast<index_t>(message.size_bytes)};
  return traffic;
}

class CountingExchange final : public Exchange {
 public:
  CountingExchange(std::unique_ptr<Exchange> inner, const Traffic& traffic, Traffic& counted)
      : inner_(std::move(inner)), traffic_(traffic), counted_(counted) {}

  void start() override {
    inner_->start();
    counted_ += traffic_;
  }
  void finish() override { inner_->finish(); }
  bool test() override { return inner_->test(); }
  void capture_start() override { inner_->capture_start(); }
  void capture_finish() override { inner_->capture_finish(); }
  void note_launch() override {
    inner_->note_launch();
    counted_ += traffic_;
  }
  std::size_t pinned_bytes() const override { return inner_->pinned_bytes(); }

 private:
  std::unique_ptr<Exchange> inner_;
  Traffic traffic_;
  Traffic& counted_;
};

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  messages_sent += other.messages_sent;
  bytes_sent += other.bytes_sent;
  messages_received += other.messages_received;
  bytes_received += other.bytes_received;
  return *this;
}

CountingCommunicator::CountingCommunicator(std::unique_ptr<Communicator> inner) : inner_(std::move(inner)) {
  PARCONV_EXPECT(inner_ != nullptr);
}

int CountingCommunicator::rank() const { return inner_->rank(); }
int CountingCommunicator::size() const { return inner_->size(); }
void CountingCommunicator::progress() { inner_->progress(); }
void CountingCommunicator::poll() { inner_->poll(); }
std::string CountingCommunicator::capture_problem() const { return inner_->capture_problem(); }
void CountingCommunicator::barrier() { inner_->barrier(); }

std::unique_ptr<Exchange> CountingCommunicator::prepare(int order, std::span<const SendMessage> sends,
                                                        std::span<const ReceiveMessage> receives) {
  std::unique_ptr<Exchange> exchange = inner_->prepare(order, sends, receives);
  return std::make_unique<CountingExchange>(std::move(exchange), traffic_of(rank(), sends, receives), by_order_[order]);
}

Traffic CountingCommunicator::total() const {
  Traffic sum;
  for (const auto& [order, traffic] : by_order_) sum += traffic;
  return sum;
}

void CountingCommunicator::reset() {
  for (auto& [order, traffic] : by_order_) traffic = {};
}

}  // namespace parconv
