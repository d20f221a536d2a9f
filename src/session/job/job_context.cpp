// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/job/job_context.hpp"

#include <utility>

namespace parconv {
namespace {

Watchdog::Action expiry_action(const JobHooks& hooks) {
  if (hooks.on_expiry) return hooks.on_expiry;
  return [](const std::string&, double) {};
}

Watchdog::Watched watched(const JobOptions& options) {
  Heartbeat* const heartbeat = options.heartbeat;
  if (heartbeat == nullptr) return {};
  return {.is_excused = [heartbeat, seconds = options.timeout_seconds] { return heartbeat->waits_for_progress(seconds); },
          .pulse = &heartbeat->pulse()};
}

}  // namespace

JobContext::JobContext(const MpiEnvironment& environment, JobOptions options)
    : JobContext(Control(environment), std::move(options)) {}

JobContext::JobContext(Control group, JobOptions options)
    : control_(std::move(group)), options_(std::move(options)), watchdog_(expiry_action(options_.hooks), watched(options_)) {
  control_.publish(pulse());
}

double JobContext::deadline(double extra_seconds) const {
  const bool is_watched = options_.timeout_seconds > 0 && options_.hooks.on_expiry;
  return is_watched ? options_.timeout_seconds + extra_seconds : 0;
}

void JobContext::require_agreement(JobPhase phase, std::span<const Fact> facts) {
  const WatchdogPhase watched(watchdog_, name_of(phase), deadline(0));
  publish(phase);
  parconv::require_agreement(control_, name_of(phase), facts);
}

void JobContext::publish(JobPhase phase) {
  if (RankPulse* own = pulse()) own->enter(static_cast<int>(phase));
}

void JobContext::name_layers(std::vector<std::string> names) {
  const std::lock_guard lock(names_mutex_);
  layer_names_ = std::move(names);
}

std::string JobContext::layer_name(int node) const {
  const std::lock_guard lock(names_mutex_);
  return node >= 0 && node < std::ssize(layer_names_) ? layer_names_[static_cast<std::size_t>(node)] : std::string();
}

void JobContext::enter(JobPhase phase) {
  throw_if_stopped(phase);
  report_progress(phase, 0);
}

void JobContext::throw_if_stopped(JobPhase phase) const {
  const auto& reason = options_.hooks.stop_reason;
  const bool is_asked = !stops_gracefully_ && reason && reason() != StopReason::None;
  if (is_asked || options_.stop.stop_requested())
    throw Error(ExitCode::Stopped, concat("the job was stopped before ", name_of(phase)),
                "Nothing was computed: start the same command again.");
}

StopReason JobContext::agree_on_stop() {
  const auto& reason = options_.hooks.stop_reason;
  if (!reason) return StopReason::None;
  const WatchdogPhase watched(watchdog_, name_of(JobPhase::Run), deadline(0));
  return static_cast<StopReason>(control_.max(static_cast<index_t>(reason())));
}

void JobContext::require_not_stopped(JobPhase phase) {
  coordinated(control_, name_of(phase), [&] { throw_if_stopped(phase); });
}

void JobContext::report_progress(JobPhase phase, index_t ticks_done) const {
  if (options_.hooks.on_progress) options_.hooks.on_progress(phase, ticks_done);
}

void JobContext::report_lone_failure(JobPhase phase) const {
  if (options_.hooks.on_lone_failure) options_.hooks.on_lone_failure(std::current_exception(), phase);
}

void JobContext::tick(index_t ticks_done) {
  watchdog_.kick();
  report_progress(JobPhase::Run, ticks_done);
}

}  // namespace parconv
