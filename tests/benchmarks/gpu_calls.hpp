// SPDX-License-Identifier: Apache-2.0
// Convolutions on a GPU by two call paths, and the GPU's peak rates.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/layer_op.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::bench {

/// Numerical type: of operands, and of f32 products.
struct GpuType {
  const char* name = "f32";
  DType type = DType::F32;
  F32Products f32_products = F32Products::Whole;
};

/// Parses f32, tf32, f16 or bf16. Throws Error(Usage) for any other name.
GpuType gpu_type(const std::string& name);

/// A layer with random operands on the GPU: through a Backend, as the engine calls it, and through cuDNN directly with the same
/// cuDNN engine.
class GpuLayer {
 public:
  GpuLayer(Device& device, const LocalOp& op, const GpuType& type, ConvAlgorithmChoice conv_algorithms);
  ~GpuLayer();
  GpuLayer(const GpuLayer&) = delete;
  GpuLayer& operator=(const GpuLayer&) = delete;

  /// GPU time in seconds per call, over `calls` consecutive calls.
  double kernel_seconds(int calls);
  double direct_seconds(int calls);
  /// False if cuDNN does not fuse this layer or the kernel copies operands, so that no single call is comparable.
  bool has_direct() const;
  const std::string& implementation() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Copy bandwidth within GPU memory in bytes per second, reads and writes together; the best of several.
double copy_bytes_per_second(Device& device);

/// Versions of the CUDA runtime and of cuDNN: "13.0, 9.19.0".
std::string gpu_versions();

}  // namespace parconv::bench
