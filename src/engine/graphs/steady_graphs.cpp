// SPDX-License-Identifier: Apache-2.0
#include "engine/graphs/steady_graphs.hpp"

#include <numeric>

#include "engine/waiting.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Collective. The problem of the lowest rank with one; empty if there is none.
std::string first_problem(Control& control, const std::string& own) {
  const auto rank = static_cast<int>(control.min(own.empty() ? control.size() : control.rank()));
  if (rank == control.size()) return {};
  return concat("rank ", rank, ": ", control.broadcast(own, rank));
}

/// Collective. The least common multiple over all ranks.
index_t common_multiple(Control& control, index_t own) {
  std::vector<index_t> numbers(static_cast<std::size_t>(control.size()));
  numbers[static_cast<std::size_t>(control.rank())] = own;
  control.all_reduce(ReduceOp::Sum, numbers);
  index_t multiple = 1;
  for (const index_t number : numbers) multiple = std::lcm(multiple, number);
  return multiple;
}

}  // namespace

SteadyGraphs::SteadyGraphs(const Parts& parts, GraphUse use, Control* control)
    : parts_(parts), use_(use), control_(control), is_drained_(parts.device.make_event()) {}

// ---- Agreement ----

std::string SteadyGraphs::own_problem() const {
  if (const std::string problem = parts_.device.capture_problem(); !problem.empty()) return problem;
  return parts_.program.communications.empty() ? std::string() : parts_.communicator.capture_problem();
}

void SteadyGraphs::begin_run(index_t micro_batches) {
  micro_batches_ = micro_batches;
  past_ = {};
  if (has_agreed_ || use_ == GraphUse::Off) return;
  has_agreed_ = true;
  if (control_ == nullptr) return refuse("the engine has no communicator for agreement");
  agree();
}

void SteadyGraphs::agree() {
  if (const std::string problem = first_problem(*control_, own_problem()); !problem.empty()) return refuse(problem);
  period_ = common_multiple(*control_, parts_.steps.period());
  last_stage_ = control_->max(last_stage(parts_.program));
  if (period_ > most_phases) return refuse(concat("addresses repeat only after ", period_, " ticks, more than ", most_phases));
  trial_.emplace(use_, period_);
}

// ---- Ticks ----

bool SteadyGraphs::takes(index_t tick) {
  if (!trial_) return false;
  take_time(tick - 2);
  Past& now = past(tick);
  now = {};
  if (!is_steady(tick)) return false;
  now = {.way = next_way(tick), .number = trial_->number()};
  trial_->count_tick();
  return now.way == TickWay::Graph;
}

void SteadyGraphs::take_time(index_t tick) {
  if (tick < 1) return;
  const Past& measured = past(tick);
  if (measured.way && measured.way == past(tick - 1).way)
    trial_->add_time(measured.number, *measured.way, parts_.clock.seconds(tick));
}

TickWay SteadyGraphs::next_way(index_t tick) {
  if (trial_->task() == GraphTrial::Task::Capture) trial_->set_captured(capture(tick));
  if (trial_->task() == GraphTrial::Task::Judge) judge();
  return trial_->task() == GraphTrial::Task::Launch ? TickWay::Graph : TickWay::Direct;
}

/// Completes all messages before a collective: a rank that is already blocked in it could not progress them.
void SteadyGraphs::drain() {
  parts_.steps.prepared().settle();
  is_drained_->record(DeviceStream::Compute);
  wait_for(*is_drained_, parts_.communicator);
}

bool SteadyGraphs::capture(index_t tick) {
  drain();
  const std::string problem = first_problem(*control_, try_capture(tick));
  if (problem.empty()) return true;
  graphs_.clear();
  refuse(problem);
  return false;
}

/// Returns the reason of a failure, empty on success. Rethrows Bug and errors of lost ranks.
std::string SteadyGraphs::try_capture(index_t tick) {
  graphs_.resize(static_cast<std::size_t>(period_));
  try {
    for (index_t t = tick; t < tick + period_; ++t) graphs_[static_cast<std::size_t>(t % period_)] = captured_tick(t);
    return {};
  } catch (const Error& failure) {
    parts_.steps.prepared().forget_captured();
    parts_.communicator.poll();
    return failure.what();
  }
}

/// The step times end before the wait for the remaining messages.
std::unique_ptr<DeviceGraph> SteadyGraphs::captured_tick(index_t tick) {
  const std::vector<Step>& steps = parts_.program.steps;
  return parts_.device.capture([&] {
    for (std::size_t k = 0; k < steps.size(); ++k) {
      parts_.timer.capture_mark(tick, k);
      parts_.steps.enqueue(k, tick - steps[k].stage, EnqueueMode::Captured);
    }
    parts_.timer.capture_mark(tick, steps.size());
    parts_.steps.prepared().settle();
  });
}

void SteadyGraphs::judge() {
  drain();
  report_.direct_tick_seconds = control_->max(trial_->median_seconds(TickWay::Direct));
  report_.graph_tick_seconds = control_->max(trial_->median_seconds(TickWay::Graph));
  trial_->judge(report_.direct_tick_seconds, report_.graph_tick_seconds);
  if (trial_->is_kept()) return;
  refuse("graphs save less than 2 %");
  graphs_.clear();
}

void SteadyGraphs::launch(index_t tick) {
  const std::vector<Step>& steps = parts_.program.steps;
  parts_.steps.prepared().settle();  // messages started by direct ticks
  graphs_[static_cast<std::size_t>(tick % period_)]->launch();
  parts_.timer.note_launch();
  for (std::size_t k = 0; k < steps.size(); ++k) parts_.steps.prepared().note_launch(k, tick - steps[k].stage);
  parts_.communicator.progress();
  ++report_.launches;
}

GraphReport SteadyGraphs::report() const {
  GraphReport report = report_;
  report.are_used = trial_ && trial_->is_kept();
  report.note = note_;
  if (use_ == GraphUse::Off) report.note = "switched off";
  if (!report.are_used && report.note.empty()) report.note = "too few steady ticks";
  return report;
}

}  // namespace parconv
