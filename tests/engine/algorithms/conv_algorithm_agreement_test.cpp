// SPDX-License-Identifier: Apache-2.0
// All ranks adopt the same algorithms. The timers are fakes with different results on every rank.
#include <gtest/gtest.h>

#include <algorithm>

#include "compute/conv/conv_calls.hpp"
#include "engine/distributed_run.hpp"
#include "parconv/comm/job_error.hpp"
#include "parconv/core/error.hpp"
#include "parconv/engine/calls.hpp"
#include "parconv/engine/conv_algorithm_table.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

const ConvAlgorithmMachine no_machine{.major = 9};

class NoLibrary final : public ConvLibrary {
 public:
  std::unique_ptr<ConvCall> make_call(const StridedConv&, const ConvFilter&) override { return nullptr; }
  bool fuses(const Activation& activation) const override { return activation.kind == ActivationKind::Relu; }
  std::unique_ptr<Kernel> make_kernel(const LocalOp&) override { return nullptr; }
  void copy(ConstView, View) override {}
  void zero(std::byte*, std::size_t) override {}
};

/// The result of a rank's timer: distinct over ranks and over calls.
class Timer {
 public:
  explicit Timer(std::function<bool(const StridedConv&)> refuses = {}) : refuses_(std::move(refuses)) {}

  ConvAlgorithm operator()(const StridedConv& conv) {
    calls.push_back(key_of(conv, {}));
    if (refuses_ && refuses_(conv)) return {};
    return {.engine = 1000 * rank() + static_cast<index_t>(calls.size()), .knobs = {{2, rank()}}, .seconds = 1e-5 * rank()};
  }

  std::vector<std::string> calls{};

 private:
  std::function<bool(const StridedConv&)> refuses_;
};

std::unique_ptr<ConvAlgorithmChooser> chooser_of(Timer& timer) {
  return make_conv_chooser({.machine = no_machine, .library = std::make_unique<NoLibrary>(), .time = std::ref(timer)});
}

/// The calls of this rank's program for a small network.
std::vector<LocalOp> own_ops(const char* split, index_t samples) {
  const Network network = fuse(small_classifier(1, Weights::SmallIntegers, {{samples, 3, 1, 13, 11}}));
  const RankPlan job = make_rank_plan(network, make_plan(network, parse_split(split, num_ranks(), 2), num_ranks()), {}, rank());
  return local_ops_of(job.network, job.program);
}

/// Fails on every rank unless all have equal choices and no call is open.
void expect_agreed(ConvAlgorithmChooser& chooser, const std::vector<LocalOp>& ops, const ConvAlgorithms& choices) {
  EXPECT_TRUE(control().all_equal(conv_algorithms_to_json({{no_machine, choices}})));
  EXPECT_TRUE(chooser.open_calls(ops, choices).empty());
}

TEST(ConvAlgorithmAgreement, IsTheSameOnAllRanks) {
  for (const char* split : {"h", "f", "n", "w", "auto"}) {
    SCOPED_TRACE(split);
    Timer timer;
    const auto chooser = chooser_of(timer);
    const std::vector<LocalOp> ops = own_ops(split, 2 * num_ranks() + 1);
    const ConvAlgorithms choices = agree_on_conv_algorithms(control(), *chooser, ops, {});
    expect_agreed(*chooser, ops, choices);
    EXPECT_FALSE(choices.empty());
    EXPECT_EQ(control().sum(timer.calls.size()), std::ssize(choices)) << "each call is timed once";
    const std::vector<std::string> own = chooser->open_calls(ops, {});
    for (const std::string& call : timer.calls) {
      EXPECT_NE(std::find(own.begin(), own.end(), call), own.end()) << "a rank times what it computes itself";
      EXPECT_EQ(choices.at(call).knobs, (std::vector<ConvAlgorithmKnob>{{2, rank()}}));
    }
  }
}

TEST(ConvAlgorithmAgreement, DividesEqualCallsEvenly) {
  Timer timer;
  const auto chooser = chooser_of(timer);
  const ConvAlgorithms choices = agree_on_conv_algorithms(control(), *chooser, own_ops("n", num_ranks()), {});
  const index_t count = std::ssize(timer.calls);
  EXPECT_LE(control().max(count) - control().min(count), 1);
  EXPECT_GE(std::ssize(choices), 4);
}

TEST(ConvAlgorithmAgreement, TimesNothingThatIsKnown) {
  const std::vector<LocalOp> ops = own_ops("h", 2);
  Timer first;
  ConvAlgorithms known = agree_on_conv_algorithms(control(), *chooser_of(first), ops, {});
  Timer second;
  EXPECT_EQ(agree_on_conv_algorithms(control(), *chooser_of(second), ops, known), known);
  EXPECT_TRUE(second.calls.empty());

  const std::string forgotten = known.begin()->first;
  known.erase(known.begin());
  known["a call of another network"] = {.engine = 5};
  const ConvAlgorithms again = agree_on_conv_algorithms(control(), *chooser_of(second), ops, known);
  EXPECT_EQ(control().sum(second.calls.size()), 1);
  EXPECT_TRUE(again.contains(forgotten));
  EXPECT_TRUE(again.contains("a call of another network"));
}

