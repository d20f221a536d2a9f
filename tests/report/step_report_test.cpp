// SPDX-License-Identifier: Apache-2.0
// Steps of all ranks summed by layer, and their tables, JSON lines and traces.
#include "parconv/report/step_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "parconv/core/error.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/report/json_lines.hpp"
#include "support/mpi_test.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

/// A convolution and a Softmax over its channels, split by filters.
struct Measured {
  Network network;
  Layout layout;
  Program program;
  std::vector<MeasuredStep> steps;

  Measured() {
    RandomNetworkBuilder builder(1, Weights::SmallIntegers);
    network = builder.build({builder.softmax(builder.conv(builder.input({{1, 4, 1, 6, 5}}), {.oc = 60}))});
    const int ranks = control().size();
    const Plan plan = make_plan(network, parse_split("f", ranks, 2), ranks);
    layout = lay_out(network, plan, {});
    program = compile(network, layout, control().rank());
    // Every step of rank r took r + 1 seconds.
    for (const Step& step : program.steps)
      steps.push_back({.seconds = control().rank() + 1.0,
                       .calls = 2,
                       .implementation = std::holds_alternative<Compute>(step.action) ? "kernel" : ""});
  }
};

index_t count_of(const Program& program, NodeId node, Track track) {
  return std::count_if(program.steps.begin(), program.steps.end(),
                       [&](const Step& step) { return step.node == node && track_of(step.action) == track; });
}

TEST(StepReport, LayersOverRanks) {
  Measured m;
  const StepReport report = collect_steps(control(), m.network, m.layout, m.program, m.steps);
  ASSERT_EQ(report.layers.size(), 3U);
  const int ranks = control().size();
  // Rank r has its 60 / ranks filters of 30 pixels, and sends them to all others.
  EXPECT_EQ(report.layers[0].costs.sent_bytes, 30 * 60 * 4 * (ranks - 1));
  EXPECT_EQ(report.layers[1].costs.sent_bytes, 0);
  EXPECT_EQ(report.costs.sent_bytes, 30 * 60 * 4 * (ranks - 1));
  // Each filter is on one rank: 30 pixels, 4 products and sums; 4 weights and a bias.
  EXPECT_EQ(report.layers[0].costs.flops, 2.0 * 4 * 60 * 30);
  EXPECT_EQ(report.layers[0].costs.weight_bytes, 60 * (4 + 1) * 4);
  EXPECT_EQ(report.layers[1].costs.received_bytes, report.layers[0].costs.sent_bytes);
  EXPECT_EQ(report.costs.received_bytes, report.costs.sent_bytes);
  EXPECT_EQ(report.layers[0].name, "value1");
  EXPECT_EQ(report.layers[0].op, "Conv");
  EXPECT_EQ(report.layers[0].split, ranks == 1 ? "1" : concat("f=", ranks));
  EXPECT_EQ(report.layers[2].op, "Store");
  // The last rank is the slowest; the mean of 1 to ranks is (ranks + 1) / 2; all ranks have as many steps.
  const auto compute_steps = static_cast<double>(count_of(m.program, 0, Track::Compute));
  ASSERT_GE(compute_steps, 1);
  EXPECT_DOUBLE_EQ(report.layers[0].max_seconds[0], compute_steps * ranks);
  EXPECT_DOUBLE_EQ(report.layers[0].mean_seconds[0], compute_steps * (ranks + 1) / 2);
  EXPECT_DOUBLE_EQ(report.max_wait_seconds, ranks == 1 ? 0.0 : static_cast<double>(ranks));
  if (control().rank() == 0) {
    EXPECT_EQ(report.layers[0].implementation, "kernel");
    // Of two ranks the second is twice as slow; of three, the last is 1.5 times as slow as the median.
    EXPECT_EQ(report.slow_rank.has_value(), ranks == 2);
    if (report.slow_rank) {
      EXPECT_EQ(report.slow_rank->rank, 1);
    }
  }
}

TEST(StepReport, JsonOfLayersAndRuns) {
  Measured m;
  const StepReport report = collect_steps(control(), m.network, m.layout, m.program, m.steps);
  const auto layer = nlohmann::json::parse(to_json_line(report.layers[0]));
  EXPECT_EQ(layer["type"], "layer");
  EXPECT_EQ(layer["name"], "value1");
  EXPECT_EQ(layer["sent_bytes_per_micro_batch"], report.layers[0].costs.sent_bytes);
  EXPECT_EQ(layer["flops_per_micro_batch"], report.layers[0].costs.flops);
  EXPECT_EQ(layer["weight_bytes"], report.layers[0].costs.weight_bytes);
  EXPECT_EQ(layer["max_seconds"]["compute"], report.layers[0].max_seconds[0]);
  const auto run =
      nlohmann::json::parse(to_json_line(RunRecord{.model = "caf\xe9.onnx", .ranks = 3, .samples = 10, .seconds = 2.5}));
  EXPECT_EQ(run["type"], "run");
  EXPECT_EQ(run["ranks"], 3);
  EXPECT_EQ(run["samples_per_second"], 4.0);
  EXPECT_EQ(run["slow_rank"], -1);
}

TEST(StepReport, TablesHaveALinePerLayer) {
  Measured m;
  const std::string table = layer_table(collect_steps(control(), m.network, m.layout, m.program, m.steps));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4);
  EXPECT_NE(table.find("value1"), std::string::npos);
}

TEST(Trace, StepsFollowEachOther) {
  Measured m;
  const auto events = nlohmann::json::parse(concat("[", trace_events(m.network, m.program, m.steps), "]"));
  ASSERT_EQ(events.size(), m.steps.size());
  double end = 0;
  for (const auto& event : events) {
    EXPECT_DOUBLE_EQ(event["ts"], end);
    EXPECT_DOUBLE_EQ(event["dur"], (control().rank() + 1.0) / 2 * 1e6);
    EXPECT_EQ(event["pid"], control().rank());
    end = event["ts"].get<double>() + event["dur"].get<double>();
  }
}

}  // namespace
}  // namespace parconv::test
