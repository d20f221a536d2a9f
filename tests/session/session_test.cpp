// SPDX-License-Identifier: Apache-2.0
// Sessions on the ranks of a job, with data in memory: results of one rank by the reference, bit for bit on small integers.
#include "parconv/session/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "parconv/engine/oracle.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/session/compile_options.hpp"
#include "parconv/session/dry_run.hpp"
#include "parconv/session/files/span_data.hpp"
#include "parconv/session/verification.hpp"
#include "session/program_text.hpp"
#include "support/mpi_test.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

constexpr index_t num_samples = 5;
constexpr Extents images{{num_samples, 3, 1, 20, 18}};

/// Three convolutions with a stride, a residual and a maximum: sums of small integers stay exact in any order.
Network network_of(index_t samples) {
  RandomNetworkBuilder builder(7, Weights::SmallIntegers);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const WindowAxis strided{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1};
  Extents extents = images;
  extents[Axis::N] = samples;
  ValueId value = builder.input(extents);
  value = builder.relu(builder.conv(value, {.oc = 8, .window = {{WindowAxis{}, strided, strided}}}));
  const ValueId branch = builder.conv(value, {.oc = 8, .window = {{WindowAxis{}, three, three}}});
  value = builder.sum({builder.conv(branch, {.oc = 8, .window = {{WindowAxis{}, three, three}}}), value});
  return fuse(builder.build({builder.pool(value, PoolKind::Max, {{WindowAxis{}, three, three}})}));
}

Extents output_of(index_t samples) { return network_of(samples).value(network_of(samples).outputs.front()).extents; }

std::vector<float> numbers() { return Random(3).small_integers(volume(images), -2, 2); }

/// The output by plain loops on this rank alone, in the order of ONNX.
std::vector<float> expected() {
  const Network network = network_of(num_samples);
  const std::vector<float> input = numbers();
  SpanSource source(input, {.extents = images});
  DataSource* const sources[] = {&source};
  std::vector<Box> wanted(network.values.size());
  const auto output = static_cast<std::size_t>(network.outputs.front());
  wanted[output] = Box::whole(network.values[output].extents);
  const auto backend = make_reference_backend();
  const auto values = evaluate(network, {.sources = sources, .read_filter = make_filter_reader()}, wanted, *backend);
  std::vector<float> result(static_cast<std::size_t>(volume(wanted[output].extents())));
  SpanSink(result, wanted[output].extents()).write(wanted[output], std::as_const(values[output]).view());
  return result;
}

/// The images of a job and its result on rank 0.
class SessionTest : public ::testing::Test {
 protected:
  Workload workload() { return {.network = network_of, .sources = {&source_}, .model_name = "small", .input_names = "images"}; }

  Session described(const Request& request) {
    Session session(job_, request);
    session.describe(workload());
    return session;
  }

  JobContext job_{control().split(0)};
  std::vector<float> input_ = numbers();
  SpanSource source_{input_, {.extents = images}};
  std::vector<float> result_ = std::vector<float>(static_cast<std::size_t>(volume(output_of(num_samples))), NAN);
  SpanSink sink_{result_, output_of(num_samples)};
  std::vector<DataSink*> sinks_{&sink_};
};

TEST_F(SessionTest, EverySplitGivesTheBitsOfTheReference) {
  const std::vector<float> wanted = expected();
  for (const char* split : {"auto", "h", "w", "f", "c", "stages", "n"}) {
    for (const index_t micro_batch : {index_t{0}, index_t{2}, index_t{1}}) {
      SCOPED_TRACE(concat(split, ", micro-batch ", micro_batch));
      std::fill(result_.begin(), result_.end(), NAN);
      Session session = described({.split = split, .micro_batch = micro_batch});
      session.run(sinks_);
      if (rank() == 0) {
        EXPECT_EQ(result_, wanted);
      }
    }
  }
}

TEST_F(SessionTest, PhasesCanRunOneByOne) {
  Session session = described({.split = "h", .micro_batch = 2});
  session.plan();
  EXPECT_EQ(session.setup().plan.num_ranks, num_ranks());
  session.compile();
  EXPECT_EQ(session.rank_plan().program.rank, rank());
  const std::vector<RunBlock> blocks = session.blocks();
  EXPECT_EQ(blocks, (std::vector<RunBlock>{{0, 2, 2}, {4, 1, 1}}));
  session.prepare();
  for (const RunBlock& block : {blocks[1], blocks[0]}) EXPECT_GT(session.run(sinks_, block), 0);
  if (rank() == 0) {
    EXPECT_EQ(result_, expected());
  }
}

/// A job whose last rank wants to stop as soon as it is asked the `question`th time.
JobOptions stopping_at(int question) {
  auto asked = std::make_shared<int>(0);
  return {.hooks = {.stop_reason = [asked, question] {
            const bool is_due = ++*asked >= question && rank() == num_ranks() - 1;
            return is_due ? StopReason::Signal : StopReason::None;
          }}};
}

