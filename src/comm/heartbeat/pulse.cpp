// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/heartbeat/pulse.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace parconv {
namespace {

/// Process ids mean nothing to processes of another namespace, as in another container.
index_t own_pid_namespace() {
  struct stat status{};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? static_cast<index_t>(status.st_ino) : 0;
}

}  // namespace

PulseFields fields_of(const Pulse& pulse) {
  return {static_cast<index_t>(pulse.activity),
          pulse.phase,
          pulse.node,
          pulse.micro_batch,
          pulse.progress,
          pulse.meetings,
          pulse.beats,
          pulse.busy_ms,
          pulse.pid,
          pulse.pid_namespace,
          pulse.signal,
          static_cast<index_t>(pulse.process)};
}

Pulse pulse_of(const PulseFields& fields) {
  return {.activity = static_cast<Activity>(fields[PulseCell::ActivityField]),
          .phase = static_cast<int>(fields[PulseCell::Phase]),
          .node = static_cast<int>(fields[PulseCell::Node]),
          .micro_batch = fields[PulseCell::MicroBatch],
          .progress = fields[PulseCell::Progress],
          .meetings = fields[PulseCell::Meetings],
          .beats = fields[PulseCell::Beats],
          .busy_ms = fields[PulseCell::BusyMs],
          .pid = fields[PulseCell::Pid],
          .pid_namespace = fields[PulseCell::PidNamespace],
          .signal = static_cast<int>(fields[PulseCell::Signal]),
          .process = static_cast<ProcessState>(fields[PulseCell::Process])};
}

Pulse PulseCell::load() const {
  PulseFields fields{};
  for (std::size_t k = 0; k < fields.size(); ++k) fields[k] = fields_[k].load(std::memory_order_relaxed);
  return pulse_of(fields);
}

void PulseCell::store(const Pulse& pulse) {
  const PulseFields fields = fields_of(pulse);
  for (std::size_t k = 0; k < fields.size(); ++k) fields_[k].store(fields[k], std::memory_order_relaxed);
}

RankPulse::RankPulse() : cell_(&own_) {
  own_.store({.activity = Activity::Working, .pid = ::getpid(), .pid_namespace = own_pid_namespace()});
}

void RankPulse::enter(int phase) {
  PulseCell& now = cell();
  set(Activity::Working);
  now.set(PulseCell::Phase, phase);
  now.set(PulseCell::Node, -1);
  now.increment(PulseCell::Progress);
}

void RankPulse::at_layer(int node, index_t micro_batch) {
  PulseCell& now = cell();
  set(Activity::Working);
  now.set(PulseCell::Node, node);
  now.set(PulseCell::MicroBatch, micro_batch);
}

void RankPulse::set(Activity activity) {
  if (!has_ended_.load(std::memory_order_relaxed)) cell().set(PulseCell::ActivityField, static_cast<index_t>(activity));
}

void RankPulse::end() {
  has_ended_.store(true);
  cell().set(PulseCell::ActivityField, static_cast<index_t>(Activity::Ended));
}

void RankPulse::beat(index_t busy_ms) {
  PulseCell& now = cell();
  now.set(PulseCell::BusyMs, busy_ms);
  now.increment(PulseCell::Beats);
}

void RankPulse::move_to(PulseCell& shared) {
  shared.store(load());
  cell_.store(&shared, std::memory_order_release);
}

ActivityScope::ActivityScope(RankPulse* pulse, Activity activity) : pulse_(pulse) {
  if (pulse_ == nullptr) return;
  outer_ = pulse_->activity();
  pulse_->set(activity);
}

ActivityScope::~ActivityScope() {
  if (pulse_ != nullptr) pulse_->set(outer_);
}

}  // namespace parconv
