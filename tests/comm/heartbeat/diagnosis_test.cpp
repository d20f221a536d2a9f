// SPDX-License-Identifier: Apache-2.0
// Who is to blame: literal states of ranks, and the rank that they wait for.
#include "parconv/comm/heartbeat/diagnosis.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "comm/heartbeat/interfaces.hpp"
#include "comm/heartbeat/observer.hpp"

namespace parconv {
namespace {

using enum Activity;

RankView view(Activity activity, index_t meetings = 10, double still_seconds = 5) {
  return {.pulse = {.activity = activity, .meetings = meetings, .pid = 1, .process = ProcessState::Alive},
          .still_seconds = still_seconds};
}

RankView in_state(ProcessState process, RankView rank) {
  rank.pulse.process = process;
  return rank;
}

RankView silent(double seconds, RankView rank) {
  rank.is_silent = true;
  rank.silent_seconds = seconds;
  return rank;
}

RankView idle(RankView rank) {
  rank.is_idle = true;
  return rank;
}

struct Row {
  const char* name;
  std::vector<RankView> ranks;
  Symptom symptom;
  int rank;
};

TEST(Diagnosis, NamesTheRankThatOthersWaitFor) {
  const RankView waits = view(Waiting), works = view(Working), calls = view(Library), has_ended = view(Ended);
  const std::vector<Row> rows{
      {"one rank works", {waits, works, waits}, Symptom::Busy, 1},
      {"one rank has not come to the collective call", {waits, view(Working, 9), waits}, Symptom::Busy, 1},
      {"alone", {works}, Symptom::Busy, 0},
      {"a stopped rank waits, too", {waits, waits, in_state(ProcessState::Stopped, waits)}, Symptom::Stopped, 2},
      {"stopped before busy", {works, waits, in_state(ProcessState::Stopped, waits)}, Symptom::Stopped, 2},
      {"gone before stopped", {in_state(ProcessState::Stopped, waits), in_state(ProcessState::Gone, works)}, Symptom::Gone, 1},
      {"one that ended in order is not gone", {in_state(ProcessState::Gone, has_ended), works, waits}, Symptom::Busy, 1},
      {"silent on another host", {waits, silent(4, waits), waits}, Symptom::Silent, 1},
      {"silent for longest", {silent(2, waits), silent(4, waits)}, Symptom::Silent, 1},
      {"silent for as long: the lowest", {silent(4, waits), silent(4.2, waits)}, Symptom::Silent, 0},
      {"silent before busy", {works, silent(4, waits)}, Symptom::Silent, 1},
      {"two work: the one behind", {view(Working, 10), view(Working, 9), waits}, Symptom::Busy, 1},
      {"two work: the one that moved last is not it", {view(Working, 9, 0.1), view(Working, 9, 8)}, Symptom::Busy, 1},
      {"work before a call of a library", {idle(calls), works, calls}, Symptom::Busy, 1},
      {"a call of a library before a wait", {waits, calls, waits}, Symptom::Busy, 1},
      {"in a library the one that idles", {calls, calls, idle(calls)}, Symptom::Busy, 2},
      {"in a library the one behind", {calls, view(Library, 9), calls}, Symptom::Busy, 1},
      {"all wait: the one behind", {waits, waits, view(Waiting, 9)}, Symptom::Behind, 2},
      {"all wait alike", {waits, waits, waits}, Symptom::None, -1},
      {"one that has ended but still exists", {waits, has_ended}, Symptom::Busy, 1},
      {"of two such ranks the stopped one", {waits, has_ended, in_state(ProcessState::Stopped, has_ended)}, Symptom::Stopped, 2},
      {"those that take part before one that has ended", {waits, has_ended, works}, Symptom::Busy, 2},
      {"nobody is known", {view(Absent), view(Absent)}, Symptom::None, -1},
      {"the absent are not blamed", {view(Absent, 0), waits, works}, Symptom::Busy, 2},
      {"no ranks", {}, Symptom::None, -1},
  };
  for (const Row& row : rows) {
    const Diagnosis diagnosis = diagnose(row.ranks);
    EXPECT_EQ(diagnosis.symptom, row.symptom) << row.name;
    EXPECT_EQ(diagnosis.rank, row.rank) << row.name;
  }
}

/// One rank is at fault among many that wait, wherever it is.
TEST(Diagnosis, FindsOneAmongMany) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<RankView> ranks(1 + random() % 200, view(Waiting));
    for (RankView& rank : ranks) rank.still_seconds = std::uniform_real_distribution(4.0, 6.0)(random);
    const auto culprit = static_cast<int>(random() % ranks.size());
    RankView& one = ranks[static_cast<std::size_t>(culprit)];
    switch (random() % 3) {
      case 0:
        one.pulse.activity = Working;
        break;
      case 1:
        one.pulse.process = ProcessState::Stopped;
        break;
      default:
        one = silent(4, one);
    }
    EXPECT_EQ(diagnose(ranks).rank, culprit);
  }
}

class Watched {
 public:
  explicit Watched(std::size_t ranks) : cells(ranks) {
    for (PulseCell& cell : cells) cell.store(view(Waiting).pulse);
  }

  /// Looks ten times a second; `change` may alter cells before each look.
  template <class Change>
  std::vector<RankView> after(int tenths, Change&& change) {
    for (int k = 0; k < tenths; ++k) {
      change();
      observer.look(cells, 0.1);
    }
    return observer.views();
  }

