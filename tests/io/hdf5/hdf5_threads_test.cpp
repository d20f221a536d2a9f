// SPDX-License-Identifier: Apache-2.0
// Two stages of work on several threads: order, buffers and errors.
#include "io/hdf5/hdf5_threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace parconv::hdf5 {
namespace {

constexpr index_t num_items = 40;

/// What happened to each item.
struct Trace {
  std::vector<std::atomic<int>> stages = std::vector<std::atomic<int>>(num_items);  ///< stages that are over
  std::vector<std::atomic<index_t>> holders;                                        ///< of each buffer; -1: none
  std::vector<index_t> of_caller{};                                                 ///< items, in order
  std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> is_wrong = false;

  explicit Trace(std::size_t buffers) : holders(buffers) {
    for (auto& holder : holders) holder = -1;
  }

  void expect(bool condition) {
    if (!condition) is_wrong = true;
  }
};

void expect_stages(int threads, CallerStage caller) {
  Trace trace(num_stage_buffers(threads));
  const auto note = [&](index_t item, CallerStage stage) {
    if (threads > 1) trace.expect((std::this_thread::get_id() == trace.caller) == (stage == caller));
    if (stage == caller) trace.of_caller.push_back(item);
  };
  run_stages(num_items, threads,
             {.caller = caller,
              .first =
                  [&](index_t item, std::size_t buffer) {
                    note(item, CallerStage::First);
                    trace.expect(trace.holders[buffer].exchange(item) == -1);
                    trace.expect(trace.stages[static_cast<std::size_t>(item)].exchange(1) == 0);
                  },
              .second =
                  [&](index_t item, std::size_t buffer) {
                    note(item, CallerStage::Second);
                    trace.expect(trace.stages[static_cast<std::size_t>(item)].exchange(2) == 1);
                    trace.expect(trace.holders[buffer].exchange(-1) == item);
                  }});
  EXPECT_FALSE(trace.is_wrong) << threads;
  for (const auto& stages : trace.stages) EXPECT_EQ(stages, 2);
  ASSERT_EQ(std::ssize(trace.of_caller), num_items);
  for (index_t item = 0; item < num_items; ++item) EXPECT_EQ(trace.of_caller[static_cast<std::size_t>(item)], item);
}

TEST(Stages, FollowEachOtherInBuffersOfTheirOwn) {
  for (int threads = 1; threads <= 6; ++threads)
    for (const CallerStage caller : {CallerStage::First, CallerStage::Second}) expect_stages(threads, caller);
}

TEST(Stages, RethrowTheErrorOfEitherAndStop) {
  for (int threads = 1; threads <= 4; ++threads)
    for (const CallerStage caller : {CallerStage::First, CallerStage::Second})
      for (const bool is_first : {false, true}) {
        std::atomic<index_t> last = 0;
        const auto stage = [&](bool fails) {
          return [&last, fails](index_t item, std::size_t) {
            if (fails && item == 5) throw std::runtime_error("item 5");
            if (fails) last = item;
          };
        };
        EXPECT_THROW(run_stages(num_items, threads, {.caller = caller, .first = stage(is_first), .second = stage(!is_first)}),
                     std::runtime_error);
        EXPECT_LT(last, 5 + 4) << threads;
      }
}

TEST(Stages, WithoutItemsDoNothing) {
  const Stage never = [](index_t, std::size_t) { throw std::logic_error("called"); };
  for (int threads = 1; threads <= 3; ++threads) EXPECT_NO_THROW(run_stages(0, threads, {.first = never, .second = never}));
}

TEST(ThrowingThreads, RethrowTheFirstError) {
  try {
    on_throwing_threads(3, [](int thread) {
      if (thread > 0) throw std::runtime_error(std::to_string(thread));
    });
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "1");
  }
}

}  // namespace
}  // namespace parconv::hdf5
