// SPDX-License-Identifier: Apache-2.0
#include "support/fakes/faulty_communicator.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include "parconv/comm/forwarding_communicator.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

[[noreturn]] void hang() {
  while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
}

void commit(const FaultPlan& plan) {
  switch (plan.fault) {
    case Fault::None:
      return;
    case Fault::Throw:
      throw Error(ExitCode::Communication, concat("injected fault at call ", plan.call));
    case Fault::Exit:
      std::_Exit(plan.exit_code);
    case Fault::Hang:
      hang();
    case Fault::Kill:
      std::raise(SIGKILL);
      return;
  }
}

/// Counts down to the fault; shared by all exchanges of one communicator.
class Fuse {
 public:
  explicit Fuse(const FaultPlan& plan) : plan_(plan) {}

  void pass(FaultPoint point) {
    if (point == plan_.at && ++num_calls_ == plan_.call) commit(plan_);
  }

 private:
  FaultPlan plan_;
  index_t num_calls_ = 0;
};

class FaultyExchange final : public ForwardingExchange {
 public:
  FaultyExchange(std::unique_ptr<Exchange> inner, Fuse& fuse) : ForwardingExchange(std::move(inner)), fuse_(fuse) {}

  void start() override {
    fuse_.pass(FaultPoint::Start);
    ForwardingExchange::start();
  }
  void finish() override {
    fuse_.pass(FaultPoint::Finish);
    ForwardingExchange::finish();
  }
  void note_launch() override {
    fuse_.pass(FaultPoint::Start);
    fuse_.pass(FaultPoint::Finish);
    ForwardingExchange::note_launch();
  }

 private:
  Fuse& fuse_;
};

class FaultyCommunicator final : public ForwardingCommunicator {
 public:
  FaultyCommunicator(std::unique_ptr<Communicator> inner, const FaultPlan& plan)
      : ForwardingCommunicator(std::move(inner)), fuse_(plan) {}

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    return std::make_unique<FaultyExchange>(ForwardingCommunicator::prepare(order, sends, receives), fuse_);
  }

 private:
  Fuse fuse_;
};

}  // namespace

std::unique_ptr<Communicator> make_faulty_communicator(std::unique_ptr<Communicator> inner, const FaultPlan& plan) {
  PARCONV_EXPECT(plan.call >= 1, plan.call);
  return std::make_unique<FaultyCommunicator>(std::move(inner), plan);
}

}  // namespace parconv::test
