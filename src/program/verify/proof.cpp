// SPDX-License-Identifier: Apache-2.0
#include "parconv/program/proof.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "parconv/core/error.hpp"
#include "program/verify/group_rules.hpp"
#include "program/verify/partition.hpp"
#include "program/verify/rank_run.hpp"

namespace parconv {
namespace {

using namespace verify;

constexpr std::array<std::string_view, num_rules> rule_names{
    "malformed",         "outside-memory",      "start-order",       "await-after-start",    "restart-in-flight",
    "wrong-value",       "wrong-box",           "wrong-type",        "wrong-work",           "unfinished-sum",
    "missing-data",      "stale-micro-batch",   "read-in-flight",    "write-in-flight",      "aliased-operands",
    "unmatched-message", "message-stage",       "lost-contribution", "doubled-contribution", "sum-order",
    "output-incomplete", "output-stored-twice", "wrong-group",       "groups-differ"};

std::string where(const NetworkFacts& facts, const Program& program, int step) {
  if (step < 0) return concat("rank ", program.rank);
  const Step& there = program.steps[static_cast<std::size_t>(step)];
  return concat("rank ", program.rank, ", step ", step, " (", name_of(there.action), " of ", facts.layer_name(there.node), ")");
}

}  // namespace

std::string_view name_of(Rule rule) { return rule_names[static_cast<std::size_t>(rule)]; }

struct Prover::State {
  State(const Network& network, int num_ranks_, const ProofOptions& options) : facts(network, options), num_ranks(num_ranks_) {}

  void add(const Program& program);
  void finish_sums();
  std::optional<Violation> violation_of(const PendingSum& sum) const;
  void finish_outputs();
  void finish_output(ValueId output);
  void add_groups(const Program& program);
  void finish_groups();
  void report(Finding finding) {
    if (proof.findings.size() < max_findings) proof.findings.push_back(std::move(finding));
  }

  NetworkFacts facts;
  int num_ranks;
  Contributions contributions{};
  LabelMemory memory{};
  MessageMatching matching{facts, contributions};
  GroupRules groups{facts, num_ranks};
  std::optional<Finding> wrong_group{};  // reported if nothing else is wrong
  std::vector<PendingSum> sums{};
  std::map<ValueId, std::vector<Box>> stored{};
  Proof proof{};
};

void Prover::State::add(const Program& program) {
  PARCONV_EXPECT(program.rank >= 0 && program.rank < num_ranks && program.num_ranks == num_ranks, "rank ", program.rank, " of ",
                 program.num_ranks, " among ", num_ranks);
  if (proof.findings.size() >= max_findings) return;
  RankRun run(program, {facts, contributions, memory});
  try {
    run.execute();
  } catch (const Violation& violation) {
    report({violation.rule, program.rank, run.step(), concat(where(facts, program, run.step()), ": ", violation.what)});
    return;
  }
  RankTrace trace = run.take_trace();
  proof.ranks_executed += 1;
  proof.steps_executed += trace.steps_executed;
  proof.most_micro_batches = std::max(proof.most_micro_batches, trace.micro_batches);
  for (const Store& store : trace.stores) stored[store.value].push_back(store.box);
  sums.insert(sums.end(), std::make_move_iterator(trace.sums.begin()), std::make_move_iterator(trace.sums.end()));
  if (auto finding = matching.add(program.rank, std::move(trace.messages))) report(*std::move(finding));
  add_groups(program);
}

void Prover::State::add_groups(const Program& program) {
  if (wrong_group) return;
  try {
    groups.add(program);
  } catch (const Violation& violation) {
    wrong_group = Finding{violation.rule, program.rank, -1, concat("rank ", program.rank, ": ", violation.what)};
  }
}

void Prover::State::finish_groups() {
  if (!wrong_group) wrong_group = groups.first_differing();
  if (wrong_group) report(*std::move(wrong_group));
}

void Prover::State::finish_sums() {
  for (const PendingSum& sum : sums) {
    if (const auto violation = violation_of(sum)) {
      report(
          {violation->rule, sum.rank, sum.step,
           concat("rank ", sum.rank, ", step ", sum.step, " (reduce of ", facts.layer_name(sum.node), "): ", violation->what)});
      return;
    }
  }
}

std::optional<Violation> Prover::State::violation_of(const PendingSum& sum) const {
  try {
    check_sum(facts, contributions, sum);
  } catch (const Violation& violation) {
    return violation;
  }
  return std::nullopt;
}

void Prover::State::finish_output(ValueId output) {
  const std::vector<Box>& boxes = stored[output];
  const std::string& name = facts.network().value(output).name;
  if (const auto overlap = find_overlap(boxes)) {
    const Box twice = intersect(boxes[overlap->first], boxes[overlap->second]);
    report({Rule::OutputStoredTwice, -1, -1, concat("output ", name, ": ", to_string(twice), " is stored twice")});
    return;
  }
  index_t elems = 0;
  for (const Box& box : boxes) elems += volume(box);
  const Box whole = facts.whole(output);
  if (elems != volume(whole))
    report({Rule::OutputIncomplete, -1, -1,
            concat("output ", name, ": ", elems, " of ", volume(whole), " elements of ", to_string(whole), " are stored")});
}

void Prover::State::finish_outputs() {
  for (const ValueId output : facts.network().outputs) finish_output(output);
}

Prover::Prover(const Network& network, int num_ranks, const ProofOptions& options)
    : state_(std::make_unique<State>(network, num_ranks, options)) {}
Prover::~Prover() = default;

void Prover::add(const Program& program) { state_->add(program); }

Proof Prover::finish() {
  // Rules across ranks are meaningful only if every rank by itself is correct.
  if (state_->proof.findings.empty()) {
    PARCONV_EXPECT(state_->proof.ranks_executed == state_->num_ranks, state_->proof.ranks_executed, " of ", state_->num_ranks,
                   " ranks");
    if (auto finding = state_->matching.first_unmatched()) state_->report(*std::move(finding));
    if (state_->proof.findings.empty()) state_->finish_sums();
    state_->finish_outputs();
    if (state_->proof.findings.empty()) state_->finish_groups();
  }
  state_->proof.messages_compared = state_->matching.num_compared();
  return std::move(state_->proof);
}

std::string to_string(const Proof& proof) {
  if (proof.holds())
    return concat("proven: ", proof.ranks_executed, " ranks executed on labels, ", proof.steps_executed, " steps in up to ",
                  proof.most_micro_batches, " micro-batches, ", proof.messages_compared, " messages compared");
  std::string text;
  for (const Finding& finding : proof.findings)
    text += concat(text.empty() ? "" : "\n", name_of(finding.rule), ": ", finding.message);
  return text;
}

Proof prove(const Network& network, std::span<const Program> programs, const ProofOptions& options) {
  Prover prover(network, static_cast<int>(programs.size()), options);
  for (const Program& program : programs) prover.add(program);
  return prover.finish();
}

void expect_proven(const Proof& proof) {
  if (!proof.holds()) throw Bug(concat("the programs are wrong: ", to_string(proof)));
}

}  // namespace parconv
