// SPDX-License-Identifier: Apache-2.0
#include "support/shrink.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <sstream>
#include <typeinfo>

namespace parconv::test {
namespace {

struct Failure {
  std::string place{};
  std::string message{};
};

/// The first failure of one run, which GoogleTest does not get to see.
std::optional<Failure> failure_of(const Property& property, Random& random) {
  ::testing::TestPartResultArray results;
  {
    const ::testing::ScopedFakeTestPartResultReporter interception(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    try {
      property(random);
    } catch (const std::exception& error) {
      return Failure{typeid(error).name(), error.what()};
    }
  }
  for (int k = 0; k < results.size(); ++k) {
    const ::testing::TestPartResult& result = results.GetTestPartResult(k);
    if (result.failed())
      return Failure{concat(result.file_name() == nullptr ? "" : result.file_name(), ":", result.line_number()),
                     result.message()};
  }
  return std::nullopt;
}

bool is_shortlex_less(const Choices& a, const Choices& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

/// Tries smaller choices and keeps those that fail at the same place.
class Reducer {
 public:
  Reducer(const Property& property, Counterexample found, int max_reductions)
      : property_(property), best_(std::move(found)), max_reductions_(max_reductions) {}

  Counterexample reduce() {
    for (bool is_smaller = true; is_smaller;) {
      is_smaller = remove_runs();
      is_smaller = lower_each() || is_smaller;
      is_smaller = lower_and_remove() || is_smaller;
    }
    return best_;
  }

 private:
  static constexpr std::size_t longest_run = 16;

  std::size_t size() const { return best_.choices.size(); }

  /// Takes `candidate`, or the part of it that is used, if it is smaller and fails alike.
  bool accept(Choices candidate) {
    if (best_.reductions >= max_reductions_ || !is_shortlex_less(candidate, best_.choices)) return false;
    ++best_.reductions;
    Random random = Random::replayed(std::move(candidate));
    const std::optional<Failure> failure = failure_of(property_, random);
    if (!failure || failure->place != best_.place || !is_shortlex_less(random.choices(), best_.choices)) return false;
    best_.choices = random.choices();
    best_.message = failure->message;
    return true;
  }

  static Choices without(Choices choices, std::size_t begin, std::size_t count) {
    const auto first = choices.begin() + static_cast<index_t>(begin);
    choices.erase(first, first + static_cast<index_t>(count));
    return choices;
  }

  bool remove_runs() {
    bool is_smaller = false;
    for (std::size_t count = longest_run; count >= 1; count /= 2)
      for (std::size_t end = size(); end >= count; --end)
        if (end <= size() && accept(without(best_.choices, end - count, count))) is_smaller = true;
    return is_smaller;
  }

  bool accept_lowered(std::size_t at, index_t value) {
    Choices candidate = best_.choices;
    candidate[at] = value;
    return accept(std::move(candidate));
  }

  /// Zero, or the least value between one that holds and the present one, by bisection.
  bool lower(std::size_t at) {
    if (best_.choices[at] == 0) return false;
    if (accept_lowered(at, 0)) return true;
    bool is_smaller = false;
    index_t holds = 0;
    while (at < size() && best_.choices[at] - holds > 1) {
      const index_t middle = holds + (best_.choices[at] - holds) / 2;
      if (accept_lowered(at, middle))
        is_smaller = true;
      else
        holds = middle;
    }
    return is_smaller;
  }

  bool lower_each() {
    bool is_smaller = false;
    for (std::size_t at = 0; at < size(); ++at) is_smaller = lower(at) || is_smaller;
    return is_smaller;
  }

  /// A choice that counts things, together with the choices of one of them.
  bool lower_and_remove() {
    bool is_smaller = false;
    for (std::size_t at = 0; at < size(); ++at)
      for (std::size_t count = 1; count <= longest_run; ++count)
        for (std::size_t begin = at + 1; begin + count <= size() && best_.choices[at] > 0; ++begin) {
          Choices candidate = without(best_.choices, begin, count);
          --candidate[at];
          if (accept(std::move(candidate))) is_smaller = true;
        }
    return is_smaller;
  }

  const Property& property_;
  Counterexample best_;
  int max_reductions_;
};

std::string row_of(const Choices& choices) {
  std::ostringstream out;
  out << "replay(property, {";
  for (std::size_t k = 0; k < choices.size(); ++k) out << (k == 0 ? "" : ", ") << choices[k];
  out << "});";
  return out.str();
}

}  // namespace

std::optional<Counterexample> find_counterexample(const Property& property, const Trials& trials) {
  for (int k = 0; k < trials.count; ++k) {
    const std::uint64_t seed = trials.seed + static_cast<std::uint64_t>(k);
    Random random = Random::recorded(seed);
    if (const std::optional<Failure> failure = failure_of(property, random)) {
      const Counterexample found{random.choices(), failure->place, failure->message, seed, 0};
      return Reducer(property, found, trials.max_reductions).reduce();
    }
  }
  return std::nullopt;
}

void replay(const Property& property, const Choices& choices) {
  Random random = Random::replayed(choices);
  property(random);
}

void for_all(const Property& property, const Trials& trials) {
  const std::optional<Counterexample> found = find_counterexample(property, trials);
  if (!found) return;
  ADD_FAILURE() << found->place << ": " << found->message << "\nThe smallest failing case after " << found->reductions
                << " reductions of seed " << found->seed << "; to keep it: " << row_of(found->choices);
}

}  // namespace parconv::test
