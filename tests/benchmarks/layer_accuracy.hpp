// SPDX-License-Identifier: Apache-2.0
// The error of computed layers against sums in f64.
#pragma once

#include <vector>

#include "benchmarks/layer_calls.hpp"

namespace parconv::bench {

/// Outputs that are recomputed, at equal distances.
inline constexpr index_t num_accuracy_samples = 2000;

/// Results of a layer with bias and ReLU in f64, whose products of f32 are exact: every `stride`-th one in memory order.
class ExactResults {
 public:
  ExactResults(const Layer& layer, const LayerData& data);

  /// The root mean square of the error of `results`, all those of the layer, relative to that of the exact ones.
  double relative_error(const std::vector<float>& results) const;

 private:
  index_t stride_;
  std::vector<double> exact_{};
};

}  // namespace parconv::bench
