// SPDX-License-Identifier: Apache-2.0
// A convolution with bias and ReLU by two call paths.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/layer_list.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/model/sum_tree.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv::bench {

/// Operands shared by both paths, with random values of `type`. Sources and results are channels-last.
class LayerData {
 public:
  LayerData(const Layer& layer, DType type);

  DType type() const { return type_; }
  std::byte* src() { return src_.data(); }
  std::byte* dst() { return dst_.data(); }
  std::vector<float> src_values() const;
  std::vector<float> values() const;  ///< of dst
  const std::vector<float>& weights() const { return weights_; }
  const std::vector<float>& bias() const { return bias_; }

 private:
  DType type_;
  AlignedBytes src_;
  AlignedBytes dst_;
  std::vector<float> weights_;
  std::vector<float> bias_;
};

/// Through a Backend, as the engine calls it.
class KernelCall {
 public:
  /// Without a rule every sum is one chain.
  KernelCall(const Layer& layer, LayerData& data, Backend& backend, std::optional<LeafRule> rule = LeafRule::Coarse);

  void execute() { kernel_->execute(srcs_, dst_, scratch_); }
  std::string implementation() const { return kernel_->implementation(); }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::vector<const std::byte*> srcs_;
  std::byte* dst_;
  std::vector<std::byte> memory_;
  std::byte* scratch_ = nullptr;
};

/// A oneDNN primitive as in its documentation, with prepacked weights.
class DirectCall {
 public:
  /// True if oneDNN computes on operands of `type` on this CPU.
  static bool is_supported(const Layer& layer, DType type);

  DirectCall(const Layer& layer, LayerData& data);
  ~DirectCall();
  DirectCall(const DirectCall&) = delete;
  DirectCall& operator=(const DirectCall&) = delete;

  void execute();
  const std::string& implementation() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Sets the number of threads of subsequent oneDNN calls; oneDNN's version.
void use_onednn_threads(int threads);
std::string onednn_version();

}  // namespace parconv::bench
