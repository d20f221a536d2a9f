// SPDX-License-Identifier: Apache-2.0
// Randomly mutated models end in a result or an Error that identifies the problem: never in a signal, a Bug or a hang.
//   PARCONV_HOSTILE_SEED=7   other mutations
//   PARCONV_HOSTILE_CASE=123 only this case, in this process, for a debugger
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>

#include "fuzz/fuzz_files.hpp"
#include "fuzz/model_mutator.hpp"
#include "fuzz/model_pipeline.hpp"
#include "fuzz/model_seeds.hpp"
#include "fuzz/sandbox.hpp"
#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

constexpr std::size_t max_message_bytes = 4096;

/// True if the message names a file, node, value or attribute, or the model as a whole.
bool names_something(const std::string& message) {
  return message.find('\'') != std::string::npos || message.starts_with("the model ");
}

std::string refusal(const Error& error) {
  const std::string message = error.what();
  const bool is_right = error.code() == ExitCode::BadData || error.code() == ExitCode::InputMissing;
  if (!is_right) return concat("exit code ", static_cast<int>(error.code()), ": ", message);
  if (!names_something(message)) return "names nothing: " + message;
  if (message.size() > max_message_bytes) return concat("says ", message.size(), " bytes: ", message.substr(0, 200));
  return "refused: " + message;
}

/// "computed", "checked" or "refused: reason"; anything else is a failure.
std::string process(const std::string& path, std::uint64_t seed) {
  Random random(seed);
  try {
    return process_model(path, random) == Reached::Computed ? "computed" : "checked";
  } catch (const Error& error) {
    return refusal(error);
  } catch (const std::exception& error) {
    return concat("exception: ", error.what());
  }
}

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class HostileModels : public ::testing::Test {
 protected:
  HostileModels()
      : seeds_(seed_models(folder_.path(), {PARCONV_EXAMPLES, "/usr/share/libonnx-testdata/data"})),
        first_(number_from("PARCONV_HOSTILE_SEED", 1) * 1'000'000) {}

  std::string model_of(std::uint64_t number) const {
    Random random(number);
    const auto pick = [&] {
      // Half of the seeds are networks, the others single operators.
      const index_t count = random.once_in(2) ? 6 : std::ssize(seeds_);
      return seeds_[static_cast<std::size_t>(random.integer(0, count - 1))];
    };
    const std::string base = pick();
    return mutated_model(base, pick(), random);
  }

  void process_case(std::uint64_t number) {
    const std::string path = folder_ / "mutated.onnx";
    write_bytes(path, model_of(number));
    const SandboxResult result = run_in_sandbox([&] { return process(path, number); });
    const std::string end = result.is_finished ? result.text.substr(0, result.text.find(':')) : result.text;
    const bool is_good = end == "computed" || end == "checked" || end == "refused";
    ++counts_[is_good ? end : "failed"];
    if (is_good) return;
    const std::string kept = concat("hostile-", number, ".onnx");
    write_bytes(kept, model_of(number));
    ADD_FAILURE() << "case " << number << " (written to " << kept << "): " << result.text;
  }

  void process_cases(std::uint64_t count) {
    if (std::getenv("PARCONV_HOSTILE_CASE") != nullptr) {
      const std::uint64_t number = number_from("PARCONV_HOSTILE_CASE", 0);
      write_bytes(folder_ / "case.onnx", model_of(number));
      std::cout << process(folder_ / "case.onnx", number) << "\n";
      return;
    }
    for (std::uint64_t number = first_; number < first_ + count; ++number) process_case(number);
    for (const auto& [what, cases] : counts_) std::cout << what << ": " << cases << "\n";
    // If every mutation were detected at once, little beyond the reader would be tested.
    EXPECT_GT(counts_["computed"], count / 20);
    EXPECT_GT(counts_["refused"], count / 4);
  }

  TemporaryFolder folder_{};
  std::vector<std::string> seeds_;
  std::uint64_t first_;
  std::map<std::string, std::uint64_t> counts_{};
};

TEST_F(HostileModels, OneThousand) { process_cases(1000); }

TEST_F(HostileModels, TwentyThousand) { process_cases(20'000); }

/// The unmutated seeds are valid.
TEST_F(HostileModels, UnmutatedNetworksPass) {
  for (std::size_t k = 0; k < 6; ++k) {
    write_bytes(folder_ / "right.onnx", seeds_[k]);
    EXPECT_THAT(process(folder_ / "right.onnx", k), testing::AnyOf("computed", "checked")) << k;
  }
}

TEST(Sandbox, ReportsEveryOutcome) {
  EXPECT_EQ(run_in_sandbox([] { return std::string(100'000, 'x'); }).text.size(), 100'000U);
  EXPECT_EQ(run_in_sandbox([]() -> std::string { std::abort(); }).text.substr(0, 8), "signal 6");
  EXPECT_EQ(run_in_sandbox([]() -> std::string { std::_Exit(3); }).text, "exit code 3");
  const auto forever = []() -> std::string {
    for (std::atomic<int> turns = 0;; ++turns) continue;
  };
  EXPECT_EQ(run_in_sandbox(forever, {.seconds = 1}).text.substr(0, 6), "signal");
}

}  // namespace
}  // namespace parconv::test
