// The seam to the libraries that compute.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/compute/engine_choice.hpp"
#include "parconv/device/device.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// Which operands a backend computes on at full speed.
struct MemoryRules {
  /// Operands of convolutions must be dense per sample; anything else is assembled by a Copy.
  bool needs_dense = true;
};

/// Reads a part of a filter as f32 in the dense order oc, ic, kd, kh, kw, scale applied. Throws Error(Io or BadData).
using FilterReader = std::function<std::vector<float>(const Filter&, const FilterBox&)>;

/// A prepared call. Owns its packed weights.
class Kernel {
 public:
  virtual ~Kernel() = default;

  /// Computes once; local, allocates nothing. `srcs` and `dst` point at the first element of the operands that `prepare` was
  /// given; `scratch` has scratch_bytes() bytes, 64-byte aligned, and may be shared with other kernels. On the host it blocks; a
  /// backend made for a GPU takes device memory and gives its work to the device's compute lane.
  virtual void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) = 0;

  virtual std::size_t scratch_bytes() const { return 0; }
  /// Packed weights and other memory that the kernel keeps.
  virtual std::size_t resident_bytes() const { return 0; }
  /// What computes it, for reports: "brgconv:avx512_core", "reference".
  virtual std::string implementation() const = 0;
};

/// A library that computes LocalOps. Local: no method communicates.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;
  virtual MemoryRules memory_rules() const = 0;

  /// Prepares a call: chooses an implementation, reads and packs the weights. Everything that can fail or allocate happens here.
  /// Throws Error(Unavailable) if the backend has no fast implementation, naming what it was asked for.
  virtual std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) = 0;
};

/// How a GPU multiplies f32 numbers: as they are, or rounded to 10 bits of mantissa (TF32), which is several times as fast.
enum class F32Products { Whole, Tf32 };

/// Which of a GPU library's implementations computes a convolution: the one that its heuristics put first, the fastest of those
/// that they recommend (timed when it is prepared, so ranks may choose differently), or the first that sums small integers
/// exactly.
enum class GpuEngines { Heuristic, Timed, Exact };

struct GpuOptions {
  F32Products f32_products = F32Products::Whole;
  /// For calls that `choices` says nothing about.
  GpuEngines engines = GpuEngines::Heuristic;
  /// What was chosen before, by agree_on_engines or in another run. May be null.
  std::shared_ptr<const EngineChoices> choices{};
  /// Multiprocessors that convolutions leave to messages, where the library has an engine that can.
  int multiprocessors_left = 0;
  /// Scratch memory that an implementation may take.
  std::size_t most_workspace_bytes = std::size_t{1} << 30;
};

struct BackendOptions {
  /// "auto" (the fastest for the device), "onednn", "reference", "cudnn".
  std::string name = "auto";
  /// Threads of one rank.
  int threads = 1;
  /// Where operands are; it must outlive the backend. Null: host memory.
  Device* device = nullptr;
  /// What convolutions will be computed in.
  DType type = DType::F32;
  /// For backends of GPUs.
  GpuOptions gpu{};
};

/// Makes a backend by name. Throws Error(Unavailable) if this build has none of that name, or if it is not fast in that type on
/// this machine.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

/// Plain loops, no library: the oracle that everything else is compared with.
std::unique_ptr<Backend> make_reference_backend();

}  // namespace parconv
