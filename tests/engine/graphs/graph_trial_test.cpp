// SPDX-License-Identifier: Apache-2.0
// When graphs are tried and when they are kept.
#include "engine/graphs/graph_trial.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parconv {
namespace {

using Task = GraphTrial::Task;

/// The tasks of the next ticks, one letter each. Collective tasks succeed and are listed before their tick.
std::string tasks(GraphTrial& trial, int ticks, double direct_seconds = 1, double graph_seconds = 0.5) {
  std::string text;
  for (int k = 0; k < ticks; ++k) {
    if (trial.task() == Task::Capture) {
      text += 'C';
      trial.set_captured(true);
    }
    if (trial.task() == Task::Judge) {
      text += 'J';
      trial.judge(direct_seconds, graph_seconds);
    }
    text += trial.task() == Task::Launch ? 'g' : '.';
    trial.count_tick();
  }
  return text;
}

std::string times(int count, char letter) { return std::string(static_cast<std::size_t>(count), letter); }

constexpr int timed = static_cast<int>(GraphTrial::timed_ticks);

TEST(GraphTrial, AutoTriesBothAndKeepsTheFaster) {
  GraphTrial trial(GraphUse::Auto, 6);
  EXPECT_EQ(tasks(trial, 6 + 2 * timed + 5), times(6 + timed, '.') + 'C' + times(timed, 'g') + 'J' + "ggggg");
  EXPECT_TRUE(trial.is_kept());
}

TEST(GraphTrial, AutoDropsSmallGains) {
  GraphTrial trial(GraphUse::Auto, 2);
  EXPECT_EQ(tasks(trial, 2 + 2 * timed + 3, 1.0, 0.985), times(2 + timed, '.') + 'C' + times(timed, 'g') + 'J' + "...");
  EXPECT_FALSE(trial.is_kept());
}

TEST(GraphTrial, TheGainHasToBeMoreThanTwoPercent) {
  for (const auto& [graph_seconds, is_kept] : {std::pair{0.979, true}, {0.98, false}, {1.0, false}, {1.5, false}}) {
    GraphTrial trial(GraphUse::Auto, 2);
    tasks(trial, 2 + 2 * timed + 1, 1.0, graph_seconds);
    EXPECT_EQ(trial.is_kept(), is_kept) << graph_seconds;
  }
}

TEST(GraphTrial, OnMeasuresNothing) {
  GraphTrial trial(GraphUse::On, 4);
  EXPECT_EQ(tasks(trial, 10), "....Cgggggg");
  trial.add_time(8, TickWay::Graph, 1);
  EXPECT_EQ(trial.median_seconds(TickWay::Graph), 0);
}

TEST(GraphTrial, FailedCaptureMeansDirectTicks) {
  GraphTrial trial(GraphUse::On, 2);
  EXPECT_EQ(tasks(trial, 2), "..");
  EXPECT_EQ(trial.task(), Task::Capture);
  trial.set_captured(false);
  EXPECT_EQ(tasks(trial, 50), times(50, '.'));
}

TEST(GraphTrial, MediansExcludeTheWarmUp) {
  GraphTrial trial(GraphUse::Auto, 3);
  EXPECT_EQ(trial.median_seconds(TickWay::Direct), 0);
  for (const double seconds : {100.0, 100.0, 100.0, 4.0, 1.0, 2.0, 50.0, 3.0}) {
    trial.add_time(trial.number(), TickWay::Direct, seconds);
    trial.count_tick();
  }
  trial.add_time(30, TickWay::Graph, 7);
  EXPECT_EQ(trial.median_seconds(TickWay::Direct), 3);
  EXPECT_EQ(trial.median_seconds(TickWay::Graph), 7);
}

}  // namespace
}  // namespace parconv
