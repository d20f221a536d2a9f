// SPDX-License-Identifier: Apache-2.0
// Key figures of explained plans, worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "parconv/program/compile.hpp"
#include "parconv/program/costs.hpp"
#include "parconv/program/explain.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
const Window same{{WindowAxis{}, three, three}};

/// Two 3x3 convolutions of 8 channels on one image of 16 x 10.
Network two_convolutions() {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId middle = builder.conv(builder.input({{1, 8, 1, 16, 10}}), {.oc = 8, .window = same});
  return builder.build({builder.conv(middle, {.oc = 8, .window = same})});
}

struct Explained {
  Network network;
  Plan plan;
  Layout layout;
  std::vector<Program> programs;
  std::vector<Costs> figures;

  Explained(Network network_, const char* split, int num_ranks, const CompileOptions& options = {})
      : network(std::move(network_)),
        plan(make_plan(network, parse_split(split, num_ranks, 2), num_ranks)),
        layout(lay_out(network, plan, options)),
        programs(compile_all(network, layout)),
        figures(costs_by_layer(costs_of_all(network, layout, programs))) {}

  std::string text(const ExplainOptions& options = {}) const { return explain(network, plan, layout, programs, options); }
};

TEST(Explain, HalosOfRows) {
  const Explained e(two_convolutions(), "h=4", 4);
  // Three cuts, a row of 10 pixels x 8 channels each way, f32: 6 * 320 bytes after the first convolution, awaited by the second.
  EXPECT_EQ(e.figures[0].sent_bytes, 1920);
  EXPECT_EQ(e.figures[0].sent_messages, 6);
  EXPECT_EQ(e.figures[0].received_bytes, 0);
  EXPECT_EQ(e.figures[1].sent_bytes, 0);
  EXPECT_EQ(e.figures[1].received_bytes, 1920);
  EXPECT_EQ(e.figures[1].copied_bytes, 0);
  // Each rank holds all 8 x 8 x 9 weights and 8 biases; every output is computed once: 2 * 72 * 8 * 160 operations.
  EXPECT_EQ(e.figures[0].weight_bytes, 4 * (8 * 8 * 9 + 8) * 4);
  EXPECT_EQ(e.figures[0].flops, 2.0 * 72 * 8 * 160);
}

TEST(Explain, SumsOverChannels) {
  const Explained e(two_convolutions(), "c=2", 2);
  // Each rank sends the half of its sums that the other owns: 160 pixels x 4 channels, both ways, for each convolution.
  EXPECT_EQ(e.figures[0].sent_bytes, 2 * 160 * 4 * 4);
  EXPECT_EQ(e.figures[1].sent_bytes, 2 * 160 * 4 * 4);
  EXPECT_EQ(e.figures[0].weight_bytes + e.figures[1].weight_bytes, 2 * 8 * 8 * 9 * 4 + 2 * 8 * 4 * 2);
  EXPECT_THAT(e.text(), ContainsRegex("value1 .* c=2 .* sum"));
}

TEST(Explain, NamesTheTypeOfActivationsUnlessItIsF32) {
  const Network network = two_convolutions();
  const Plan plan = make_plan(network, parse_split("h=2", 2, 2), 2);
  const auto text = [&](DType type) {
    const Layout layout = lay_out(network, plan, {.type = type});
    return explain(network, plan, layout, compile_all(network, layout));
  };
  EXPECT_THAT(text(DType::BF16), HasSubstr("activations and filters are bf16"));
  EXPECT_THAT(text(DType::F32), Not(HasSubstr("activations and filters")));
}

TEST(Explain, TextOfRows) {
  const std::string text = Explained(two_convolutions(), "h=3", 3).text();
  EXPECT_THAT(text, HasSubstr("2 layers on 3 ranks in 1 stage"));
  // 16 rows in 3 parts are 6, 6, 4.
  EXPECT_THAT(text, ContainsRegex("value1 +Conv +0 h=3 +3 1x8x4-6x10 +0 B +1.2 KiB +0 B +6.8 KiB  p2p"));
  EXPECT_THAT(text, ContainsRegex("value2 +Conv +0 h=3 +3 1x8x4-6x10 +1.2 KiB +0 B +0 B +6.8 KiB  -"));
  EXPECT_THAT(text, HasSubstr("total: 1.2 KiB sent in 4 messages, 0 B copied"));
  EXPECT_THAT(text, Not(HasSubstr("rank 1 ")));
}

