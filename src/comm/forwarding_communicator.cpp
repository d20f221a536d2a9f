// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/forwarding_communicator.hpp"

#include <utility>

#include "parconv/core/error.hpp"

namespace parconv {

ForwardingExchange::ForwardingExchange(std::unique_ptr<Exchange> inner) : inner_(std::move(inner)) {
  PARCONV_EXPECT(inner_ != nullptr);
}

void ForwardingExchange::start() { inner_->start(); }
void ForwardingExchange::finish() { inner_->finish(); }
bool ForwardingExchange::test() { return inner_->test(); }
void ForwardingExchange::capture_start() { inner_->capture_start(); }
void ForwardingExchange::capture_finish() { inner_->capture_finish(); }
void ForwardingExchange::note_launch() { inner_->note_launch(); }
std::size_t ForwardingExchange::pinned_bytes() const { return inner_->pinned_bytes(); }

ForwardingCommunicator::ForwardingCommunicator(std::unique_ptr<Communicator> inner) : inner_(std::move(inner)) {
  PARCONV_EXPECT(inner_ != nullptr);
}

int ForwardingCommunicator::rank() const { return inner_->rank(); }
int ForwardingCommunicator::size() const { return inner_->size(); }
std::unique_ptr<Exchange> ForwardingCommunicator::prepare(int order, std::span<const SendMessage> sends,
                                                          std::span<const ReceiveMessage> receives) {
  return inner_->prepare(order, sends, receives);
}
void ForwardingCommunicator::progress() { inner_->progress(); }
void ForwardingCommunicator::poll() { inner_->poll(); }
std::string ForwardingCommunicator::capture_problem() const { return inner_->capture_problem(); }
void ForwardingCommunicator::barrier() { inner_->barrier(); }

}  // namespace parconv
