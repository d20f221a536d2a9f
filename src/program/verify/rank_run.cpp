// SPDX-License-Identifier: Apache-2.0
#include "program/verify/rank_run.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "parconv/core/overloaded.hpp"
#include "program/verify/partition.hpp"
#include "program/verify/step_rules.hpp"

namespace parconv::verify {

RankRun::RankRun(const Program& program, const RunParts& parts)
    : program_(program),
      parts_(parts),
      communications_(program.communications.size()),
      computed_(program.steps.size(), complete),
      summed_(program.steps.size()) {}

void RankRun::execute() {
  check_static();
  check_order();
  prepare_communications();
  parts_.memory.reset(program_);
  load_constants();
  run_ticks();
  step_ = -1;
  describe_messages();
}

// ---- Before execution -----------------------------------------------------------------------------------------------------

void RankRun::check_static() {
  const ShapeRules shapes(parts_.facts, program_);
  const StepRules rules(parts_.facts, program_);
  shapes.check_buffers();
  shapes.check_communications();
  for (const Load& constant : program_.constants) {
    shapes.check_region(constant.dst);
    rules.check_constant(constant);
  }
  for (const Step& step : program_.steps) {
    ++step_;
    shapes.check_step(step);
    rules.check(step);
    const auto* compute = std::get_if<Compute>(&step.action);
    if (compute != nullptr && !compute->is_finished)
      computed_[static_cast<std::size_t>(step_)] =
          parts_.contributions.of(parts_.facts.contraction(step.node, compute->work.computed, compute->work.contracted));
  }
}

/// Every rank starts communications in ascending order and awaits each after its start. Then all participants of the first
/// unfinished communication always make progress towards it, so no rank deadlocks.
void RankRun::check_order() {
  int previous = -1;
  step_ = -1;
  for (const Step& step : program_.steps) {
    ++step_;
    if (const auto* start = std::get_if<Start>(&step.action)) {
      const int order = program_.communication(start->communication).order;
      if (order <= previous) violate(Rule::StartOrder, "starts communication ", order, " after ", previous);
      previous = order;
      state(start->communication).start_step = step_;
    }
    if (const auto* await = std::get_if<Await>(&step.action)) {
      int& await_step = state(await->communication).await_step;
      if (await_step >= 0)
        violate(Rule::AwaitAfterStart, "awaits communication ", program_.communication(await->communication).order,
                " a second time");
      await_step = step_;
    }
  }
  step_ = -1;
  for (std::size_t k = 0; k < communications_.size(); ++k) check_flight(communications_[k], program_.communications[k].order);
}

void RankRun::check_flight(const CommunicationState& state, int order) const {
  if (state.start_step < 0) violate(Rule::StartOrder, "never starts communication ", order);
  if (state.await_step < 0) violate(Rule::AwaitAfterStart, "never awaits communication ", order);
  const auto moment = [&](int step) { return std::pair(program_.steps[static_cast<std::size_t>(step)].stage, step); };
  if (moment(state.await_step) < moment(state.start_step))
    violate(Rule::AwaitAfterStart, "awaits communication ", order, " in step ", state.await_step, " and starts it in step ",
            state.start_step);
}

void RankRun::prepare_communications() {
  step_ = -1;
  group_of_buffer_.assign(program_.buffers.size(), -1);
  for (std::size_t k = 0; k < communications_.size(); ++k) {
    CommunicationState& state = communications_[k];
    const Communication& communication = program_.communications[k];
    add_groups(state, communication.sends, Direction::Send);
    add_groups(state, communication.receives, Direction::Receive);
    for (const MessageGroup& group : state.groups) {
      state.period = std::lcm(state.period, static_cast<index_t>(program_.buffer(group.buffer).slots));
      if (group.direction == Direction::Receive && find_overlap(group.boxes))
        violate(Rule::WriteInFlight, "communication ", communication.order, " receives elements of buffer ", group.buffer,
                " twice");
    }
    state.sent.assign(communication.sends.size(), complete);
    for (const Message& message : communication.receives)
      state.received.push_back(holds_sums(program_.buffer(message.region.buffer)) ? parts_.contributions.make_unknown()
                                                                                  : complete);
  }
}

void RankRun::add_groups(CommunicationState& state, const std::vector<Message>& messages, Direction direction) {
  const std::size_t begin = state.groups.size();
  for (std::size_t k = 0; k < messages.size(); ++k) {
    const Region& region = messages[k].region;
    int& index = group_of_buffer_[static_cast<std::size_t>(region.buffer)];
    if (index < 0) {
      index = static_cast<int>(state.groups.size());
      state.groups.push_back({.buffer = region.buffer, .direction = direction});
    }
    MessageGroup& group = state.groups[static_cast<std::size_t>(index)];
    group.hull = hull(group.hull, region.box);
    group.boxes.push_back(region.box);
    group.messages.push_back(k);
  }
  for (std::size_t k = begin; k < state.groups.size(); ++k)
    group_of_buffer_[static_cast<std::size_t>(state.groups[k].buffer)] = -1;
}

void RankRun::load_constants() {
  for (const Load& constant : program_.constants)
    parts_.memory.write(constant.dst.buffer, {constant.dst.box, complete, every_micro_batch});
}

// ---- Ticks ----------------------------------------------------------------------------------------------------------------

void RankRun::run_ticks() {
  const int last = last_stage(program_);
  index_t period = 1;
  for (const Buffer& buffer : program_.buffers) period = std::lcm(period, static_cast<index_t>(buffer.slots));
  const index_t micro_batches = last + 2 * period;
  const bool may_repeat = parts_.memory.has_slots_apart();
  LabelMemory::Snapshot before, now;
  for (index_t tick = 0; tick < micro_batches + last; ++tick) {
    step_ = -1;
    for (const Step& step : program_.steps) {
      ++step_;
      const index_t micro_batch = tick - step.stage;
      if (micro_batch < 0 || micro_batch >= micro_batches) continue;
      run_step(step, micro_batch);
      ++trace_.steps_executed;
    }
    trace_.micro_batches = std::min(tick + 1, micro_batches);
    if (!may_repeat || tick < last || tick >= micro_batches) continue;
    parts_.memory.take_snapshot(tick, now);
    if (tick > last && now == before) return;
    std::swap(now, before);
  }
}

void RankRun::run_step(const Step& step, index_t micro_batch) {
  std::visit(Overloaded{
                 [&](const Load& load) { parts_.memory.write(load.dst.buffer, {load.dst.box, complete, micro_batch}); },
                 [&](const Store& store) {
                   read(store.src, micro_batch);
                   if (micro_batch == 0) trace_.stores.push_back(store);
                 },
                 [&](const Copy& copy) { run_copy(copy, micro_batch); },
                 [&](const Compute& compute) { run_compute(compute, micro_batch); },
                 [&](const Reduce& reduce) { run_reduce(step, reduce, micro_batch); },
                 [&](const Start& start) { run_start(start.communication, micro_batch); },
                 [&](const Await& await) { run_await(await.communication, micro_batch); },
             },
             step.action);
}

void RankRun::read(const Region& region, index_t micro_batch) const {
  parts_.memory.read(region, micro_batch, [](const Label&) {});
}

void RankRun::expect_apart(const Region& src, const Region& dst, index_t micro_batch) const {
  if (parts_.memory.share_memory(src, dst, micro_batch))
    violate(Rule::AliasedOperands, "writes ", to_string(dst.box), " of buffer ", dst.buffer, ", which shares memory with ",
            to_string(src.box), " of buffer ", src.buffer, ", which it reads");
}

void RankRun::run_copy(const Copy& copy, index_t micro_batch) {
  expect_apart(copy.src, copy.dst, micro_batch);
  const ContentId content = content_of(copy.src, micro_batch);
  parts_.memory.write(copy.dst.buffer, {copy.dst.box, content, micro_batch});
}

void RankRun::run_compute(const Compute& compute, index_t micro_batch) {
  for (const Region& src : compute.srcs) {
    expect_apart(src, compute.dst, micro_batch);
    read(src, micro_batch);
  }
  const ContentId content = computed_[static_cast<std::size_t>(step_)];
  parts_.memory.write(compute.dst.buffer, {compute.dst.box, content, micro_batch});
}

void RankRun::run_reduce(const Step& step, const Reduce& reduce, index_t micro_batch) {
  std::vector<PendingSum::Part> parts;
  int place = 0;
  for (const Region& partial : reduce.partials) {
    expect_apart(partial, reduce.dst, micro_batch);
    parts_.memory.read(partial, micro_batch, [&](const Label& label) { parts.push_back({place, label.content}); });
    ++place;
  }
  for (const Region& residual : reduce.residual) {
    expect_apart(residual, reduce.dst, micro_batch);
    read(residual, micro_batch);
  }
  if (std::vector<PendingSum::Part>& before = summed_[static_cast<std::size_t>(step_)]; micro_batch == 0 || before != parts) {
    trace_.sums.push_back(
        {.rank = program_.rank, .step = step_, .node = step.node, .box = reduce.box, .parts = parts, .joins = reduce.joins});
    before = std::move(parts);
  }
  parts_.memory.write(reduce.dst.buffer, {reduce.dst.box, complete, micro_batch});
}

/// The only content of a region.
ContentId RankRun::content_of(const Region& region, index_t micro_batch) const {
  std::optional<ContentId> content;
  parts_.memory.read(region, micro_batch, [&](const Label& label) {
    if (content && *content != label.content) violate(Rule::UnfinishedSum, "moves different partial sums as one");
    content = label.content;
  });
  return content.value_or(complete);
}

// ---- Communications -------------------------------------------------------------------------------------------------------

void RankRun::run_start(CommId id, index_t micro_batch) {
  const Communication& communication = program_.communication(id);
  CommunicationState& flight = state(id);
  for (const index_t other : flight.in_flight)
    if (other % flight.period == micro_batch % flight.period)
      violate(Rule::RestartInFlight, "starts communication ", communication.order, " for micro-batch ", micro_batch,
              " before it awaits that of micro-batch ", other);
  flight.in_flight.push_back(micro_batch);
  for (std::size_t k = 0; k < communication.sends.size(); ++k)
    flight.sent[k] = content_of(communication.sends[k].region, micro_batch);
  for (const MessageGroup& group : flight.groups) parts_.memory.begin_flight({&group, id, micro_batch});
}

void RankRun::run_await(CommId id, index_t micro_batch) {
  const Communication& communication = program_.communication(id);
  CommunicationState& flight = state(id);
  if (std::erase(flight.in_flight, micro_batch) == 0)
    violate(Rule::AwaitAfterStart, "awaits communication ", communication.order, " of micro-batch ", micro_batch,
            ", which is not in flight");
  for (const MessageGroup& group : flight.groups) parts_.memory.end_flight({&group, id, micro_batch});
  for (const MessageGroup& group : flight.groups)
    if (group.direction == Direction::Receive) parts_.memory.write_all(group, flight.received, micro_batch);
}

void RankRun::describe_messages() {
  for (const Step& step : program_.steps) {
    const auto* start = std::get_if<Start>(&step.action);
    if (start != nullptr) add_messages(state(start->communication), program_.communication(start->communication));
  }
}

void RankRun::add_messages(const CommunicationState& flight, const Communication& communication) {
  MessageLabel label{.order = communication.order,
                     .step = flight.start_step,
                     .stage = program_.steps[static_cast<std::size_t>(flight.start_step)].stage};
  const auto add = [&](int from, int to, const Region& region, ContentId content) {
    const Buffer& buffer = program_.buffer(region.buffer);
    label.from = from;
    label.to = to;
    label.value = buffer.value;
    label.box = region.box;
    label.type = buffer.type;
    label.content = content;
    trace_.messages.push_back(label);
  };
  for (std::size_t k = 0; k < communication.sends.size(); ++k)
    add(program_.rank, communication.sends[k].peer, communication.sends[k].region, flight.sent[k]);
  for (std::size_t k = 0; k < communication.receives.size(); ++k)
    add(communication.receives[k].peer, program_.rank, communication.receives[k].region, flight.received[k]);
}

}  // namespace parconv::verify