TEST(Explain, ListsRanks) {
  const std::string text = Explained(two_convolutions(), "h=3", 3).text({.lists_ranks = true});
  EXPECT_THAT(text, HasSubstr("    rank 2     n[0,1) c[0,8) h[12,16) w[0,10)\n"));
  // 8 x 8 x 9 weights and 8 biases are 2336 bytes for each of two layers.
  EXPECT_THAT(text, ContainsRegex("rank 0 .* of buffers, +4.6 KiB of weights"));
}

TEST(Explain, BytesBetweenHosts) {
  const Explained e(two_convolutions(), "h=4", 4);
  // Of three cuts one lies between the hosts {0, 1} and {2, 3}: a row of 320 bytes each way.
  EXPECT_THAT(e.text({.ranks_per_host = 2}), HasSubstr("hosts of 2 ranks: 1.2 KiB sent inside, 640 B between them\n"));
  EXPECT_THAT(e.text(), Not(HasSubstr("hosts")));
}

TEST(Explain, RanksWithoutWork) {
  const Explained e(two_convolutions(), "h=20", 20);
  // 16 rows in 20 parts: 16 ranks own one.
  EXPECT_THAT(e.text(), ContainsRegex("value1 +Conv +0 h=20 +16 1x8x1x10"));
  EXPECT_THAT(e.text({.lists_ranks = true}), HasSubstr("    rank 19    nothing\n"));
}

TEST(Explain, StoringAtTheRoot) {
  const Explained e(two_convolutions(), "h=4", 4, {.store = {.kind = StoreKind::Root}});
  // Three ranks send 4 rows of 10 x 8 to rank 0.
  EXPECT_EQ(e.figures[1].sent_bytes, 3 * 4 * 10 * 8 * 4);
  EXPECT_EQ(e.figures[2].received_bytes, 3 * 4 * 10 * 8 * 4);
  EXPECT_THAT(e.text(), HasSubstr("(output)"));
}

TEST(Explain, NamesKindsAndGroups) {
  const std::string channels = Explained(two_convolutions(), "f=2", 2).text({.lists_ranks = true});
  EXPECT_THAT(channels, ContainsRegex("value1 .* f=2 .*  allgather\\(2\\)\n    allgather of 2 ranks: 0-1\n"));
  EXPECT_THAT(channels, HasSubstr("\n1 communication: 1 x allgather of 2 ranks\n"));
  // Ranks are (f, h): 0 and 2 have the upper rows, and receive a row of the lower ones.
  const std::string product = Explained(two_convolutions(), "h=2,f=2", 4).text({.lists_ranks = true});
  EXPECT_THAT(product, ContainsRegex("value1 .*  allgather\\(2\\)\\+p2p\n"));
  EXPECT_THAT(product, HasSubstr("    allgather of 2 ranks: 0,2\n    allgather of 2 ranks: 1,3\n"));
  EXPECT_THAT(product, HasSubstr("\n1 communication: 2 x allgather of 2 ranks, 1 with point-to-point messages\n"));
  const std::string root = Explained(two_convolutions(), "c=4", 4, {.store = {.kind = StoreKind::Root}}).text();
  EXPECT_THAT(root, ContainsRegex("value2 .*  sum\\(4\\)\\+gather\\(4\\)->0\n"));
  EXPECT_THAT(root, HasSubstr("3 communications: 1 x gather of 4 ranks (root 0), 2 x reduce-scatter of 4 ranks\n"));
  EXPECT_THAT(Explained(two_convolutions(), "h=1", 1).text(), Not(HasSubstr("communication")));
}

TEST(Explain, RandomNetworksReceiveWhatIsSentAndFitTheColumns) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const int ranks = 1 + static_cast<int>(seed % 5);
    const char* axis = seed % 3 == 0 ? "h" : seed % 3 == 1 ? "f" : "c";
    const Explained e(fuse(random_network(seed, Weights::SmallIntegers, 8)), axis, ranks);
    index_t sent = 0;
    index_t received = 0;
    for (const Costs& figures : e.figures) {
      sent += figures.sent_bytes;
      received += figures.received_bytes;
    }
    index_t sent_by_programs = 0;
    for (const Program& program : e.programs) sent_by_programs += sent_bytes(program);
    EXPECT_EQ(sent, received);
    EXPECT_EQ(sent, sent_by_programs);
    std::istringstream lines(e.text({.lists_ranks = true}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 130U) << line;
  }
}

}  // namespace
}  // namespace parconv::test
