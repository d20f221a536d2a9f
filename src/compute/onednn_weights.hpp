// Packed weights, kept once for all kernels of a backend that use the same part of a filter.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "compute/filter_cache.hpp"
#include "compute/onednn_api.hpp"

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

/// Weights by filter and order (see FilterCache).
class WeightCache {
 public:
  /// The weights of `request`; calls `pack`, which reads the filter, only if no kernel holds them in that order.
  SharedWeights get(const WeightsRequest& request, const std::function<dnnl::memory()>& pack);

 private:
  FilterCache<dnnl::memory> cache_{};
};

}  // namespace parconv::onednn
