// SPDX-License-Identifier: Apache-2.0
// Every communicator decorator forwards all methods that it does not change.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/forwarding_communicator.hpp"
#include "parconv/comm/watched_communicator.hpp"
#include "parconv/core/error.hpp"
#include "support/fakes/faulty_communicator.hpp"

namespace parconv {
namespace {

using Calls = std::vector<std::string>;

/// Records its calls and returns distinct results. A new method of Exchange must be added here (to compile) and below.
class ProbingExchange final : public Exchange {
 public:
  ProbingExchange(Calls& calls, bool is_complete) : calls_(calls), is_complete_(is_complete) {}

  void start() override { calls_.emplace_back("start"); }
  void finish() override { calls_.emplace_back("finish"); }
  bool test() override {
    calls_.emplace_back("test");
    return is_complete_;
  }
  void capture_start() override { calls_.emplace_back("capture_start"); }
  void capture_finish() override { calls_.emplace_back("capture_finish"); }
  void note_launch() override { calls_.emplace_back("note_launch"); }
  std::size_t pinned_bytes() const override { return 77; }

 private:
  Calls& calls_;
  bool is_complete_;
};

/// The recording communicator; its exchanges of order 1 are complete.
class ProbingCommunicator final : public Communicator {
 public:
  explicit ProbingCommunicator(Calls& calls) : calls_(calls) {}

  int rank() const override { return 3; }
  int size() const override { return 5; }
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    calls_.push_back(concat("prepare ", order, " to ", sends.front().peer, " from ", receives.front().peer));
    return std::make_unique<ProbingExchange>(calls_, order == 1);
  }
  void progress() override { calls_.emplace_back("progress"); }
  void poll() override { calls_.emplace_back("poll"); }
  std::string capture_problem() const override { return "a probe"; }
  void barrier() override { calls_.emplace_back("barrier"); }

 private:
  Calls& calls_;
};

/// The first new virtual function of a derived class follows all of its base's in the vtable (Itanium C++ ABI, section 2.5.2).
template <class T>
struct WithOneMore : T {
  virtual void one_more() {}
};

/// The number of virtual functions of T without the destructor, which has two entries.
template <class T>
std::size_t num_virtual_functions() {
  const auto member = &WithOneMore<T>::one_more;
  std::uintptr_t offset = 0;
  std::memcpy(&offset, &member, sizeof offset);
  return offset / sizeof(void*) - 2;  // the lowest bit may mark a virtual function
}

/// Fails if a virtual method is added, pure or not: it must be forwarded and tested here.
TEST(Forwarding, TestCoversAllMethods) {
  EXPECT_EQ(num_virtual_functions<Communicator>(), 7U);
  EXPECT_EQ(num_virtual_functions<Exchange>(), 7U);
}

class PlainDecorator final : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    return std::make_unique<ForwardingExchange>(ForwardingCommunicator::prepare(order, sends, receives));
  }
};

struct Decorator {
  const char* name;
  std::function<std::unique_ptr<Communicator>(std::unique_ptr<Communicator>)> decorate;
};

class EveryDecorator : public ::testing::Test {
 protected:
  std::unique_ptr<Communicator> probe() { return std::make_unique<ProbingCommunicator>(calls_); }

  std::vector<Decorator> decorators() {
    return {
        {"plain", [](auto inner) { return std::make_unique<PlainDecorator>(std::move(inner)); }},
        {"counting", [](auto inner) { return std::make_unique<CountingCommunicator>(std::move(inner)); }},
        {"watched", [this](auto inner) { return std::make_unique<WatchedCommunicator>(std::move(inner), watchdog_); }},
        {"faulty", [](auto inner) { return test::make_faulty_communicator(std::move(inner), {}); }},
    };
  }

  static std::unique_ptr<Exchange> prepare(Communicator& communicator, int order) {
    const std::byte sent{};
    std::byte received{};
    const SendMessage send{.peer = 1, .data = &sent, .size_bytes = 1};
    const ReceiveMessage receive{.peer = 2, .data = &received, .size_bytes = 1};
    return communicator.prepare(order, {&send, 1}, {&receive, 1});
  }

