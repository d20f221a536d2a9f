#include "parconv/comm/faulty_communicator.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv {
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

class FaultyExchange final : public Exchange {
 public:
  FaultyExchange(std::unique_ptr<Exchange> inner, Fuse& fuse) : inner_(std::move(inner)), fuse_(fuse) {}

  void start() override {
    fuse_.pass(FaultPoint::Start);
    inner_->start();
  }
  void finish() override {
    fuse_.pass(FaultPoint::Finish);
    inner_->finish();
  }
  bool test() override { return inner_->test(); }
  void capture_start() override { inner_->capture_start(); }
  void capture_finish() override { inner_->capture_finish(); }
  void note_launch() override {
    fuse_.pass(FaultPoint::Start);
    fuse_.pass(FaultPoint::Finish);
    inner_->note_launch();
  }
  std::size_t pinned_bytes() const override { return inner_->pinned_bytes(); }

 private:
  std::unique_ptr<Exchange> inner_;
  Fuse& fuse_;
};

class FaultyCommunicator final : public Communicator {
 public:
  FaultyCommunicator(std::unique_ptr<Communicator> inner, const FaultPlan& plan) : inner_(std::move(inner)), fuse_(plan) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  void progress() override { inner_->progress(); }
  void poll() override { inner_->poll(); }
  std::string capture_problem() const override { return inner_->capture_problem(); }
  void barrier() override { inner_->barrier(); }
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    return std::make_unique<FaultyExchange>(inner_->prepare(order, sends, receives), fuse_);
  }

 private:
  std::unique_ptr<Communicator> inner_;
  Fuse fuse_;
};

}  // namespace

std::unique_ptr<Communicator> make_faulty_communicator(std::unique_ptr<Communicator> inner, const FaultPlan& plan) {
  PARCONV_EXPECT(inner != nullptr);
  PARCONV_EXPECT(plan.call >= 1, plan.call);
  return std::make_unique<FaultyCommunicator>(std::move(inner), plan);
}

}  // namespace parconv
