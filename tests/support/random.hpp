// SPDX-License-Identifier: Apache-2.0
// Seeded random values, identical with every standard library.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/core/types.hpp"

namespace parconv::test {

/// The integers that a generator chose in order, each counted from the least one possible. They determine the case.
using Choices = std::vector<index_t>;

/// Ranks that draw the same calls from the same seed get the same numbers.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// Keeps its choices, so that `replayed` can repeat or vary them.
  static Random recorded(std::uint64_t seed) {
    Random random(seed);
    random.log_ = std::make_shared<Log>();
    return random;
  }

  /// Replays `choices`, each lowered to the greatest one possible, then the least ones. Every list of choices is valid.
  static Random replayed(Choices choices) {
    Random random = recorded(0);
    random.log_->replayed = std::move(choices);
    random.log_->is_replayed = true;
    return random;
  }

  /// Another generator, whose choices are recorded or replayed with those of this one.
  Random fork() {
    Random other(engine_());
    other.log_ = log_;
    return other;
  }

  /// What was chosen so far. Precondition: made by `recorded` or `replayed`.
  const Choices& choices() const {
    PARCONV_EXPECT(log_ != nullptr);
    return log_->made;
  }

  /// An integer of [lo, hi], both included.
  index_t integer(index_t lo, index_t hi) {
    PARCONV_EXPECT(lo <= hi, lo, " to ", hi);
    return lo + chosen(hi - lo, [&] { return uniform(hi - lo); });
  }

  /// True once in `one_in` draws on average; false is the least choice.
  bool once_in(index_t one_in) {
    return chosen(1, [&] { return uniform(one_in - 1) == 0 ? index_t{1} : index_t{0}; }) == 1;
  }

  /// Any order; the least choices leave it as it is.
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t k = values.size(); k > 1; --k)
      std::swap(values[k - 1], values[k - 1 - static_cast<std::size_t>(integer(0, static_cast<index_t>(k) - 1))]);
  }

  // ---- Contents of tensors: drawn, but no choices ------------------------------------------------------------------------

  /// A float in [lo, hi).
  float real(float lo = -1.0F, float hi = 1.0F) { return lo + (hi - lo) * static_cast<float>(engine_() >> 40U) * 0x1p-24F; }

  /// Integers in [lo, hi] as floats: sums of their products are exact in any order below 2^24.
  std::vector<float> small_integers(index_t count, index_t lo = -4, index_t hi = 4) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(lo + uniform(hi - lo));
    return values;
  }

  std::vector<float> reals(index_t count, float lo = -1.0F, float hi = 1.0F) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = real(lo, hi);
    return values;
  }

 private:
  struct Log {
    Choices made{};
    Choices replayed{};
    bool is_replayed = false;
  };

  index_t uniform(index_t most) { return static_cast<index_t>(engine_() % static_cast<std::uint64_t>(most + 1)); }

  /// A choice of [0, most]: the next one of a replay, or drawn.
  template <class Draw>
  index_t chosen(index_t most, Draw&& draw) {
    if (log_ == nullptr) return draw();
    const std::size_t at = log_->made.size();
    index_t choice = 0;
    if (!log_->is_replayed) choice = draw();
    if (log_->is_replayed && at < log_->replayed.size()) choice = std::min(log_->replayed[at], most);
    log_->made.push_back(choice);
    return choice;
  }

  std::mt19937_64 engine_;
  std::shared_ptr<Log> log_{};  ///< shared with forks; null unless choices are kept
};

}  // namespace parconv::test