  Calls calls_{};
  Watchdog watchdog_{[](const std::string&, double) {}};
};

TEST_F(EveryDecorator, ForwardsTheCallsOfACommunicator) {
  for (const Decorator& each : decorators()) {
    SCOPED_TRACE(each.name);
    calls_.clear();
    const auto communicator = each.decorate(probe());
    EXPECT_EQ(communicator->rank(), 3);
    EXPECT_EQ(communicator->size(), 5);
    EXPECT_EQ(communicator->capture_problem(), "a probe");
    communicator->progress();
    communicator->poll();
    communicator->barrier();
    prepare(*communicator, 9);
    EXPECT_EQ(calls_, (Calls{"progress", "poll", "barrier", "prepare 9 to 1 from 2"}));
  }
}

TEST_F(EveryDecorator, ForwardsTheCallsOfAnExchange) {
  for (const Decorator& each : decorators()) {
    SCOPED_TRACE(each.name);
    const auto communicator = each.decorate(probe());
    const auto exchange = prepare(*communicator, 0);
    calls_.clear();
    exchange->start();
    exchange->finish();
    EXPECT_FALSE(exchange->test());
    exchange->capture_start();
    exchange->capture_finish();
    exchange->note_launch();
    EXPECT_EQ(calls_, (Calls{"start", "finish", "test", "capture_start", "capture_finish", "note_launch"}));
    EXPECT_EQ(exchange->pinned_bytes(), 77U);
    EXPECT_TRUE(prepare(*communicator, 1)->test());
  }
}

TEST_F(EveryDecorator, RejectsANullInner) {
  for (const Decorator& each : decorators()) EXPECT_THROW(each.decorate(nullptr), Bug) << each.name;
}

/// Calls `work` every millisecond until `seconds` have passed or `is_over`. Returns the longest time between two calls.
double repeat(double seconds, const std::atomic<bool>& is_over, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_from = [](Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  const Clock::time_point begin = Clock::now();
  double longest = 0;
  while (seconds_from(begin) < seconds && !is_over) {
    const Clock::time_point before = Clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    work();
    longest = std::max(longest, seconds_from(before));
  }
  return longest;
}

TEST(WatchedCommunicator, ProgressCountsAndPollingDoesNot) {
  constexpr double deadline_seconds = 0.6;
  std::atomic<bool> is_expired = false;
  Watchdog watchdog([&](const std::string&, double) { is_expired = true; });
  Calls calls;
  WatchedCommunicator communicator(std::make_unique<ProbingCommunicator>(calls), watchdog);
  watchdog.arm("a test", deadline_seconds);
  const double longest = repeat(2 * deadline_seconds, is_expired, [&] { communicator.progress(); });
  if (longest > deadline_seconds) GTEST_SKIP() << "this machine let the test wait for " << longest << " s";
  EXPECT_FALSE(is_expired) << "a rank that makes progress was ended";
  repeat(60, is_expired, [&] { communicator.poll(); });
  EXPECT_TRUE(is_expired) << "a rank that only waits was not ended";
}

TEST(WatchedCommunicator, CountsMessages) {
  Calls calls;
  Watchdog watchdog([](const std::string&, double) {});
  WatchedCommunicator communicator(std::make_unique<ProbingCommunicator>(calls), watchdog);
  const std::byte sent[4]{};
  const SendMessage send{.peer = 1, .data = sent, .size_bytes = 4};
  const ReceiveMessage to_self{.peer = 3, .size_bytes = 9};
  communicator.prepare(2, {&send, 1}, {&to_self, 1})->start();
  EXPECT_EQ(communicator.by_order().at(2), (Traffic{.messages_sent = 1, .bytes_sent = 4}));
  communicator.reset();
  EXPECT_EQ(communicator.total(), Traffic{});
}

}  // namespace
}  // namespace parconv
