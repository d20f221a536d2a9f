// SPDX-License-Identifier: Apache-2.0
// Every fault injected into a correct program is found by the proof, or does not change the results.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "engine/distributed_run.hpp"
#include "program/verify/mutation_cases.hpp"
#include "program/verify/mutations.hpp"
#include "support/proven.hpp"
#include "support/threaded_run.hpp"

namespace parconv::test {
namespace {

int from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

/// Mutants per kind.
int mutants_wanted() { return from_environment("PARCONV_MUTANTS", 120); }
/// Networks for the mutants.
int networks_wanted() { return from_environment("PARCONV_MUTATED_NETWORKS", 60); }
/// Correct jobs, none of which may be rejected.
int right_jobs_wanted() { return from_environment("PARCONV_RIGHT_JOBS", 1000); }

/// Runs programs on the fake devices and compares with the oracle; empty if all bits are right.
std::string problem_of_run(const MutationCase& mutated) {
  const Network& network = mutated.network;
  index_t slots = 1;
  for (const Program& program : mutated.programs)
    for (const Buffer& buffer : program.buffers) slots = std::max<index_t>(slots, buffer.slots);
  const index_t micro_batches = 2 + 2 * slots;
  Random random(17);
  const index_t batch = network.value(network.inputs[0]).extents[Axis::N];
  std::vector<MemorySource> sources = random_sources(network, random, batch * micro_batches, true);
  std::vector<MemorySink> sinks;
  for (const ValueId id : network.outputs) {
    Extents extents = network.value(id).extents;
    extents[Axis::N] *= micro_batches;
    sinks.emplace_back(extents);
  }
  std::vector<DataSource*> source_list;
  for (MemorySource& source : sources) source_list.push_back(&source);
  std::vector<DataSink*> sink_list;
  for (MemorySink& sink : sinks) sink_list.push_back(&sink);
  const std::string error = run_on_fake_devices({network, mutated.programs, source_list, sink_list, micro_batches});
  if (!error.empty()) return error;
  const auto backend = make_reference_backend();
  for (index_t m = 0; m < micro_batches; ++m) {
    const std::vector<HostTensor> expected = oracle_outputs(network, sources, m, *backend, mutated.options.type);
    for (std::size_t k = 0; k < sinks.size(); ++k) {
      const Box samples = expected[k].box();
      HostTensor actual(samples);
      copy(sinks[k].tensor().view(samples.with(Axis::N, samples[Axis::N].shifted(m * samples[Axis::N].size()))), actual.view());
      if (!same_bits(elements(actual), elements(expected[k]))) return concat("output ", k, " of micro-batch ", m, " differs");
    }
  }
  return {};
}

/// Results for the mutants of one kind.
struct Tally {
  int made = 0;
  int killed = 0;
  std::map<Rule, int> by_rule{};
  std::vector<std::string> equivalent{};
};

class MutationTable {
 public:
  Tally& of(Mutation mutation) { return tallies_[static_cast<std::size_t>(mutation)]; }
  const Tally& of(Mutation mutation) const { return tallies_[static_cast<std::size_t>(mutation)]; }

  Tally total() const {
    Tally sum;
    for (const Tally& tally : tallies_) {
      sum.made += tally.made;
      sum.killed += tally.killed;
      sum.equivalent.insert(sum.equivalent.end(), tally.equivalent.begin(), tally.equivalent.end());
    }
    return sum;
  }

  /// The rows of a page of the documentation.
  std::string rows() const {
    std::ostringstream out;
    out << "| mutation | made | killed | equivalent | by rule |\n|---|---|---|---|---|\n";
    for (int k = 0; k < num_mutations; ++k) {
      const auto mutation = static_cast<Mutation>(k);
      const Tally& tally = of(mutation);
      out << "| " << name_of(mutation) << " | " << tally.made << " | " << tally.killed << " | " << tally.equivalent.size()
          << " | ";
      const char* separator = "";
      for (const auto& [rule, count] : tally.by_rule) {
        out << separator << name_of(rule) << " " << count;
        separator = ", ";
      }
      out << " |\n";
    }
    return out.str();
  }

 private:
  std::array<Tally, num_mutations> tallies_{};
};

class Mutations : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cases_ = std::make_unique<std::vector<MutationCase>>();
    for (int seed = 0; seed < networks_wanted(); ++seed) cases_->push_back(mutation_case(static_cast<std::uint64_t>(seed)));
  }
  static void TearDownTestSuite() { cases_.reset(); }

  /// Tests one mutant of one case; false if the case has no site for it.
  static bool make_mutant(std::size_t number, Mutation mutation, Random& random, Tally& tally) {
    MutationCase mutant = (*cases_)[number];
    const auto change = mutate(mutant.programs, mutation, random);
    if (!change) return false;
    ++tally.made;
    const Proof proof = proof_of(mutant.network, mutant.programs, mutant.options);
    if (!proof.holds()) {
      ++tally.killed;
      ++tally.by_rule[proof.findings.front().rule];
      return true;
    }
    const std::string text = concat(name_of(mutation), ", network ", number, ", ", *change);
    const std::string problem = problem_of_run(mutant);
    EXPECT_EQ(problem, "") << "not found by the proof: " << text;
    tally.equivalent.push_back(text);
    return true;
  }

