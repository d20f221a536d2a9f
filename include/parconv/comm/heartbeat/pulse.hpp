// SPDX-License-Identifier: Apache-2.0
// The state of a rank as other ranks see it, in memory that processes share.
#pragma once

#include <array>
#include <atomic>

#include "parconv/core/types.hpp"

namespace parconv {

/// The occupation of a rank's main thread.
enum class Activity {
  Absent,   ///< nothing is known yet
  Working,  ///< waits for no other rank
  Library,  ///< in a collective call of a library that works and waits (HDF5)
  Waiting,  ///< in a communication
  Ended     ///< ends in order, or has reported its error
};

/// The state of a process, as a process of the same host sees it.
enum class ProcessState {
  Unknown,  ///< nobody has looked, or it is in another namespace
  Alive,
  Stopped,  ///< by a signal or a debugger
  Gone
};

/// The published state of one rank.
struct Pulse {
  Activity activity = Activity::Absent;
  int phase = 0;             ///< in the numbering of the caller
  int node = -1;             ///< the layer in progress; -1: none
  index_t micro_batch = -1;  ///< of that layer
  index_t progress = 0;      ///< counts pieces of completed work
  index_t meetings = 0;      ///< counts collective calls entered
  index_t beats = 0;         ///< counts the looks of the helper thread
  index_t busy_ms = 0;       ///< CPU time of the main thread
  index_t pid = 0;
  index_t pid_namespace = 0;
  int signal = 0;                                ///< the fatal signal that was caught; 0: none
  ProcessState process = ProcessState::Unknown;  ///< written by another rank of the host

  friend bool operator==(const Pulse&, const Pulse&) = default;
};

inline constexpr std::size_t num_pulse_fields = 12;
using PulseFields = std::array<index_t, num_pulse_fields>;

PulseFields fields_of(const Pulse& pulse);
Pulse pulse_of(const PulseFields& fields);

/// A Pulse in shared memory. Each field is atomic by itself; readers accept a mixture of two states.
class alignas(128) PulseCell {
 public:
  enum Field { ActivityField, Phase, Node, MicroBatch, Progress, Meetings, Beats, BusyMs, Pid, PidNamespace, Signal, Process };

  index_t get(Field field) const { return fields_[field].load(std::memory_order_relaxed); }
  void set(Field field, index_t value) { fields_[field].store(value, std::memory_order_relaxed); }
  /// For fields with one writer.
  void increment(Field field) { set(field, get(field) + 1); }

  Pulse load() const;
  void store(const Pulse& pulse);

 private:
  static_assert(std::atomic<index_t>::is_always_lock_free);
  std::array<std::atomic<index_t>, num_pulse_fields> fields_{};
};

/// The pulse of this process. Its main thread writes it, except for the beats; all methods are local and cost a few nanoseconds.
class RankPulse {
 public:
  RankPulse();
  RankPulse(const RankPulse&) = delete;
  RankPulse& operator=(const RankPulse&) = delete;

  void enter(int phase);
  void at_layer(int node, index_t micro_batch);
  void count_progress() { cell().increment(PulseCell::Progress); }
  void count_meeting() { cell().increment(PulseCell::Meetings); }
  /// No effect after end().
  void set(Activity activity);
  /// From now on this rank ends on purpose: no other rank reports its end. Any thread.
  void end();
  Activity activity() const { return static_cast<Activity>(cell().get(PulseCell::ActivityField)); }
  /// Async-signal-safe.
  void note_signal(int signal) { cell().set(PulseCell::Signal, signal); }
  /// For the helper thread.
  void beat(index_t busy_ms);

  Pulse load() const { return cell().load(); }
  /// Continues in shared memory, which must outlive this object. Called by the main thread.
  void move_to(PulseCell& shared);

 private:
  PulseCell& cell() const { return *cell_.load(std::memory_order_acquire); }

  PulseCell own_{};
  std::atomic<PulseCell*> cell_;
  std::atomic<bool> has_ended_ = false;
};

/// Publishes an activity for a scope. A null pulse publishes nothing.
class ActivityScope {
 public:
  ActivityScope(RankPulse* pulse, Activity activity);
  ~ActivityScope();
  ActivityScope(const ActivityScope&) = delete;
  ActivityScope& operator=(const ActivityScope&) = delete;

 private:
  RankPulse* pulse_;
  Activity outer_ = Activity::Working;
};

}  // namespace parconv
