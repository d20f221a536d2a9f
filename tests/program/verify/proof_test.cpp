// SPDX-License-Identifier: Apache-2.0
// Broken programs, each with the rule that it violates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "parconv/program/compile.hpp"
#include "parconv/program/proof.hpp"
#include "support/network_builder.hpp"
#include "support/proven.hpp"

namespace parconv::test {
namespace {

using testing::HasSubstr;

const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
const Window same{{WindowAxis{}, three, three}};

/// Programs with their network and options.
struct Compiled {
  Network network{};
  CompileOptions options{};
  std::vector<Program> programs{};

  Finding first_finding() const {
    const Proof proof = proof_of(network, programs, options);
    return proof.holds() ? Finding{.message = "proven"} : proof.findings.front();
  }
};

Compiled compiled(Network network, const char* split, int num_ranks, const CompileOptions& options = {}) {
  const Plan plan = make_plan(network, parse_split(split, num_ranks, 2), num_ranks);
  std::vector<Program> programs = compile_all(network, lay_out(network, plan, options));
  return {std::move(network), options, std::move(programs)};
}

Network two_convolutions(const Extents& extents = {{1, 8, 1, 16, 10}}) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input(extents), {.oc = 8, .window = same});
  return builder.build({builder.conv(middle, {.oc = 8, .window = same})});
}

Compiled halved_rows(const CompileOptions& options = {}) { return compiled(two_convolutions(), "h=2", 2, options); }
Compiled halved_channels() { return compiled(two_convolutions(), "c=2", 2); }
Compiled pipeline() { return compiled(two_convolutions(), "stages=2", 2); }

/// The first step of a program with this action.
template <class Action>
Step& first_step(Program& program) {
  return *std::find_if(program.steps.begin(), program.steps.end(),
                       [](const Step& step) { return std::holds_alternative<Action>(step.action); });
}

template <class Action>
Action& first(Program& program) {
  return std::get<Action>(first_step<Action>(program).action);
}

void expect_rule(const Compiled& compiled, Rule rule) {
  const Finding finding = compiled.first_finding();
  ASSERT_NE(finding.message, "proven") << "instead of " << name_of(rule);
  EXPECT_EQ(name_of(finding.rule), name_of(rule)) << finding.message;
}

TEST(Proof, HoldsForCompiledPrograms) {
  for (const Compiled& right : {halved_rows(), halved_channels(), pipeline()})
    EXPECT_TRUE(are_proven(right.network, right.programs, right.options));
}

TEST(Proof, ReportsItsExtent) {
  const Compiled right = halved_rows();
  const Proof proof = proof_of(right.network, right.programs, right.options);
  index_t steps = 0;
  for (const Program& program : right.programs) steps += std::ssize(program.steps);
  EXPECT_EQ(proof.ranks_executed, 2);
  EXPECT_EQ(proof.most_micro_batches, 2);
  EXPECT_EQ(proof.steps_executed, 2 * steps);
  EXPECT_EQ(proof.messages_compared, 2);
  EXPECT_THAT(to_string(proof), HasSubstr("2 ranks executed"));
}

TEST(Proof, NamesRankStepAndLayer) {
  Compiled wrong = halved_rows();
  first<Compute>(wrong.programs[1]).srcs[0].box[Axis::H] = {8, 16};
  const Finding finding = wrong.first_finding();
  EXPECT_EQ(finding.rank, 1);
  EXPECT_EQ(finding.step, 1);
  EXPECT_THAT(finding.message, HasSubstr("rank 1, step 1 (compute of"));
  EXPECT_THAT(finding.message, HasSubstr("h[8,16)"));
  EXPECT_THAT(finding.message, HasSubstr("h[7,16)"));
}

