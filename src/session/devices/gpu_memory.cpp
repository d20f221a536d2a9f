// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/devices/gpu_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/core/units.hpp"

namespace parconv {
namespace {

constexpr std::size_t largest_workspace_bytes = std::size_t{1} << 30;
constexpr std::size_t workspace_divisor = 16;

std::string bytes_text(std::size_t bytes) { return format_bytes(static_cast<index_t>(bytes)); }

/// "; rank 2 on the same GPU needs 3 GiB", "; ranks 0,2-3 ... need 5 GiB"; empty for a rank alone on its GPU.
std::string other_ranks_text(std::span<const int> others, index_t bytes) {
  if (others.empty()) return {};
  const bool is_one = others.size() == 1;
  return fmt::format("; rank{} {} on the same GPU need{} {}", is_one ? "" : "s", ranges_text(others), is_one ? "s" : "",
                     format_bytes(bytes));
}

}  // namespace

void require_memory(std::span<const RankOffer> offers, std::span<const MemoryNeed> needs, int rank, const DeviceMemory& memory) {
  const MemoryNeed& own = needs[static_cast<std::size_t>(rank)];
  const std::vector<int> all = ranks_on_gpu_of(offers, rank);
  std::vector<int> others;
  index_t other_bytes = 0;
  for (const int other : all) {
    if (other == rank) continue;
    others.push_back(other);
    other_bytes += needs[static_cast<std::size_t>(other)].total();
  }
  if (own.total() + other_bytes <= static_cast<index_t>(memory.free_bytes)) return;
  throw Error(
      ExitCode::OutOfMemory,
      fmt::format("rank {} needs at least {} for data and {} for weights{}; {} of {} are free on {}", rank,
                  format_bytes(own.data_bytes), format_bytes(own.weight_bytes), other_ranks_text(others, other_bytes),
                  bytes_text(memory.free_bytes), bytes_text(memory.total_bytes), offers[static_cast<std::size_t>(rank)].gpu_name),
      "Use more GPUs, smaller micro-batches (--micro-batch), or another split. Scratch memory of the libraries comes on "
      "top of this.");
}

std::size_t most_workspace_bytes(std::size_t total_bytes, int ranks_per_gpu) {
  const std::size_t work = total_bytes / workspace_divisor / static_cast<std::size_t>(std::max(1, ranks_per_gpu));
  return std::min(largest_workspace_bytes, std::bit_floor(work));
}

}  // namespace parconv