/// Runs until a stop or the end; returns the samples done and checks that all ranks agree on them.
index_t samples_until_stop(Session& session, const std::vector<DataSink*>& sinks, std::vector<index_t>& recorded) {
  session.keep_progress({.record = [&](index_t samples) { recorded.push_back(samples); }, .interval_seconds = 1e-9});
  session.run(sinks);
  const index_t done = session.samples_done();
  EXPECT_EQ(control().max(done), control().min(done));
  EXPECT_EQ(session.stop_reason() == StopReason::None, done == num_samples);
  EXPECT_TRUE(std::is_sorted(recorded.begin(), recorded.end()));
  EXPECT_EQ(recorded.back(), done) << "the end is recorded";
  return done;
}

TEST_F(SessionTest, AStopOfOneRankEndsTheRunOfAllAfterTheSameSampleAndAnotherSessionGoesOn) {
  const std::vector<float> wanted = expected();
  bool was_stopped_within = false;
  for (const char* split : {"h", "f", "n", "stages"})
    for (int question = 5; question < 28; ++question) {
      SCOPED_TRACE(concat(split, ", question ", question));
      std::fill(result_.begin(), result_.end(), NAN);
      JobContext job(control().split(0), stopping_at(question));
      std::vector<index_t> recorded;
      index_t done = 0;
      try {
        Session session(job, {.split = split, .micro_batch = 1});
        session.describe(workload());
        done = samples_until_stop(session, sinks_, recorded);
      } catch (const JobError& error) {
        EXPECT_EQ(error.code(), ExitCode::Stopped) << "before the run";
        continue;
      }
      was_stopped_within = was_stopped_within || (done > 0 && done < num_samples);
      if (rank() == 0) {
        const auto per_sample = static_cast<std::ptrdiff_t>(result_.size() / num_samples);
        EXPECT_TRUE(std::equal(result_.begin(), result_.begin() + done * per_sample, wanted.begin()));
        std::fill(result_.begin() + done * per_sample, result_.end(), NAN);
      }
      Session next = [&] {
        Session made = described({.split = "w", .micro_batch = 2});
        made.plan();
        made.start_at(done);
        return made;
      }();
      EXPECT_EQ(samples_until_stop(next, sinks_, recorded), num_samples);
      if (rank() == 0) {
        EXPECT_EQ(result_, wanted);
      }
    }
  EXPECT_TRUE(was_stopped_within);
}

TEST_F(SessionTest, ProgressIsReportedInWholeBatches) {
  std::vector<index_t> samples;
  Session session = described({.split = "h", .micro_batch = 2});
  session.on_samples([&](index_t done) { samples.push_back(done); });
  session.run(sinks_);
  // Batches of 4: two micro-batches, then the last sample.
  EXPECT_EQ(samples, (std::vector<index_t>{0, 4, 5}));
}

/// A dry run of as many ranks on this host prints the programs that run.
TEST_F(SessionTest, ProgramsAreThoseOfADryRun) {
  for (const Request& request :
       {Request{.split = "h"}, Request{.split = "c", .reduce = LeafRule::Fine},
        Request{.split = "auto", .micro_batch = 2, .overlap = OverlapChoice::On},
        Request{.split = "n", .store = StoreKind::Chunks}, Request{.split = "f", .store = StoreKind::Owners}}) {
    SCOPED_TRACE(request.split);
    Session session = described(request);
    session.compile();
    const DryRun dry = dry_run(request, workload(), {.ranks = num_ranks()});
    EXPECT_EQ(session.compile_options().overlap, dry.layout.options.overlap);
    EXPECT_EQ(text_of(session.rank_plan().program), text_of(dry.programs[static_cast<std::size_t>(rank())]));
  }
}

TEST_F(SessionTest, VerificationFindsWrongInputOfOneRank) {
  for (const VerifyExtent extent : {VerifyExtent::Samples, VerifyExtent::Everything}) {
    Session session = described({.split = "h"});
    EXPECT_EQ(worst_of(session.verify({.extent = extent})).worst, 0);
    std::vector<float> altered = input_;
    if (rank() == 0) altered[0] += 1000;
    SpanSource wrong(altered, {.extents = images});
    DataSource* const sources[] = {&wrong};
    const auto differences = session.verify({.extent = extent, .rank_sources = sources});
    EXPECT_GT(worst_of(differences).relative(), 0.1);
    EXPECT_THROW(require_equal(session.setup().network, differences, 1e-4), Error);
  }
}

TEST_F(SessionTest, NaNsOfTheInputAreCountedOnce) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* split : {"h", "w", "f", "c", "n", "stages"}) {
    std::vector<float> altered = input_;
    altered[5] = altered[input_.size() / 2] = altered.back() = nan;
    SpanSource source(altered, {.extents = images});
    Session session(job_, {.split = split, .micro_batch = 2});
    session.describe({.network = network_of, .sources = {&source}, .model_name = "small", .input_names = "images"});
    session.run(sinks_);
    const std::vector<InputNans> nans = session.input_nans();
    ASSERT_EQ(nans.size(), 1U) << split;
    EXPECT_EQ(nans[0].count, 3) << split;
    EXPECT_EQ(nans[0].first, (std::vector<index_t>{0, 0, 0, 5})) << split;
  }
  Session session = described({.split = "h"});
  session.run(sinks_);
  EXPECT_TRUE(session.input_nans().empty());
}

