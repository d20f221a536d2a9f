// SPDX-License-Identifier: Apache-2.0
// Counting and fault-injecting communicators.
#include <gtest/gtest.h>

#include <vector>

#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/core/error.hpp"
#include "support/fakes/faulty_communicator.hpp"
#include "support/mpi_test.hpp"
#include "support/random.hpp"

namespace parconv {
namespace {

using test::control;
using test::Fault;
using test::FaultPoint;
using test::make_faulty_communicator;
using test::num_ranks;
using test::rank;

/// An exchange: each rank sends `bytes_from_0 + rank` bytes to the next rank and to itself, and an empty message to rank 0.
class Ring {
 public:
  Ring(Communicator& communicator, int order, std::size_t bytes_from_0) {
    const int next = (rank() + 1) % num_ranks();
    const int previous = (rank() + num_ranks() - 1) % num_ranks();
    const std::size_t mine = bytes_from_0 + static_cast<std::size_t>(rank());
    const std::size_t theirs = bytes_from_0 + static_cast<std::size_t>(previous);
    const std::vector<SendMessage> sends{{next, sent_.data(), mine}, {rank(), sent_.data(), mine}, {0, sent_.data(), 0}};
    const std::vector<ReceiveMessage> receives{{previous, received_.data(), theirs}, {rank(), to_self_.data(), mine}};
    exchange_ = communicator.prepare(order, sends, receives);
  }

  Exchange& exchange() { return *exchange_; }
  void run() {
    exchange_->start();
    exchange_->finish();
  }

 private:
  std::vector<std::byte> sent_ = std::vector<std::byte>(1000);
  std::vector<std::byte> received_ = std::vector<std::byte>(1000);
  std::vector<std::byte> to_self_ = std::vector<std::byte>(1000);
  std::unique_ptr<Exchange> exchange_{};
};

/// This rank's traffic with other ranks in `times` runs of Ring.
Traffic expected_traffic(index_t times, index_t bytes_from_0) {
  if (num_ranks() == 1) return {};
  const int previous = (rank() + num_ranks() - 1) % num_ranks();
  return {.messages_sent = times,
          .bytes_sent = times * (bytes_from_0 + rank()),
          .messages_received = times,
          .bytes_received = times * (bytes_from_0 + previous)};
}

TEST(CountingCommunicator, CountsExchangesStartedByGraphs) {
  CountingCommunicator communicator(make_mpi_communicator(control()));
  Ring ring(communicator, 4, 100);
  ring.exchange().note_launch();
  ring.exchange().note_launch();
  EXPECT_EQ(communicator.total(), expected_traffic(2, 100));
}

/// MPI messages cannot be captured under any decorator.
TEST(Decorators, ForwardTheCaptureProblem) {
  CountingCommunicator communicator(make_faulty_communicator(make_mpi_communicator(control()), {}));
  EXPECT_EQ(communicator.capture_problem(), make_mpi_communicator(control())->capture_problem());
  EXPECT_NE(communicator.capture_problem(), "");
  Ring ring(communicator, 0, 10);
  EXPECT_THROW(ring.exchange().capture_start(), Bug);
  EXPECT_THROW(ring.exchange().capture_finish(), Bug);
}

TEST(CountingCommunicator, CountsStartedExchanges) {
  CountingCommunicator communicator(make_mpi_communicator(control()));
  EXPECT_EQ(communicator.rank(), rank());
  EXPECT_EQ(communicator.size(), num_ranks());
  Ring first(communicator, 4, 100);
  Ring second(communicator, 9, 7);
  Ring third(communicator, 9, 50);
  Ring unused(communicator, 10, 50);
  EXPECT_EQ(communicator.total(), Traffic{});
  for (int i = 0; i < 3; ++i) first.run();
  second.run();
  third.run();
  Traffic of_9 = expected_traffic(1, 7);
  of_9 += expected_traffic(1, 50);
  EXPECT_EQ(communicator.by_order().at(4), expected_traffic(3, 100));
  EXPECT_EQ(communicator.by_order().at(9), of_9);
  EXPECT_EQ(communicator.by_order().at(10), Traffic{});
  Traffic all = of_9;
  all += expected_traffic(3, 100);
  EXPECT_EQ(communicator.total(), all);
}

TEST(CountingCommunicator, SentEqualsReceivedOverTheJob) {
  CountingCommunicator communicator(make_mpi_communicator(control()));
  Ring ring(communicator, 0, 33);
  ring.run();
  const Traffic total = communicator.total();
  EXPECT_EQ(control().sum(total.bytes_sent), control().sum(total.bytes_received));
  EXPECT_EQ(control().sum(total.messages_sent), num_ranks() == 1 ? 0 : num_ranks());
}

TEST(CountingCommunicator, CountsFromZeroAfterReset) {
  CountingCommunicator communicator(make_mpi_communicator(control()));
  Ring ring(communicator, 2, 11);
  ring.run();
  communicator.reset();
  EXPECT_EQ(communicator.total(), Traffic{});
  ring.run();
  EXPECT_EQ(communicator.total(), expected_traffic(1, 11));
}

TEST(FaultyCommunicator, ForwardsWithoutAFault) {
  const auto communicator = make_faulty_communicator(make_mpi_communicator(control()), {});
  Ring ring(*communicator, 0, 8);
  for (int i = 0; i < 5; ++i) ring.run();
  communicator->barrier();
}

TEST(FaultyCommunicator, ThrowsAtTheGivenStart) {
  const auto communicator =
      make_faulty_communicator(make_mpi_communicator(control()), {.fault = Fault::Throw, .at = FaultPoint::Start, .call = 3});
  Ring first(*communicator, 0, 8);
  Ring second(*communicator, 1, 8);
  first.run();
  second.run();
  try {
    first.exchange().start();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Communication);
  }
  first.run();  // a single fault, before anything was sent
}

TEST(FaultyCommunicator, ThrowsAtTheGivenFinish) {
  const auto communicator =
      make_faulty_communicator(make_mpi_communicator(control()), {.fault = Fault::Throw, .at = FaultPoint::Finish, .call = 2});
  Ring ring(*communicator, 0, 8);
  ring.run();
  ring.exchange().start();
  EXPECT_THROW(ring.exchange().finish(), Error);
  ring.exchange().finish();
}

}  // namespace
}  // namespace parconv
