// SPDX-License-Identifier: Apache-2.0
// Executes one rank's program on labels.
#pragma once

#include <vector>

#include "program/verify/contributions.hpp"
#include "program/verify/label_memory.hpp"
#include "program/verify/message_matching.hpp"
#include "program/verify/network_facts.hpp"

namespace parconv::verify {

/// State shared by the runs of all ranks.
struct RunParts {
  const NetworkFacts& facts;
  Contributions& contributions;
  LabelMemory& memory;
};

/// Results of one rank that are checked together with other ranks.
struct RankTrace {
  std::vector<MessageLabel> messages{};  ///< in the order in which they start
  std::vector<PendingSum> sums{};
  std::vector<Store> stores{};
  index_t steps_executed = 0;
  index_t micro_batches = 0;
};

class RankRun {
 public:
  RankRun(const Program& program, const RunParts& parts);

  /// Throws Violation; `step` is then the failing step.
  void execute();
  int step() const { return step_; }
  RankTrace take_trace() { return std::move(trace_); }

 private:
  struct CommunicationState {
    int start_step = -1;
    int await_step = -1;
    index_t period = 1;                  // micro-batches until all its buffers are back at the same slots
    std::vector<MessageGroup> groups{};  // of sends, then of receives
    std::vector<ContentId> sent{};       // of each send
    std::vector<ContentId> received{};   // of each receive
    std::vector<index_t> in_flight{};    // micro-batches
  };

  void check_static();
  void check_order();
  void check_flight(const CommunicationState& state, int order) const;
  void describe_messages();
  void add_messages(const CommunicationState& state, const Communication& communication);
  void load_constants();
  void prepare_communications();
  void add_groups(CommunicationState& state, const std::vector<Message>& messages, Direction direction);
  void run_ticks();
  void run_step(const Step& step, index_t micro_batch);

  void run_load(const Load& load, index_t micro_batch);
  void run_copy(const Copy& copy, index_t micro_batch);
  void run_compute(const Compute& compute, index_t micro_batch);
  void run_reduce(const Step& step, const Reduce& reduce, index_t micro_batch);
  void run_start(CommId id, index_t micro_batch);
  void run_await(CommId id, index_t micro_batch);
  void read(const Region& region, index_t micro_batch) const;
  void expect_apart(const Region& src, const Region& dst, index_t micro_batch) const;
  ContentId content_of(const Region& region, index_t micro_batch) const;
  CommunicationState& state(CommId id) { return communications_[static_cast<std::size_t>(id)]; }

  const Program& program_;
  RunParts parts_;
  std::vector<CommunicationState> communications_{};
  std::vector<ContentId> computed_{};                    // of each step
  std::vector<std::vector<PendingSum::Part>> summed_{};  // of each step
  RankTrace trace_{};
  std::vector<int> group_of_buffer_{};  // of add_groups
  int step_ = -1;
};

}  // namespace parconv::verify
