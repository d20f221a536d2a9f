// SPDX-License-Identifier: Apache-2.0
#include "session/job/run_agreement.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace parconv {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr microseconds shared_by_ticks{50000};
constexpr index_t most_ticks = 1 << 16;

/// The reduced values, in this order.
constexpr std::size_t num_values = 3;

}  // namespace

RunAgreement::RunAgreement(Control& control, RunAgreementOptions options)
    : options_(std::move(options)), is_timekeeper_(control.rank() == 0), pending_(control, num_values) {}

std::optional<RunDecision> RunAgreement::after_tick() {
  if (++ticks_ < interval_ticks_) return std::nullopt;
  std::optional<RunDecision> decision;
  if (pending_.is_pending()) decision = finish();
  start();
  return decision;
}

RunDecision RunAgreement::settle() { return pending_.is_pending() ? finish() : RunDecision{}; }

void RunAgreement::start() {
  const auto now = Clock::now();
  const bool is_due =
      is_timekeeper_ && options_.record_seconds > 0 && duration<double>(now - recorded_).count() >= options_.record_seconds;
  const StopReason reason = options_.stop_reason ? options_.stop_reason() : StopReason::None;
  const index_t tick_us = duration_cast<microseconds>(now - begin_).count() / ticks_;
  pending_.start(std::array<index_t, num_values>{static_cast<index_t>(reason), is_due ? 1 : 0, tick_us});
  ticks_ = 0;
  begin_ = now;
}

RunDecision RunAgreement::finish() {
  const std::span<const index_t> all = pending_.finish();
  interval_ticks_ = std::clamp<index_t>(shared_by_ticks.count() / std::max<index_t>(1, all[2]), 1, most_ticks);
  return {.stop = static_cast<StopReason>(all[0]), .is_record_due = all[1] == 1};
}

}  // namespace parconv
