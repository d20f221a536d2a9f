// Packed weights, kept once for all kernels of a backend that use the same part of a filter.
#pragma once

#include <array>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compute/onednn_api.hpp"
#include "parconv/model/constant.hpp"

namespace parconv::onednn {

/// A part of a filter in the order that a primitive wants.
struct WeightsRequest {
  const Filter& filter;
  const FilterBox& box;
  dnnl::memory::desc packed{};
  DType rounded_to = DType::F32;  ///< what elements are rounded to before they are packed
};

/// What a kernel holds. `counted_bytes` is their size for the kernel that was the first to ask, and 0 for those that share them.
struct SharedWeights {
  std::shared_ptr<const dnnl::memory> memory{};
  std::size_t counted_bytes = 0;
};

/// Copies weights from one order of elements to another.
dnnl::memory packed_weights(std::span<const float> weights, const dnnl::memory::desc& dense, const dnnl::memory::desc& packed);

/// Finds weights that a living kernel holds. The same filter means: the same vector of values, or the same place of a file, seen
/// with the same strides and scale. Filters without values and file have no identity and are never shared. Not for concurrent
/// use.
class WeightCache {
 public:
  /// The weights of `request`; calls `pack`, which reads the filter, only if no kernel holds them in that order.
  SharedWeights get(const WeightsRequest& request, const std::function<dnnl::memory()>& pack);

 private:
  struct Key {
    std::string file{};
    const void* values = nullptr;
    const void* scale = nullptr;
    std::array<index_t, 18> numbers{};  // types, offset, strides, and both ends of the five intervals of the box

    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::weak_ptr<const std::vector<float>> values{};  // a new vector at the address of an old one is another filter
    std::weak_ptr<const std::vector<float>> scale{};
    std::weak_ptr<const dnnl::memory> memory{};
  };

  static Key key_of(const WeightsRequest& request);
  std::shared_ptr<const dnnl::memory> find(const Key& key, const WeightsRequest& request) const;
  void keep(const Key& key, const WeightsRequest& request, const std::shared_ptr<const dnnl::memory>& memory);
  void drop_unused();

  std::multimap<Key, Entry> entries_{};
  std::size_t size_to_drop_at_ = 64;
};

}  // namespace parconv::onednn
