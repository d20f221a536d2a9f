// SPDX-License-Identifier: Apache-2.0
// Deadlines, without MPI. On a slow machine tests only take longer, except where a comment says otherwise.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "parconv/comm/watchdog.hpp"

namespace parconv {
namespace {

using Deadline = Watchdog::Deadline;

/// Records expiries and waits for them.
class Recorder {
 public:
  Watchdog::Action action() {
    return [this](const std::string& phase, double seconds) {
      const std::lock_guard lock(mutex_);
      expired_.push_back({.phase = phase, .seconds = seconds});
    };
  }

  std::vector<Deadline> expired() const {
    const std::lock_guard lock(mutex_);
    return expired_;
  }

  bool waits_for(std::size_t count) const {
    for (int i = 0; i < 1000 && expired().size() < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return expired().size() >= count;
  }

 private:
  mutable std::mutex mutex_{};
  std::vector<Deadline> expired_{};
};

void sleep_seconds(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

TEST(Watchdog, ActsOnceWhenAPhaseTakesTooLong) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  watchdog.arm("reading", 0.02);
  ASSERT_TRUE(recorder.waits_for(1));
  sleep_seconds(0.1);
  EXPECT_EQ(recorder.expired(), (std::vector<Deadline>{{"reading", 0.02}}));
  EXPECT_EQ(watchdog.current(), Deadline{});
}

TEST(Watchdog, DoesNotActBeforeTheDeadline) {
  const auto begin = std::chrono::steady_clock::now();
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  watchdog.arm("reading", 0.2);
  ASSERT_TRUE(recorder.waits_for(1));
  EXPECT_GE(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 0.2);
}

TEST(Watchdog, DoesNotActAfterDisarm) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  for (int i = 0; i < 200; ++i) {
    watchdog.arm("short", 0.0005);
    std::this_thread::sleep_for(std::chrono::microseconds(i * 5));  // disarms before, at and after the deadline
    watchdog.disarm();
    const std::size_t num_expired = recorder.expired().size();
    sleep_seconds(0.001);
    EXPECT_EQ(recorder.expired().size(), num_expired);
  }
}

TEST(Watchdog, ZeroSecondsWatchNothing) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  for (double seconds : {0.0, -1.0, std::nan("")}) {
    watchdog.arm("never", seconds);
    watchdog.kick();
    EXPECT_EQ(watchdog.current(), Deadline{});
    sleep_seconds(0.03);
  }
  EXPECT_TRUE(recorder.expired().empty());
}

TEST(Watchdog, AcceptsInfiniteDeadlines) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  watchdog.arm("long", 1e300);
  sleep_seconds(0.05);
  EXPECT_TRUE(recorder.expired().empty());
  EXPECT_EQ(watchdog.current().phase, "long");
}

TEST(Watchdog, AKickRenewsTheDeadline) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  watchdog.arm("steps", 1.0);  // a kick every 0.05 s: fails only if the machine stalls for a second
  for (int i = 0; i < 30; ++i) {
    sleep_seconds(0.05);
    watchdog.kick();
  }
  EXPECT_TRUE(recorder.expired().empty());
  EXPECT_TRUE(recorder.waits_for(1));
}

TEST(Watchdog, ANewPhaseReplacesTheOld) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  watchdog.arm("old", 3600);
  watchdog.arm("new", 0.02);
  ASSERT_TRUE(recorder.waits_for(1));
  EXPECT_EQ(recorder.expired().front().phase, "new");
}

TEST(Watchdog, PhasesNest) {
  Recorder recorder;
  Watchdog watchdog(recorder.action());
  {
    const WatchdogPhase outer(watchdog, "outer", 100);
    {
      const WatchdogPhase inner(watchdog, "inner", 50);
      EXPECT_EQ(watchdog.current(), (Deadline{"inner", 50}));
    }
    EXPECT_EQ(watchdog.current(), (Deadline{"outer", 100}));
  }
  EXPECT_EQ(watchdog.current(), Deadline{});
  EXPECT_TRUE(recorder.expired().empty());
}

TEST(Watchdog, AnExcuseDefersTheAction) {
  Recorder recorder;
  std::atomic<bool> is_excused = true;
  std::atomic<int> asked = 0;
  Watchdog watchdog(recorder.action(), {.is_excused = [&] { return ++asked, is_excused.load(); }});
  watchdog.arm("waiting", 0.02);
  while (asked < 2) sleep_seconds(0.01);
  EXPECT_TRUE(recorder.expired().empty());
  is_excused = false;
  EXPECT_TRUE(recorder.waits_for(1));
}

TEST(Watchdog, KicksCountAsProgress) {
  RankPulse pulse;
  Recorder recorder;
  Watchdog watchdog(recorder.action(), {.pulse = &pulse});
  for (int k = 0; k < 3; ++k) watchdog.kick();
  EXPECT_EQ(pulse.load().progress, 3);
}

/// Watches one phase for `seconds`, and exits with 0 when it has expired.
[[noreturn]] void watch_in_child(double seconds) {
  Watchdog watchdog([](const std::string&, double) { ::_exit(0); });
  watchdog.arm("being suspended", seconds);
  sleep_seconds(60);
  ::_exit(1);
}

TEST(Watchdog, AStoppedProcessStartsItsClockAnew) {
  constexpr double seconds = 2;
  const pid_t child = ::fork();
  if (child == 0) watch_in_child(seconds);
  sleep_seconds(0.3);
  ::kill(child, SIGSTOP);
  sleep_seconds(seconds + 1);
  ::kill(child, SIGCONT);
  const auto continued = std::chrono::steady_clock::now();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "it expires in the end";
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - continued;
  EXPECT_GT(taken.count(), 0.9 * seconds) << "the clock went on while the process was stopped";
}

TEST(Watchdog, IsDestroyedWhileWatching) {
  Recorder recorder;
  {
    Watchdog watchdog(recorder.action());
    watchdog.arm("for ever", 3600);
  }
  EXPECT_TRUE(recorder.expired().empty());
}

std::atomic<bool> was_signalled{false};
std::atomic<std::thread::id> signalled_thread{};

TEST(Watchdog, LeavesSignalsToTheProgram) {
  Recorder recorder;
  const Watchdog watchdog(recorder.action());
  const auto previous = std::signal(SIGUSR1, [](int) {
    signalled_thread = std::this_thread::get_id();
    was_signalled = true;
  });
  ::kill(::getpid(), SIGUSR1);
  for (int i = 0; i < 100 && !was_signalled; ++i) sleep_seconds(0.01);
  std::signal(SIGUSR1, previous);
  EXPECT_TRUE(was_signalled);
  EXPECT_EQ(signalled_thread.load(), std::this_thread::get_id());
}

}  // namespace
}  // namespace parconv