  static std::unique_ptr<std::vector<MutationCase>> cases_;
};

std::unique_ptr<std::vector<MutationCase>> Mutations::cases_;

TEST_F(Mutations, CoverProgramsWithAllFeatures) {
  Features all;
  for (const MutationCase& each : *cases_) {
    const Features features = features_of(each);
    all.has_stages |= features.has_stages;
    all.has_divided_sums |= features.has_divided_sums;
    all.has_concat |= features.has_concat;
    all.has_residual |= features.has_residual;
    all.has_margins |= features.has_margins;
    all.has_several_slots |= features.has_several_slots;
    EXPECT_TRUE(are_proven(each.network, each.programs, each.options));
  }
  EXPECT_TRUE(all.has_stages && all.has_divided_sums && all.has_concat && all.has_residual && all.has_margins &&
              all.has_several_slots);
}

/// The run that judges survivors accepts correct programs.
TEST_F(Mutations, AreJudgedByARunThatAcceptsRightPrograms) {
  for (std::size_t number = 0; number < 12; ++number) EXPECT_EQ(problem_of_run((*cases_)[number]), "") << "network " << number;
}

/// It rejects faulty programs if the fault shows in the bits: sends of other boxes, and faults that depend on timing.
TEST_F(Mutations, AreJudgedByARunThatRejectsWrongPrograms) {
  Random random(5);
  for (const Mutation mutation : {Mutation::SendsSwapped, Mutation::MemoryMoved, Mutation::SlotMissing, Mutation::AwaitLate,
                                  Mutation::StaleRead, Mutation::ContributionLost}) {
    int made = 0, rejected = 0;
    for (std::size_t number = 0; made < 6; number = (number + 1) % cases_->size()) {
      MutationCase mutant = (*cases_)[number];
      if (!mutate(mutant.programs, mutation, random)) continue;
      ++made;
      rejected += problem_of_run(mutant).empty() ? 0 : 1;
    }
    EXPECT_GE(rejected, 3) << name_of(mutation);
  }
}

struct RightJobs {
  int jobs = 0;
  index_t programs = 0;
  index_t steps = 0;
};

/// No false alarm: random jobs other than those of the mutants.
RightJobs prove_right_jobs() {
  RightJobs proven;
  for (; proven.jobs < right_jobs_wanted(); ++proven.jobs) {
    const MutationCase right = mutation_case(1'000'000 + static_cast<std::uint64_t>(proven.jobs));
    const Proof proof = proof_of(right.network, right.programs, right.options);
    if (!proof.holds()) ADD_FAILURE() << "job " << proven.jobs << ": " << to_string(proof);
    if (!proof.holds()) break;
    proven.programs += proof.ranks_executed;
    proven.steps += proof.steps_executed;
  }
  return proven;
}

std::string page_of(const MutationTable& table, std::size_t networks, const RightJobs& right) {
  const Tally all = table.total();
  std::ostringstream out;
  out << "# Mutations of programs\n\n"
      << "Written by `mutation_test.slow` ([testing](../testing.md#proof-and-mutations)).\n\n"
      << "* " << all.made << " mutants of the programs of " << networks << " networks: " << all.killed << " killed by the proof, "
      << all.equivalent.size()
      << " equivalent: they produce the\n  oracle's bits on fake devices that work as late as they may.\n"
      << "* No false alarm in " << right.jobs << " random jobs: " << right.programs << " programs, " << right.steps
      << " steps executed on labels.\n\n"
      << table.rows();
  if (!all.equivalent.empty()) out << "\nEquivalent:\n\n";
  for (const std::string& text : all.equivalent) out << "* " << text << "\n";
  return out.str();
}

TEST_F(Mutations, AreKilledOrEquivalent) {
  MutationTable table;
  for (int k = 0; k < num_mutations; ++k) {
    const auto mutation = static_cast<Mutation>(k);
    Tally& tally = table.of(mutation);
    Random random(static_cast<std::uint64_t>(k) * 977 + 3);
    const int wanted = mutants_wanted();
    for (int trial = 0; tally.made < wanted && trial < 40 * wanted; ++trial)
      make_mutant(static_cast<std::size_t>(trial) % cases_->size(), mutation, random, tally);
    EXPECT_EQ(tally.made, wanted) << name_of(mutation);
  }
  const Tally all = table.total();
  EXPECT_LE(static_cast<double>(all.equivalent.size()), 0.02 * all.made);
  const std::string page = page_of(table, cases_->size(), prove_right_jobs());
  std::printf("%s", page.c_str());
  if (const char* path = std::getenv("PARCONV_MUTATION_PAGE")) std::ofstream(path) << page;
}

}  // namespace
}  // namespace parconv::test