/// An unsupported call leads to the next attempt, which must be timed too.
TEST(ConvAlgorithmAgreement, GoesOnUntilEveryCallHasAnEngine) {
  Timer timer([](const StridedConv& conv) { return conv.has_bias || conv.window[Axis::H].pad_lo > 0; });
  const auto chooser = chooser_of(timer);
  const std::vector<LocalOp> ops = own_ops("h", 2);
  index_t num_choices = 0;
  const ConvAlgorithms choices = agree_on_conv_algorithms(control(), *chooser, ops, {}, [&] { ++num_choices; });
  expect_agreed(*chooser, ops, choices);
  EXPECT_EQ(num_choices, std::ssize(timer.calls));
  EXPECT_EQ(control().sum(timer.calls.size()), std::ssize(choices));
  const auto refused = std::count_if(choices.begin(), choices.end(), [](const auto& each) { return !each.second.computes(); });
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, std::ssize(choices));
}

/// Ranks without calls take part.
TEST(ConvAlgorithmAgreement, ReachesRanksWithoutCalls) {
  Timer timer;
  const auto chooser = chooser_of(timer);
  const std::vector<LocalOp> ops = rank() == 0 ? own_ops("h", 2) : std::vector<LocalOp>();
  const ConvAlgorithms choices = agree_on_conv_algorithms(control(), *chooser, ops, {});
  expect_agreed(*chooser, ops, choices);
  EXPECT_EQ(control().sum(timer.calls.size()), std::ssize(choices));
  EXPECT_EQ(timer.calls.empty(), rank() > 0);
}

/// Ranks with GPUs of one kind agree among themselves.
TEST(ConvAlgorithmAgreement, IsAmongTheRanksOfItsControl) {
  Control kind = control().split(rank() % 2);
  Timer timer;
  const auto chooser = chooser_of(timer);
  const ConvAlgorithms choices = agree_on_conv_algorithms(kind, *chooser, own_ops("n", num_ranks()), {});
  EXPECT_TRUE(kind.all_equal(conv_algorithms_to_json({{no_machine, choices}})));
  EXPECT_EQ(kind.sum(timer.calls.size()), std::ssize(choices));
  for (const auto& [call, choice] : choices) EXPECT_EQ(choice.engine / 1000 % 2, rank() % 2) << "of the other kind: " << call;
}

TEST(ConvAlgorithmAgreement, FailsOnAllRanksIfOneFails) {
  const int last = num_ranks() - 1;
  const auto chooser =
      make_conv_chooser({.library = std::make_unique<NoLibrary>(), .time = [&](const StridedConv&) -> ConvAlgorithm {
                           if (rank() == last) throw Error(ExitCode::OutOfMemory, "no room for operands");
                           return {.engine = 1};
                         }});
  const std::vector<LocalOp> ops = own_ops("n", num_ranks());
  try {
    agree_on_conv_algorithms(control(), *chooser, ops, {});
    FAIL() << "rank " << last << " failed";
  } catch (const JobError& error) {
    EXPECT_EQ(error.code(), ExitCode::OutOfMemory);
    EXPECT_EQ(error.rank(), last);
  }
}

/// A backend that records the operators it prepares.
class ListeningBackend final : public Backend {
 public:
  std::string name() const override { return inner_->name(); }
  MemoryRules memory_rules() const override { return inner_->memory_rules(); }
  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    ops.push_back(op);
    return inner_->prepare(op, read_filter);
  }

  std::vector<LocalOp> ops{};

 private:
  std::unique_ptr<Backend> inner_ = make_reference_backend();
};

TEST(LocalOps, EqualTheOnesAnEnginePrepares) {
  const Network network = fuse(small_classifier(1, Weights::SmallIntegers, {{2, 3, 1, 13, 11}}));
  for (const char* split : {"h", "c", "auto"}) {
    SCOPED_TRACE(split);
    const Plan plan = make_plan(network, parse_split(split, num_ranks(), 2), num_ranks());
    ListeningBackend backend;
    const DistributedRun run(network, plan, {}, backend);
    const RankPlan job = make_rank_plan(network, plan, {}, rank());
    const std::vector<LocalOp> ops = local_ops_of(job.network, job.program);
    ASSERT_EQ(ops.size(), backend.ops.size());
    for (std::size_t k = 0; k < ops.size(); ++k) {
      EXPECT_EQ(ops[k].kind.index(), backend.ops[k].kind.index());
      EXPECT_EQ(ops[k].srcs, backend.ops[k].srcs);
      EXPECT_EQ(ops[k].dst, backend.ops[k].dst);
      EXPECT_EQ(ops[k].epilogue.bias, backend.ops[k].epilogue.bias);
    }
  }
}

}  // namespace
}  // namespace parconv::test
