// SPDX-License-Identifier: Apache-2.0
// The rank that holds the others up.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parconv/program/program.hpp"

namespace parconv {

/// Work of one kind on one rank, by layer.
struct RankWork {
  std::vector<double> seconds{};
  std::vector<double> amount{};  ///< flops, or bytes of files
};

/// A rank that takes longer than the median rank takes for the same work.
struct SlowRank {
  int rank = -1;
  Track track = Track::Compute;
  double factor = 0;  ///< its time over that of the median rank

  friend bool operator==(const SlowRank&, const SlowRank&) = default;
};

/// The slowest rank, if it takes more than 1.5 times as long as the median rank for its own share of the layers, and at least
/// `least_seconds` longer. Each layer has its own median of seconds per amount, the lower one of two, so uneven cuts and
/// different layers on different ranks do not count. Layers of one rank say nothing. Pure.
std::optional<SlowRank> slowest_rank(std::span<const RankWork> ranks, Track track, double least_seconds);

/// "rank 2 on node7 computes 2.1 times as long as the median rank does for the same work".
std::string text_of(const SlowRank& slow, const std::string& host);

}  // namespace parconv
