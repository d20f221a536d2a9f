#include "engine/step_timer.hpp"

#include "engine/waiting.hpp"

namespace parconv {

StepTimer::StepTimer(Device& device, Communicator& communicator, std::size_t num_steps)
    : device_(device), communicator_(communicator), times_(num_steps) {
  if (device.is_host()) return;
  for (Tick& tick : ticks_) {
    tick.steps.reserve(num_steps);
    for (std::size_t k = 0; k <= num_steps; ++k) tick.events.push_back(device.make_event(EventKind::Timed));
  }
}

void StepTimer::begin_tick() {
  if (device_.is_host()) return;
  now_ = 1 - now_;
  collect(ticks_[now_]);
}

void StepTimer::begin_step(std::size_t step) {
  if (device_.is_host()) {
    begin_ = Clock::now();
    return;
  }
  Tick& tick = ticks_[now_];
  tick.events[tick.steps.size()]->record(DeviceLane::Compute);
  tick.steps.push_back(step);
}

void StepTimer::end_step(std::size_t step) {
  times_[step].calls += 1;
  if (device_.is_host()) times_[step].seconds += std::chrono::duration<double>(Clock::now() - begin_).count();
}

void StepTimer::end_tick() {
  if (device_.is_host()) return;
  const Tick& tick = ticks_[now_];
  tick.events[tick.steps.size()]->record(DeviceLane::Compute);
}

void StepTimer::finish() {
  if (device_.is_host()) return;
  collect(ticks_[1 - now_]);
  collect(ticks_[now_]);
}

void StepTimer::collect(Tick& tick) {
  wait_for(*tick.events[tick.steps.size()], communicator_);
  for (std::size_t k = 0; k < tick.steps.size(); ++k)
    times_[tick.steps[k]].seconds += tick.events[k + 1]->seconds_since(*tick.events[k]);
  tick.steps.clear();
}

}  // namespace parconv
