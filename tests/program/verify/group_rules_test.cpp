// SPDX-License-Identifier: Apache-2.0
// Groups that all members record alike, and that their messages contradict.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "parconv/program/compile.hpp"
#include "parconv/program/proof.hpp"
#include "support/network_builder.hpp"
#include "support/proven.hpp"

namespace parconv::test {
namespace {

struct Job {
  Network network{};
  CompileOptions options{};
  std::vector<Program> programs{};
};

/// Two 3x3 convolutions of 16 channels.
Job job(const char* split, int num_ranks, const CompileOptions& options = {}) {
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const Window same{{WindowAxis{}, three, three}};
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input({{1, 16, 1, 16, 10}}), {.oc = 16, .window = same});
  Network network = builder.build({builder.conv(middle, {.oc = 16, .window = same})});
  const Plan plan = make_plan(network, parse_split(split, num_ranks, 2), num_ranks);
  std::vector<Program> programs = compile_all(network, lay_out(network, plan, options));
  return {std::move(network), options, std::move(programs)};
}

using Change = std::function<void(CommGroup&)>;

/// The rule that is violated if all ranks record the last communication of a job with a change; "proven" without one.
std::string_view rule_with(Job job, const Change& change) {
  EXPECT_TRUE(are_proven(job.network, job.programs, job.options));
  for (Program& program : job.programs) {
    if (program.communications.empty() || program.communications.back().group == nullptr) continue;
    CommGroup group = *program.communications.back().group;
    change(group);
    program.communications.back().group = std::make_shared<const CommGroup>(std::move(group));
  }
  const Proof proof = proof_of(job.network, job.programs, job.options);
  return proof.holds() ? "proven" : name_of(proof.findings.front().rule);
}

Job allgather() { return job("f=2", 2); }
Job gather() { return job("h=4", 4, {.store = {.kind = StoreKind::Root}}); }
Job reduce_scatter() { return job("c=2", 2); }

Change as(CommKind kind, int root) {
  return [=](CommGroup& group) {
    group.kind = kind;
    group.root = root;
  };
}

void swap_parts(CommGroup& group) { std::swap(group.parts[0], group.parts[1]); }
void shorten_part(CommGroup& group) { group.parts[1][Axis::W].hi -= 1; }
void keep(CommGroup&) {}
void lose_last(CommGroup& group) {
  group.ranks.pop_back();
  group.parts.pop_back();
}

TEST(GroupRules, AcceptCopiesOfGroups) {
  for (const Job& each : {allgather(), gather(), reduce_scatter()}) EXPECT_EQ(rule_with(each, keep), "proven");
}

TEST(GroupRules, RejectKindsThatMessagesContradict) {
  for (const CommKind kind : {CommKind::Gather, CommKind::Broadcast, CommKind::Scatter, CommKind::Reduce})
    for (const Job& each : {allgather(), reduce_scatter()})
      EXPECT_EQ(rule_with(each, as(kind, 0)), "wrong-group") << name_of(kind);
  EXPECT_EQ(rule_with(allgather(), as(CommKind::ReduceScatter, -1)), "wrong-group");
  EXPECT_EQ(rule_with(reduce_scatter(), as(CommKind::Allgather, -1)), "wrong-group");
  EXPECT_EQ(rule_with(gather(), as(CommKind::Allgather, -1)), "wrong-group");
  EXPECT_EQ(rule_with(gather(), as(CommKind::Scatter, 0)), "wrong-group");
}

TEST(GroupRules, RejectAnotherRoot) {
  for (const int root : {-1, 1, 3, 7}) EXPECT_EQ(rule_with(gather(), as(CommKind::Gather, root)), "wrong-group") << root;
  EXPECT_EQ(rule_with(allgather(), as(CommKind::Allgather, 0)), "wrong-group");
}

TEST(GroupRules, RejectOtherParts) {
  for (const Job& each : {allgather(), gather(), reduce_scatter()}) {
    EXPECT_EQ(rule_with(each, swap_parts), "wrong-group");
    EXPECT_EQ(rule_with(each, shorten_part), "wrong-group");
    EXPECT_EQ(rule_with(each, [](CommGroup& group) { group.parts[0] = group.parts[1]; }), "wrong-group") << "overlap";
    EXPECT_EQ(rule_with(each, [](CommGroup& group) { group.parts[1] = {}; }), "wrong-group");
  }
}

TEST(GroupRules, RejectOtherMembers) {
  EXPECT_EQ(rule_with(gather(), lose_last), "wrong-group");
  EXPECT_EQ(rule_with(job("h=2,c=2", 4), lose_last), "wrong-group");
  EXPECT_EQ(rule_with(gather(), [](CommGroup& group) { std::reverse(group.ranks.begin(), group.ranks.end()); }), "wrong-group");
  EXPECT_EQ(rule_with(gather(), [](CommGroup& group) { group.ranks.back() = 4; }), "wrong-group") << "of 4 ranks";
}

TEST(GroupRules, RejectAGroupThatAMemberDoesNotRecord) {
  Job wrong = allgather();
  wrong.programs[1].communications.back().group = nullptr;
  const Proof proof = proof_of(wrong.network, wrong.programs, wrong.options);
  ASSERT_FALSE(proof.holds());
  EXPECT_EQ(proof.findings.front().rule, Rule::GroupsDiffer);
  EXPECT_THAT(proof.findings.front().message, testing::HasSubstr("1 of 2 members"));
}

/// Messages remain the fallback: none of them needs a group.
TEST(GroupRules, AcceptMessagesWithoutGroups) {
  for (Job each : {allgather(), gather(), reduce_scatter()}) {
    for (Program& program : each.programs)
      for (Communication& communication : program.communications) communication.group = nullptr;
    EXPECT_TRUE(are_proven(each.network, each.programs, each.options));
  }
}

}  // namespace
}  // namespace parconv::test
