// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/heartbeat/diagnosis.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace parconv {
namespace {

/// Beats and changes are seen at intervals of a tenth of a second: smaller differences say nothing.
constexpr double resolution_seconds = 0.5;

bool has_ended(const RankView& rank) { return rank.pulse.activity == Activity::Ended; }

bool takes_part(const RankView& rank) { return rank.pulse.activity != Activity::Absent && !has_ended(rank); }

/// The first of the ranks for which `is_candidate` holds that no other precedes.
template <class IsCandidate, class Precedes>
std::optional<int> first_of(std::span<const RankView> ranks, IsCandidate&& is_candidate, Precedes&& precedes) {
  std::optional<int> found;
  for (int rank = 0; rank < std::ssize(ranks); ++rank) {
    const RankView& view = ranks[static_cast<std::size_t>(rank)];
    if (!takes_part(view) || !is_candidate(view)) continue;
    if (!found || precedes(view, ranks[static_cast<std::size_t>(*found)])) found = rank;
  }
  return found;
}

bool never(const RankView&, const RankView&) { return false; }

std::optional<int> in_state(std::span<const RankView> ranks, ProcessState state) {
  return first_of(ranks, [&](const RankView& rank) { return rank.pulse.process == state; }, never);
}

std::optional<int> silent(std::span<const RankView> ranks) {
  return first_of(
      ranks, [&](const RankView& rank) { return rank.is_silent; },
      [](const RankView& a, const RankView& b) { return a.silent_seconds > b.silent_seconds + resolution_seconds; });
}

bool stands_still_longer(const RankView& a, const RankView& b) {
  if (a.pulse.meetings != b.pulse.meetings) return a.pulse.meetings < b.pulse.meetings;
  return a.still_seconds > b.still_seconds + resolution_seconds;
}

/// A polling rank waits inside the library; one that idles is blocked in a system call.
bool is_blocked_before(const RankView& a, const RankView& b) {
  if (a.is_idle != b.is_idle) return a.is_idle;
  return stands_still_longer(a, b);
}

std::optional<int> busy(std::span<const RankView> ranks) {
  const auto works = [](const RankView& rank) { return rank.pulse.activity == Activity::Working; };
  const auto calls = [](const RankView& rank) { return rank.pulse.activity == Activity::Library; };
  if (const auto found = first_of(ranks, works, stands_still_longer)) return found;
  return first_of(ranks, calls, is_blocked_before);
}

std::optional<int> behind(std::span<const RankView> ranks) {
  const auto any = [](const RankView&) { return true; };
  const auto least = first_of(ranks, any, [](const auto& a, const auto& b) { return a.pulse.meetings < b.pulse.meetings; });
  const auto most = first_of(ranks, any, [](const auto& a, const auto& b) { return a.pulse.meetings > b.pulse.meetings; });
  return least == most ? std::nullopt : least;
}

/// A rank that has ended, and whose process has not.
std::optional<int> lingering(std::span<const RankView> ranks, ProcessState state) {
  const auto found = std::find_if(ranks.begin(), ranks.end(),
                                  [&](const RankView& rank) { return has_ended(rank) && rank.pulse.process == state; });
  return found == ranks.end() ? std::nullopt : std::optional(static_cast<int>(found - ranks.begin()));
}

}  // namespace

Diagnosis diagnose(std::span<const RankView> ranks) {
  const auto named = [&](Symptom symptom, int rank) {
    return Diagnosis{.symptom = symptom, .rank = rank, .still_seconds = ranks[static_cast<std::size_t>(rank)].still_seconds};
  };
  if (const auto rank = in_state(ranks, ProcessState::Gone)) return named(Symptom::Gone, *rank);
  if (const auto rank = in_state(ranks, ProcessState::Stopped)) return named(Symptom::Stopped, *rank);
  if (const auto rank = silent(ranks)) return named(Symptom::Silent, *rank);
  if (const auto rank = busy(ranks)) return named(Symptom::Busy, *rank);
  if (const auto rank = behind(ranks)) return named(Symptom::Behind, *rank);
  if (const auto rank = lingering(ranks, ProcessState::Stopped)) return named(Symptom::Stopped, *rank);
  if (const auto rank = lingering(ranks, ProcessState::Alive)) return named(Symptom::Busy, *rank);
  return {};
}

std::string text_of(Symptom symptom) {
  switch (symptom) {
    case Symptom::Gone:
      return "has died";
    case Symptom::Stopped:
      return "is stopped by a signal or a debugger";
    case Symptom::Silent:
      return "does not react: it is stopped, or its host is unreachable";
    case Symptom::Busy:
      return "does not get on with its work";
    case Symptom::Behind:
      return "waits for a message, and is behind all others";
    case Symptom::None:
      break;
  }
  return "";
}

}  // namespace parconv
