// Convolutions on a GPU, called in two ways, and what the GPU can do at most.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/layer_op.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::bench {

/// How products are made: the type of operands, and of products of f32.
struct GpuType {
  const char* name = "f32";
  DType type = DType::F32;
  F32Products f32_products = F32Products::Whole;
};

/// f32, tf32, f16 and bf16. Throws Error(Usage) for another name.
GpuType gpu_type(const std::string& name);

/// A layer on the GPU, with random numbers: through a Backend, as the engine calls it, and by cuDNN's own calls with the same
/// engine.
class GpuLayer {
 public:
  GpuLayer(Device& device, const LocalOp& op, const GpuType& type, GpuEngines engines);
  ~GpuLayer();
  GpuLayer(const GpuLayer&) = delete;
  GpuLayer& operator=(const GpuLayer&) = delete;

  /// Seconds of one call on the GPU's clock, of `calls` one after the other.
  double kernel_seconds(int calls);
  double direct_seconds(int calls);
  /// False if cuDNN fuses nothing here or the kernel copies operands: then there is no single call to compare with.
  bool has_direct() const;
  const std::string& implementation() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Bytes per second of a copy within the GPU's memory, read and written bytes together; the best of several.
double copy_bytes_per_second(Device& device);

/// "13.0, 9.19.0": versions of CUDA's runtime and of cuDNN.
std::string gpu_versions();

}  // namespace parconv::bench
