// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/devices/host_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <variant>

#include "parconv/core/units.hpp"
#include "parconv/engine/calls.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/session/devices/device_placement.hpp"
#include "session/devices/rank_memory_text.hpp"

namespace parconv {
namespace {

/// Of a hyperslab of a file, see Hdf5SourceOptions.
constexpr index_t hyperslab_bytes = index_t{1} << 20;

/// Adds up the filters of a program in the order in which an engine reads and packs them; a shared one counts once.
class WeightCount {
 public:
  explicit WeightCount(index_t bytes_per_weight) : bytes_per_weight_(bytes_per_weight) {}

  void add(const Filter& filter, const FilterBox& box) {
    const Key key{filter.data.file, filter.data.offset_bytes, filter.data.values.get(), intervals_of(box)};
    if (!seen_.insert(key).second) return;
    const index_t elems = box.volume();
    packed_bytes_ += elems * bytes_per_weight_;
    peak_bytes_ = std::max(peak_bytes_, packed_bytes_ + elems * static_cast<index_t>(sizeof(float)));
  }

  index_t packed_bytes() const { return packed_bytes_; }
  index_t beyond_bytes() const { return std::max<index_t>(0, peak_bytes_ - packed_bytes_); }

 private:
  using Intervals = std::array<index_t, 10>;
  using Key = std::tuple<std::string, index_t, const void*, Intervals>;

  static Intervals intervals_of(const FilterBox& box) {
    const auto& [d, h, w] = box.kernel;
    return {box.oc.lo, box.oc.hi, box.ic.lo, box.ic.hi, d.lo, d.hi, h.lo, h.hi, w.lo, w.hi};
  }

  index_t bytes_per_weight_;
  std::set<Key> seen_{};
  index_t packed_bytes_ = 0;
  index_t peak_bytes_ = 0;
};

WeightCount count_weights(const RankPlan& plan, index_t bytes_per_weight) {
  WeightCount count(bytes_per_weight);
  for (const LocalOp& op : local_ops_of(plan.network, plan.program))
    std::visit(
        [&](const auto& kind) {
          if constexpr (KindWithFilter<std::remove_cvref_t<decltype(kind)>>)
            for (const ChannelBlock& block : kind.blocks) count.add(kind.filter, block.filter);
        },
        op.kind);
  return count;
}

/// One hyperslab for a thread, at most the largest box that is read or written.
index_t staging_of_files(const Program& program, int threads) {
  index_t largest = 0;
  for (const Step& step : program.steps) {
    if (const auto* load = std::get_if<Load>(&step.action)) largest = std::max(largest, volume(load->box));
    if (const auto* store = std::get_if<Store>(&step.action)) largest = std::max(largest, volume(store->box));
  }
  return threads * std::min(hyperslab_bytes, largest * static_cast<index_t>(sizeof(float)));
}

/// The ranks under one limit.
struct Group {
  MemoryLimit limit{};
  std::vector<int> ranks{};
  HostMemoryNeed need{};
  index_t held_bytes = 0;

