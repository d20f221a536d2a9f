// SPDX-License-Identifier: Apache-2.0
// The interface to the libraries that compute.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/compute/gpu_options.hpp"
#include "parconv/device/device.hpp"
#include "parconv/model/filter_reader.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// Operand layouts on which a backend runs at full speed.
struct MemoryRules {
  /// Operands of convolutions must be dense per sample; other operands are assembled by a Copy step.
  bool needs_dense = true;
};

/// A prepared LocalOp. Owns its packed weights.
class Kernel {
 public:
  virtual ~Kernel() = default;

  /// Computes once. Local, allocates nothing. `srcs` and `dst` point at the first elements of the operands passed to `prepare`.
  /// `scratch` has scratch_bytes() bytes, is 64-byte aligned and may be shared with other kernels. Blocks on the host; a
  /// backend for a GPU takes device memory and enqueues the work on the compute stream.
  virtual void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) = 0;

  virtual std::size_t scratch_bytes() const { return 0; }
  /// Packed weights and other memory held between calls.
  virtual std::size_t resident_bytes() const { return 0; }
  /// The implementation for reports: "brgconv:avx512_core", "reference".
  virtual std::string implementation() const = 0;
};

/// A library that computes LocalOps. Local: no method communicates.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;
  virtual MemoryRules memory_rules() const = 0;
  /// True if every result has the bits of the reference backend (docs/arithmetic.md).
  virtual bool has_reference_bits() const { return false; }

  /// Chooses an implementation of `op`, reads and packs its weights. Everything that can fail or allocate happens here. Throws
  /// Error(Unavailable) with the operator's description if the backend has no fast implementation.
  virtual std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) = 0;
};

/// Options of make_backend and make_conv_algorithm_chooser.
struct BackendOptions {
  /// "auto" (the first of the device's platform), "cpu", "onednn", "reference" or "cudnn".
  std::string name = "auto";
  /// CPU threads per rank, at least 1.
  int threads = 1;
  /// The device of all operands, which must outlive the backend. Null: host memory.
  Device* device = nullptr;
  /// The type in which convolutions compute.
  DType type = DType::F32;
  /// Ignored on the host.
  GpuOptions gpu{};
};

/// Creates the backend `options.name` for the platform of the device. Local. Throws Error(Unavailable) if this build has no
/// such backend for the platform, or if it is slow in `options.type` on this machine.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

/// Plain loops without a library: the oracle of all tests.
std::unique_ptr<Backend> make_reference_backend();

}  // namespace parconv
