// SPDX-License-Identifier: Apache-2.0
#include "compute/onednn/onednn_weights.hpp"

#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::onednn {

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
  const auto fits = [&](const dnnl::memory& memory) { return memory.get_desc() == request.packed; };
  auto [memory, is_new] = cache_.get(request.filter, request.box, request.rounded_to, fits, pack);
  return {.memory = std::move(memory), .counted_bytes = is_new ? request.packed.get_size() : 0};
}

}  // namespace parconv::onednn
