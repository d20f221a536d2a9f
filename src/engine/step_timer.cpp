#include "engine/step_timer.hpp"

namespace parconv {

StepTimer::StepTimer(Device& device, std::size_t num_steps) : is_host_(device.is_host()), times_(num_steps) {
  if (is_host_) return;
  for (Tick& tick : ticks_) {
    tick.steps.reserve(num_steps);
    for (std::size_t k = 0; k <= num_steps; ++k) tick.events.push_back(device.make_event(EventKind::Timed));
  }
}

void StepTimer::begin_tick(index_t tick) {
  now_ = &turn(tick);
  collect(*now_);
}

void StepTimer::begin_step(std::size_t step) {
  if (is_host_) {
    begin_ = Clock::now();
    return;
  }
  now_->events[now_->steps.size()]->record(DeviceLane::Compute);
  now_->steps.push_back(step);
}

void StepTimer::end_step(std::size_t step) {
  times_[step].calls += 1;
  if (is_host_) times_[step].seconds += std::chrono::duration<double>(Clock::now() - begin_).count();
}

void StepTimer::end_tick() {
  if (!is_host_) now_->events[now_->steps.size()]->record(DeviceLane::Compute);
}

void StepTimer::capture_mark(index_t tick, std::size_t step) { turn(tick).events[step]->record(DeviceLane::Compute); }

void StepTimer::note_launch() {
  for (std::size_t step = 0; step < times_.size(); ++step) {
    now_->steps.push_back(step);
    times_[step].calls += 1;
  }
}

void StepTimer::finish() {
  for (Tick& tick : ticks_) collect(tick);
}

void StepTimer::collect(Tick& tick) {
  for (std::size_t k = 0; k < tick.steps.size(); ++k)
    times_[tick.steps[k]].seconds += tick.events[k + 1]->seconds_since(*tick.events[k]);
  tick.steps.clear();
}

}  // namespace parconv