TEST(Proof, EveryRuleHasANameOfItsOwn) {
  std::vector<std::string_view> names;
  for (int rule = 0; rule < num_rules; ++rule) names.push_back(name_of(static_cast<Rule>(rule)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_FALSE(names.front().empty());
}

// ---- Concats --------------------------------------------------------------------------------------------------------------

/// Convolutions of 5 and of 5 channels, computed in the buffer of their Concat.
Compiled joined() {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId src = builder.input({{1, 8, 1, 16, 10}});
  const ValueId a = builder.conv(src, {.oc = 5}), b = builder.conv(src, {.oc = 5});
  return compiled(builder.build({builder.conv(builder.concat({a, b}), {.oc = 4}), builder.relu(b)}), "h=2", 2,
                  {.needs_dense = false});
}

TEST(Proof, RejectsAPartOfAConcatAtTheOffsetOfAnother) {
  ASSERT_EQ(joined().first_finding().message, "proven");
  Compiled wrong = joined();
  Compute& compute = first<Compute>(wrong.programs[0]);
  ASSERT_EQ(compute.dst.box[Axis::C], (Interval{0, 5}));
  compute.dst.box[Axis::C] = {5, 10};
  expect_rule(wrong, Rule::WrongValue);
}

TEST(Proof, RejectsReadingAnotherPartOfAConcat) {
  Compiled wrong = joined();
  Compute& relu =
      std::get<Compute>(std::find_if(wrong.programs[0].steps.rbegin(), wrong.programs[0].steps.rend(), [](const Step& s) {
                          return std::holds_alternative<Compute>(s.action);
                        })->action);
  ASSERT_EQ(relu.srcs[0].box[Axis::C], (Interval{5, 10}));
  relu.srcs[0].box[Axis::C] = {0, 5};
  expect_rule(wrong, Rule::WrongValue);
}

// ---- Messages and their order ---------------------------------------------------------------------------------------------

// Row 7 is the halo of rank 1; row 6 has as many bytes.
TEST(Proof, RejectsAHaloFromTheWrongRow) {
  Compiled wrong = halved_rows();
  Message& send = wrong.programs[0].communications[0].sends[0];
  ASSERT_EQ(send.region.box[Axis::H], (Interval{7, 8}));
  send.region.box[Axis::H] = {6, 7};
  expect_rule(wrong, Rule::WrongBox);
}

TEST(Proof, RejectsASwappedOrder) {
  Compiled wrong = compiled(two_convolutions({{2, 8, 1, 16, 10}}), "h=2", 2, {.overlap = Overlap::On});
  std::swap(wrong.programs[0].communications[0].order, wrong.programs[0].communications[1].order);
  expect_rule(wrong, Rule::StartOrder);
}

TEST(Proof, RejectsAMissingReceive) {
  Compiled wrong = halved_rows();
  wrong.programs[1].communications[0].receives.clear();
  expect_rule(wrong, Rule::MissingData);
}

TEST(Proof, RejectsAReceiveWithoutASend) {
  Compiled wrong = halved_rows();
  wrong.programs[1].communications[0].sends.clear();
  expect_rule(wrong, Rule::UnmatchedMessage);
}

TEST(Proof, RejectsMessagesThatStartInDifferentTicks) {
  Compiled wrong = pipeline();
  for (Step& step : wrong.programs[0].steps) step.stage += 1;
  expect_rule(wrong, Rule::MessageStage);
}

TEST(Proof, RejectsACommunicationThatIsNeverAwaited) {
  Compiled wrong = halved_rows();
  std::erase_if(wrong.programs[0].steps, [](const Step& step) { return std::holds_alternative<Await>(step.action); });
  expect_rule(wrong, Rule::AwaitAfterStart);
}

TEST(Proof, RejectsAStepBeforeItsOperandHasArrived) {
  Compiled wrong = halved_rows();
  Step& await = first_step<Await>(wrong.programs[0]);
  std::swap(await, *(&await + 1));
  expect_rule(wrong, Rule::ReadInFlight);
}

// Recomputes only the sent row before its send was awaited, so that no other rule is violated.
TEST(Proof, RejectsWritingARegionInFlight) {
  Compiled wrong = halved_rows();
  auto& steps = wrong.programs[0].steps;
  const auto start =
      std::find_if(steps.begin(), steps.end(), [](const Step& s) { return std::holds_alternative<Start>(s.action); });
  Step again = *std::prev(start);
  Compute& compute = std::get<Compute>(again.action);
  compute.work.computed[Axis::H] = compute.dst.box[Axis::H] = {7, 8};
  compute.srcs[0].box[Axis::H] = {6, 9};
  steps.insert(std::next(start), again);
  const Finding finding = wrong.first_finding();
  EXPECT_EQ(finding.rule, Rule::WriteInFlight) << finding.message;
  EXPECT_THAT(finding.message, HasSubstr("while communication 0 sends"));
  // Recomputing it before the start is harmless.
  steps.erase(std::find_if(steps.begin(), steps.end(), [](const Step& s) { return std::holds_alternative<Start>(s.action); }) +
              1);
  steps.insert(std::find_if(steps.begin(), steps.end(), [](const Step& s) { return std::holds_alternative<Start>(s.action); }),
               again);
  EXPECT_EQ(wrong.first_finding().message, "proven");
}

// ---- Memory ---------------------------------------------------------------------------------------------------------------

TEST(Proof, RejectsTooFewSlots) {
  Compiled wrong = pipeline();
  for (Buffer& buffer : wrong.programs[1].buffers) buffer.slots = 1;
  expect_rule(wrong, Rule::RestartInFlight);
}

TEST(Proof, RejectsBuffersThatShareMemoryWhileInUse) {
  Compiled wrong = halved_rows();
  for (Buffer& buffer : wrong.programs[0].buffers) buffer.offset_bytes = 0;
  expect_rule(wrong, Rule::AliasedOperands);
}

TEST(Proof, RejectsABufferOutsideTheArena) {
  Compiled wrong = halved_rows();
  wrong.programs[0].arena_bytes -= 64;
  expect_rule(wrong, Rule::OutsideMemory);
}

TEST(Proof, RejectsAnotherType) {
  Compiled wrong = halved_rows();
  wrong.programs[0].buffers[0].type = DType::BF16;
  expect_rule(wrong, Rule::WrongType);
}

TEST(Proof, RejectsAnotherMicroBatch) {
  Compiled wrong = halved_rows();
  first_step<Load>(wrong.programs[0]).stage = 1;
  expect_rule(wrong, Rule::MissingData);
}

// ---- Sums -----------------------------------------------------------------------------------------------------------------

TEST(Proof, RejectsALostContribution) {
  Compiled wrong = halved_channels();
  first<Reduce>(wrong.programs[1]).partials.pop_back();
  expect_rule(wrong, Rule::LostContribution);
}

TEST(Proof, RejectsADoubledContribution) {
  Compiled wrong = halved_channels();
  std::vector<Region>& partials = first<Reduce>(wrong.programs[1]).partials;
  partials[0] = partials[1];
  expect_rule(wrong, Rule::DoubledContribution);
}

TEST(Proof, RejectsContributionsOutOfOrder) {
  Compiled wrong = halved_channels();
  std::vector<Region>& partials = first<Reduce>(wrong.programs[1]).partials;
  std::swap(partials[0], partials[1]);
  expect_rule(wrong, Rule::SumOrder);
}

TEST(Proof, RejectsAnotherTree) {
  Network network = two_convolutions();
  set_leaf_rule(network, LeafRule::Fine);
  const Compiled right = compiled(network, "c=4", 4);
  EXPECT_TRUE(are_proven(right.network, right.programs, right.options));
  EXPECT_EQ(first<Reduce>(Compiled(right).programs[1]).joins, (std::vector<int>{0, 1, 0, 2}));
  for (const std::vector<int>& joins :
       std::vector<std::vector<int>>{{}, {0, 1, 1, 1}, {0, 0, 0, 3}, {0, 1, 0, 1}, {0, 1, 0, 3}, {0, 1, 0}}) {
    Compiled wrong = right;
    first<Reduce>(wrong.programs[1]).joins = joins;
    expect_rule(wrong, Rule::SumOrder);
  }
}

TEST(Proof, RejectsATreeOverPartsOfLeaves) {
  Compiled wrong = compiled(two_convolutions(), "c=4", 4);  // one leaf
  EXPECT_TRUE(are_proven(wrong.network, wrong.programs, wrong.options));
  first<Reduce>(wrong.programs[1]).joins = {0, 1, 0, 2};
  expect_rule(wrong, Rule::SumOrder);
}

TEST(Proof, RejectsAPartialSumWithEpilogue) {
  Compiled wrong = halved_channels();
  first<Compute>(wrong.programs[0]).is_finished = true;
  expect_rule(wrong, Rule::UnfinishedSum);
}

// ---- Outputs --------------------------------------------------------------------------------------------------------------

TEST(Proof, RejectsAnOutputThatIsNotStored) {
  Compiled wrong = halved_rows();
  std::erase_if(wrong.programs[1].steps, [](const Step& step) { return std::holds_alternative<Store>(step.action); });
  expect_rule(wrong, Rule::OutputIncomplete);
}

TEST(Proof, RejectsAnOutputThatIsStoredTwice) {
  Compiled wrong = halved_rows();
  wrong.programs[1].steps.push_back(wrong.programs[1].steps.back());
  expect_rule(wrong, Rule::OutputStoredTwice);
}

// ---- Cost -----------------------------------------------------------------------------------------------------------------

/// Convolutions one after the other with rows and columns divided: eight neighbours exchange halos in every layer.
TEST(Proof, ExecutesTwoMicroBatchesOfEveryRank) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  ValueId value = builder.input({{4, 16, 1, 64, 64}});
  for (int k = 0; k < 12; ++k) value = builder.conv(value, {.oc = 16, .window = same});
  const Compiled right = compiled(builder.build({value}), "n=4,h=4,w=4", 64);
  index_t steps = 0, sends = 0;
  for (const Program& program : right.programs) {
    steps += std::ssize(program.steps);
    for (const Communication& communication : program.communications) sends += std::ssize(communication.sends);
  }
  const Proof proof = proof_of(right.network, right.programs);
  EXPECT_EQ(proof.ranks_executed, 64);
  EXPECT_EQ(proof.steps_executed, 2 * steps);
  EXPECT_EQ(proof.messages_compared, sends);
}

}  // namespace
}  // namespace parconv::test
