// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/layer_accuracy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "benchmarks/layer_op.hpp"

namespace parconv::bench {
namespace {

/// Plain loops over the taps of one output.
class ExactSum {
 public:
  ExactSum(const Layer& layer, const LayerData& data)
      : layer_(layer),
        data_(data),
        window_(window_of(layer)),
        in_(extents_of(layer, 1, layer.ic, layer.size)),
        out_(extents_of(layer, 1, layer.oc, layer.out_size)),
        src_(data.src_values()) {}

  /// Of the output with a number in channels-last order.
  double at(index_t number) const {
    const index_t channel = number % layer_.oc;
    number /= layer_.oc;
    const std::array<index_t, 3> out{number / out_[Axis::W] / out_[Axis::H], number / out_[Axis::W] % out_[Axis::H],
                                     number % out_[Axis::W]};
    double sum = 0;
    index_t tap = 0;
    const auto& [d, h, w] = window_.axes;
    for (index_t kd = 0; kd < d.kernel; ++kd)
      for (index_t kh = 0; kh < h.kernel; ++kh)
        for (index_t kw = 0; kw < w.kernel; ++kw) sum += products(out, {kd, kh, kw}, channel, tap++);
    return std::max(0.0, sum + static_cast<double>(data_.bias()[static_cast<std::size_t>(channel)]));
  }

 private:
  /// Those of one tap, 0 outside the tensor.
  double products(const std::array<index_t, 3>& out, const std::array<index_t, 3>& k, index_t channel, index_t tap) const {
    index_t pixel = 0;
    for (Axis axis : spatial_axes) {
      const auto a = static_cast<std::size_t>(axis) - 2;
      const WindowAxis& along = window_.axes[a];
      const index_t in = out[a] * along.stride - along.pad_lo + k[a] * along.dilation;
      if (in < 0 || in >= in_[axis]) return 0;
      pixel = pixel * in_[axis] + in;
    }
    const index_t ic = layer_.ic / layer_.groups, first = channel / (layer_.oc / layer_.groups) * ic;
    const index_t taps = layer_.cells(layer_.kernel);
    double sum = 0;
    for (index_t c = 0; c < ic; ++c)
      sum += static_cast<double>(src_[static_cast<std::size_t>(pixel * layer_.ic + first + c)]) *
             static_cast<double>(data_.weights()[static_cast<std::size_t>((channel * ic + c) * taps + tap)]);
    return sum;
  }

  const Layer& layer_;
  const LayerData& data_;
  Window window_;
  Extents in_;
  Extents out_;
  std::vector<float> src_;
};

}  // namespace

ExactResults::ExactResults(const Layer& layer, const LayerData& data) {
  const ExactSum sum(layer, data);
  const index_t count = layer.oc * layer.cells(layer.out_size);
  stride_ = std::max<index_t>(1, count / num_accuracy_samples);
  for (index_t number = 0; number < count; number += stride_) exact_.push_back(sum.at(number));
}

double ExactResults::relative_error(const std::vector<float>& results) const {
  double error = 0, size = 0;
  for (std::size_t k = 0; k < exact_.size(); ++k) {
    const double difference = static_cast<double>(results[k * static_cast<std::size_t>(stride_)]) - exact_[k];
    error += difference * difference;
    size += exact_[k] * exact_[k];
  }
  return std::sqrt(error / size);
}

}  // namespace parconv::bench