  index_t lacking_bytes() const { return need.total() - limit.free_bytes; }
};

void add_to(HostMemoryNeed& sum, const HostMemoryNeed& need) {
  sum.buffer_bytes += need.buffer_bytes;
  sum.message_bytes += need.message_bytes;
  sum.weight_bytes += need.weight_bytes;
  sum.reading_bytes += need.reading_bytes;
  sum.file_bytes += need.file_bytes;
}

/// The limits of a process are its own even if others have the same.
std::vector<Group> groups_of(std::span<const RankMemory> ranks) {
  std::map<std::pair<int, std::string>, Group> groups;
  for (const RankMemory& rank : ranks)
    for (const MemoryLimit& limit : rank.limits) {
      Group& group = groups[{limit.scope == LimitScope::Process ? rank.rank : -1, limit.id}];
      const index_t free = group.ranks.empty() ? limit.free_bytes : std::max(group.limit.free_bytes, limit.free_bytes);
      group.limit = limit;
      group.limit.free_bytes = free;
      group.ranks.push_back(rank.rank);
      group.held_bytes += rank.held_bytes;
      add_to(group.need, rank.need);
    }
  std::vector<Group> result;
  for (auto& [key, group] : groups) result.push_back(std::move(group));
  return result;
}

std::string parts_text(const HostMemoryNeed& need) {
  return fmt::format("buffers {}, weights {} and {} while they are read, messages {}, files {}", format_bytes(need.buffer_bytes),
                     format_bytes(need.weight_bytes), format_bytes(need.reading_bytes), format_bytes(need.message_bytes),
                     format_bytes(need.file_bytes));
}

Error shortage(const std::string& host, const Group& group) {
  const bool is_one = group.ranks.size() == 1;
  const std::string ranks = fmt::format("rank{} {}", is_one ? "" : "s", ranges_text(group.ranks));
  return {ExitCode::OutOfMemory,
          fmt::format("not enough memory on {}: {} need{} at least {} more than the {} held now ({}), but {} leaves {} of {}",
                      host, ranks, is_one ? "s" : "", format_bytes(group.need.total()), format_bytes(group.held_bytes),
                      parts_text(group.need), group.limit.name, format_bytes(group.limit.free_bytes),
                      format_bytes(group.limit.total_bytes)),
          fmt::format("Use more hosts, a smaller --batch or --micro-batch, a split by h or f over more ranks, or raise the limit "
                      "of {}.",
                      group.limit.name)};
}

}  // namespace

index_t HostMemoryNeed::total() const {
  return buffer_bytes + message_bytes + weight_bytes + std::max(reading_bytes, file_bytes);
}

HostMemoryNeed host_memory_need(const RankPlan& plan, const HostMemoryOptions& options) {
  const MemoryUse known = known_memory(plan.program);
  const WeightCount weights = count_weights(plan, options.bytes_per_weight);
  return {.buffer_bytes = known.arena_bytes,
          .message_bytes = known.staging_bytes,
          .weight_bytes = weights.packed_bytes(),
          .reading_bytes = weights.beyond_bytes(),
          .file_bytes = staging_of_files(plan.program, options.threads)};
}

HostMemoryNeed larger(const HostMemoryNeed& a, const HostMemoryNeed& b) { return a.total() < b.total() ? b : a; }

index_t bytes_per_weight(const Backend& backend, DType type) {
  return static_cast<index_t>(backend.has_reference_bits() ? sizeof(float) : size_of(type));
}

void require_host_memory(const std::string& host, std::span<const RankMemory> ranks) {
  const std::vector<Group> groups = groups_of(ranks);
  const auto worst = std::max_element(groups.begin(), groups.end(),
                                      [](const Group& a, const Group& b) { return a.lacking_bytes() < b.lacking_bytes(); });
  if (worst != groups.end() && worst->lacking_bytes() > 0) throw shortage(host, *worst);
}

void require_host_memory(JobContext& job, const HostMemoryNeed& need) {
  Control& control = job.control();
  job.together(JobPhase::Check, [] { release_free_heap(); });
  const std::string text = job.together(JobPhase::Check, [&] {  // all ranks have released theirs
    return to_text({.rank = control.rank(), .need = need, .held_bytes = resident_bytes(), .limits = memory_limits()});
  });
  const std::vector<std::string> texts = control.gather(text);
  job.together(JobPhase::Check, [&] {
    std::map<int, std::vector<RankMemory>> hosts;
    for (std::size_t rank = 0; rank < texts.size(); ++rank) hosts[control.nodes()[rank]].push_back(rank_memory_from(texts[rank]));
    for (const auto& [node, ranks] : hosts)
      require_host_memory(control.host_names()[static_cast<std::size_t>(ranks.front().rank)], ranks);
  });
}

}  // namespace parconv
