#include "compute/onednn_weights.hpp"

#include <algorithm>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::onednn {
namespace {

bool has_identity(const ConstantData& data) { return data.values != nullptr || !data.file.empty(); }

template <class T>
bool is_same(const std::weak_ptr<T>& kept, const std::shared_ptr<T>& asked) {
  return !kept.owner_before(asked) && !asked.owner_before(kept);
}

}  // namespace

dnnl::memory packed_weights(std::span<const float> weights, const dnnl::memory::desc& dense, const dnnl::memory::desc& packed) {
  PARCONV_EXPECT(dense.get_size() == weights.size_bytes(), dense.get_size(), " != ", weights.size_bytes());
  dnnl::memory source(dense, cpu_engine(), const_cast<float*>(weights.data()));
  dnnl::memory result(packed, cpu_engine());
  dnnl::stream stream = cpu_stream();
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

SharedWeights WeightCache::get(const WeightsRequest& request, const std::function<dnnl::memory()>& pack) {
  const bool is_shareable = has_identity(request.filter.data);
  const Key key = is_shareable ? key_of(request) : Key{};
  if (is_shareable)
    if (auto found = find(key, request)) return {.memory = std::move(found)};
  auto made = std::make_shared<const dnnl::memory>(pack());
  if (is_shareable) keep(key, request, made);
  return {.memory = std::move(made), .counted_bytes = request.packed.get_size()};
}

WeightCache::Key WeightCache::key_of(const WeightsRequest& request) {
  const Filter& filter = request.filter;
  Key key{.file = filter.data.file, .values = filter.data.values.get(), .scale = filter.scale.get()};
  auto next = key.numbers.begin();
  *next++ = static_cast<index_t>(filter.data.type);
  *next++ = static_cast<index_t>(request.rounded_to);
  *next++ = filter.data.offset_bytes;
  next = std::copy(filter.strides.begin(), filter.strides.end(), next);
  const auto& kernel = request.box.kernel;
  for (const Interval& interval : {request.box.oc, request.box.ic, kernel[0], kernel[1], kernel[2]}) {
    *next++ = interval.lo;
    *next++ = interval.hi;
  }
  return key;
}

std::shared_ptr<const dnnl::memory> WeightCache::find(const Key& key, const WeightsRequest& request) const {
  const auto [begin, end] = entries_.equal_range(key);
  for (auto entry = begin; entry != end; ++entry) {
    const auto& [values, scale, kept] = entry->second;
    if (!is_same(values, request.filter.data.values) || !is_same(scale, request.filter.scale)) continue;
    auto memory = kept.lock();
    if (memory && memory->get_desc() == request.packed) return memory;
  }
  return nullptr;
}

void WeightCache::keep(const Key& key, const WeightsRequest& request, const std::shared_ptr<const dnnl::memory>& memory) {
  drop_unused();
  entries_.emplace(key, Entry{.values = request.filter.data.values, .scale = request.filter.scale, .memory = memory});
}

/// Whenever the entries have doubled, so that keeping one costs little on average.
void WeightCache::drop_unused() {
  if (entries_.size() < size_to_drop_at_) return;
  std::erase_if(entries_, [](const auto& entry) { return entry.second.memory.expired(); });
  size_to_drop_at_ = std::max(size_to_drop_at_, 2 * entries_.size());
}

}  // namespace parconv::onednn
