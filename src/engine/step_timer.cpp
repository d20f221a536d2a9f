// SPDX-License-Identifier: Apache-2.0
#include "engine/step_timer.hpp"

namespace parconv {

DeviceStepTimer::DeviceStepTimer(Device& device, std::size_t num_steps) : times_(num_steps) {
  for (TickEvents& tick : ticks_) {
    tick.steps.reserve(num_steps);
    for (std::size_t k = 0; k <= num_steps; ++k) tick.events.push_back(device.make_event(EventKind::Timed));
  }
}

void DeviceStepTimer::begin_tick(index_t tick) {
  now_ = &turn(tick);
  collect(*now_);
}

void DeviceStepTimer::begin_step(std::size_t step) {
  now_->events[now_->steps.size()]->record(DeviceStream::Compute);
  now_->steps.push_back(step);
  times_[step].calls += 1;
}

void DeviceStepTimer::end_tick() { now_->events[now_->steps.size()]->record(DeviceStream::Compute); }

void DeviceStepTimer::capture_mark(index_t tick, std::size_t step) { turn(tick).events[step]->record(DeviceStream::Compute); }

void DeviceStepTimer::note_launch() {
  for (std::size_t step = 0; step < times_.size(); ++step) {
    now_->steps.push_back(step);
    times_[step].calls += 1;
  }
}

void DeviceStepTimer::finish() {
  for (TickEvents& tick : ticks_) collect(tick);
}

void DeviceStepTimer::collect(TickEvents& tick) {
  for (std::size_t k = 0; k < tick.steps.size(); ++k)
    times_[tick.steps[k]].seconds += tick.events[k + 1]->seconds_since(*tick.events[k]);
  tick.steps.clear();
}

}  // namespace parconv