  std::vector<PulseCell> cells;
  Observer observer{cells.size(), 1.5};
};

TEST(Observer, TellsSilentStillAndIdleRanks) {
  Watched watched(4);
  const auto views = watched.after(20, [&] {
    for (const std::size_t lively : {0U, 1U, 2U}) watched.cells[lively].increment(PulseCell::Beats);
    watched.cells[0].increment(PulseCell::Progress);
    watched.cells[1].set(PulseCell::BusyMs, watched.cells[1].get(PulseCell::BusyMs) + 100);
  });
  EXPECT_LT(views[0].still_seconds, 0.15);
  EXPECT_GT(views[1].still_seconds, 1.5);
  EXPECT_FALSE(views[2].is_silent);
  EXPECT_TRUE(views[3].is_silent);
  EXPECT_FALSE(views[1].is_idle);
  EXPECT_TRUE(views[2].is_idle);
}

TEST(Observer, APhaseOrAMeetingIsAMove) {
  Watched watched(2);
  watched.after(20, [] {});
  const auto views = watched.after(1, [&] {
    watched.cells[0].increment(PulseCell::Meetings);
    watched.cells[1].set(PulseCell::Phase, 3);
  });
  EXPECT_EQ(views[0].still_seconds, 0);
  EXPECT_EQ(views[1].still_seconds, 0);
}

TEST(Pulse, FieldsKeepTheirValues) {
  const Pulse pulse{.activity = Library,
                    .phase = 1,
                    .node = 2,
                    .micro_batch = 3,
                    .progress = 4,
                    .meetings = 5,
                    .beats = 6,
                    .busy_ms = 7,
                    .pid = 8,
                    .pid_namespace = 9,
                    .signal = 10,
                    .process = ProcessState::Stopped};
  EXPECT_EQ(pulse_of(fields_of(pulse)), pulse);
  PulseCell cell;
  cell.store(pulse);
  EXPECT_EQ(cell.load(), pulse);
}

TEST(Pulse, ScopesNestAndAnEndIsFinal) {
  RankPulse pulse;
  EXPECT_EQ(pulse.activity(), Working);
  {
    const ActivityScope call(&pulse, Library);
    {
      const ActivityScope wait(&pulse, Waiting);
      EXPECT_EQ(pulse.activity(), Waiting);
    }
    EXPECT_EQ(pulse.activity(), Library);
    pulse.end();
  }
  EXPECT_EQ(pulse.activity(), Ended);
  const ActivityScope nothing(nullptr, Waiting);
}

TEST(Pulse, MovesToSharedMemory) {
  PulseCell shared;
  RankPulse pulse;
  pulse.enter(4);
  pulse.move_to(shared);
  pulse.at_layer(7, 11);
  pulse.count_meeting();
  EXPECT_EQ(shared.load(), pulse.load());
  EXPECT_EQ(shared.load().phase, 4);
  EXPECT_EQ(shared.load().node, 7);
  EXPECT_EQ(shared.load().meetings, 1);
}

// ---- Networks ----

constexpr std::uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d) { return a << 24U | b << 16U | c << 8U | d; }

Interface interface(const char* name, std::uint32_t address, int bits = 24) {
  return {name, address, ~std::uint32_t{0} << (32 - bits)};
}

TEST(Interfaces, TakesThoseThatMpiMayUse) {
  const std::vector<Interface> all{interface("lo", ip(127, 0, 0, 1), 8), interface("eth0", ip(10, 1, 2, 3)),
                                   interface("ib0", ip(192, 168, 0, 3))};
  EXPECT_EQ(interfaces_of_mpi(all, nullptr), (std::vector{all[1], all[2]}));
  EXPECT_EQ(interfaces_of_mpi(all, "ib0"), std::vector{all[2]});
  EXPECT_EQ(interfaces_of_mpi(all, "10.1.0.0/16,lo"), (std::vector{all[0], all[1]}));
  for (const char* none : {"", "eth1", "10.2.0.0/16", "10.1.0.0", "10.1.0.0/33", "10.1.0.0/x", "nonsense/8"})
    EXPECT_TRUE(interfaces_of_mpi(all, none).empty()) << none;
}

TEST(Interfaces, FindsTheNetworkThatAllHostsShare) {
  const Interface bridge = interface("docker0", ip(172, 17, 0, 1), 16);  // the same on both: connects nothing
  const std::vector<std::vector<Interface>> hosts{
      {bridge, interface("eth0", ip(10, 0, 1, 1)), interface("ib0", ip(10, 9, 0, 1))},
      {bridge, interface("eth0", ip(10, 0, 2, 1)), interface("ib1", ip(10, 9, 0, 2))}};
  EXPECT_EQ(shared_network(hosts), (std::vector{ip(10, 9, 0, 1), ip(10, 9, 0, 2)}));
  EXPECT_TRUE(shared_network(std::vector{std::vector{bridge}, std::vector{bridge}}).empty());
  EXPECT_TRUE(shared_network(std::vector{hosts[0], std::vector<Interface>{}}).empty());
  EXPECT_TRUE(shared_network({}).empty());
}

TEST(Interfaces, TravelAsText) {
  const std::vector<Interface> some{interface("eth0", ip(10, 0, 1, 1)), interface("ib0", ip(255, 9, 0, 1), 8)};
  EXPECT_EQ(interfaces_from(to_text(some)), some);
  EXPECT_TRUE(interfaces_from("").empty());
}

}  // namespace
}  // namespace parconv