TEST_F(SessionTest, ReportsDescribeTheRun) {
  Session session = described({.split = "h", .micro_batch = 2, .reduce = LeafRule::Fine});
  EXPECT_THROW(session.report(), Bug) << "nothing was run";
  session.run(sinks_);
  const RunReport report = session.report();
  EXPECT_EQ(report.record.ranks, num_ranks());
  EXPECT_EQ(report.record.samples, num_samples);
  EXPECT_EQ(report.record.batch, 4);
  EXPECT_EQ(report.record.micro_batch, 2);
  EXPECT_EQ(report.record.model, "small");
  EXPECT_EQ(report.record.reduce, "ordered");
  EXPECT_EQ(report.record.dtype, "f32");
  EXPECT_EQ(report.record.overlap, "off");
  EXPECT_EQ(report.record.sent_bytes > 0, num_ranks() > 1);
  EXPECT_EQ(report.layers.layers.size(), session.setup().network.nodes.size() + 1);
  EXPECT_GT(report.record.seconds, 0);
  const std::string trace = session.trace();
  if (rank() == 0) {
    EXPECT_NE(trace.find("\"ph\""), std::string::npos);
  }
}

TEST_F(SessionTest, SeveralSessionsUseOneDevice) {
  RankDevice device(job_, {.device = DeviceChoice::Cpu});
  for (const char* split : {"h", "f"}) {
    std::fill(result_.begin(), result_.end(), NAN);
    Session session(device, {.split = split});
    session.describe(workload());
    session.run(sinks_);
    session.run(sinks_);
    if (rank() == 0) {
      EXPECT_EQ(result_, expected());
    }
  }
}

TEST_F(SessionTest, APlanOfFewerRanksLeavesTheOthersIdle) {
  Plan plan = make_plan(network_of(num_samples), parse_split("1", 1, 2), 1);
  plan.num_ranks = num_ranks();
  Session session = described({.plan = plan, .batch = num_samples, .micro_batch = num_samples});
  session.run(sinks_);
  EXPECT_EQ(session.rank_plan().program.steps.empty(), rank() > 0);
  if (rank() == 0) {
    EXPECT_EQ(result_, expected());
  }
}

TEST_F(SessionTest, RanksThatSeeOtherDataAreRefused) {
  if (num_ranks() == 1) GTEST_SKIP() << "needs several ranks";
  Extents extents = images;
  if (rank() > 0) extents[Axis::N] = num_samples + 1;
  const std::vector<float> other(static_cast<std::size_t>(volume(extents)));
  SpanSource source(other, {.extents = extents});
  Session session(job_, {.split = "h"});
  session.describe({.network = network_of, .sources = {&source}});
  try {
    session.plan();
    FAIL() << "not refused";
  } catch (const JobError& error) {
    EXPECT_EQ(error.code(), ExitCode::Config) << error.what();
    EXPECT_NE(std::string(error.what()).find("5x3x1x20x18 on rank 0, 6x3x1x20x18 on rank 1"), std::string::npos) << error.what();
  }
}

TEST_F(SessionTest, ARankWithOtherOptionsIsRefused) {
  if (num_ranks() == 1) GTEST_SKIP() << "needs several ranks";
  try {
    Session session(job_, {.split = "h", .reduce = rank() > 0 ? LeafRule::Fine : LeafRule::Coarse});
    FAIL() << "not refused";
  } catch (const JobError& error) {
    EXPECT_EQ(error.code(), ExitCode::Config) << error.what();
    EXPECT_NE(std::string(error.what()).find("--reduce: fast on rank 0, ordered on rank 1"), std::string::npos) << error.what();
  }
}

TEST_F(SessionTest, AStopEndsAllRanksBeforeTheNextBlock) {
  std::stop_source stop;
  JobContext job(control().split(0), {.stop = stop.get_token()});
  Session session(job, {.split = "h", .micro_batch = 2});
  session.describe(workload());
  session.prepare();
  session.run(sinks_, session.blocks().front());
  if (rank() == 0) stop.request_stop();
  try {
    session.run(sinks_, session.blocks().front());
    FAIL() << "not stopped";
  } catch (const JobError& error) {
    EXPECT_EQ(error.code(), ExitCode::Stopped);
  }
}

TEST_F(SessionTest, UnavailableRequestsAreRefusedAtOnce) {
  EXPECT_THROW(Session(job_, {.devices = {.device = DeviceChoice::Cpu, .transport = TransportChoice::Nccl}}), JobError);
  EXPECT_THROW(Session(job_, {.devices = {.device = DeviceChoice::Cpu}, .numerics = Numerics::Tf32}), JobError);
  Session session(job_, {.split = "h=7,w=3"});
  EXPECT_THROW(session.plan(), Bug) << "nothing was described";
  session.describe(workload());
  EXPECT_THROW(session.plan(), JobError);
}

}  // namespace
}  // namespace parconv::test
