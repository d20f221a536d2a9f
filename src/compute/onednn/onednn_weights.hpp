// SPDX-License-Identifier: Apache-2.0
// Packed weights, stored once for all kernels of a backend that use the same part of a filter.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "compute/filter_cache.hpp"
#include "compute/onednn/onednn_api.hpp"

namespace parconv::onednn {

/// A part of a filter in the layout of a primitive.
struct WeightsRequest {
  const Filter& filter;
  const FilterBox& box;
  dnnl::memory::desc packed{};
  DType rounded_to = DType::F32;  ///< type to which elements are rounded before packing
};

/// Weights held by a kernel. `counted_bytes` is their size for the first kernel and 0 for kernels that share them.
struct SharedWeights {
  std::shared_ptr<const dnnl::memory> memory{};
  std::size_t counted_bytes = 0;
};

/// Reorders weights from one layout to another.
dnnl::memory packed_weights(std::span<const float> weights, const dnnl::memory::desc& dense, const dnnl::memory::desc& packed);

/// Weights by filter and layout (see FilterCache).
class WeightCache {
 public:
  /// The weights of `request`. Calls `pack`, which reads the filter, only if no kernel holds them in that layout.
  SharedWeights get(const WeightsRequest& request, const std::function<dnnl::memory()>& pack);

 private:
  FilterCache<dnnl::memory> cache_{};
};

}  // namespace parconv::onednn
