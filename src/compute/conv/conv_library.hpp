// SPDX-License-Identifier: Apache-2.0
// The interface to libraries that convolve in device memory. The code around their calls is shared and tested without a
// library.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// A convolution as a library call: dst = activation(conv(src) + residual + bias). Operands are channels-last with any other
/// strides and are aligned to 16 bytes; groups are whole. pad_hi of the window is the padding that outputs read.
struct StridedConv {
  OperandLayout src{};
  OperandLayout dst{};
  Window window{};
  index_t groups = 1;
  bool has_bias = false;
  std::optional<OperandLayout> residual{};
  Activation activation{};

  friend bool operator==(const StridedConv&, const StridedConv&) = default;
};

/// For messages: "1x64x1x56x56 f16 -> 1x128x1x28x28 f16, kernel 1x3x3, ...".
std::string to_string(const StridedConv& conv);

/// The source of a call's filter, and its bias.
struct ConvFilter {
  const Filter& filter;
  const FilterBox& box;
  const FilterReader& read;
  std::span<const float> bias{};  ///< one value per output channel, or empty
};

/// The elements of a filter in the order oc, kd, kh, kw, ic.
std::vector<float> filter_channels_last(const ConvFilter& filter);

/// A prepared call of a library. Owns its filter and bias.
class ConvCall {
 public:
  struct Operands {
    const std::byte* src = nullptr;
    const std::byte* residual = nullptr;
    std::byte* dst = nullptr;
    std::byte* workspace = nullptr;  ///< workspace_bytes(), aligned to 256 bytes
  };

  virtual ~ConvCall() = default;
  /// Enqueues the work on the compute stream; allocates nothing. Precondition: the residual does not overlap dst.
  virtual void execute(const Operands& operands) = 0;
  virtual std::size_t workspace_bytes() const = 0;
  virtual std::size_t resident_bytes() const = 0;
  /// For reports: "cudnn:engine38".
  virtual std::string implementation() const = 0;
};

class ConvLibrary {
 public:
  virtual ~ConvLibrary() = default;

  /// Prepares a call; null if the library does not support it.
  virtual std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter& filter) = 0;
  /// True if a call can fuse the activation, with the library's own rounding.
  virtual bool fuses(const Activation& activation) const = 0;

  // Operations around the calls, on the same device and stream.

  /// Creates the kernel of a kind without a filter.
  virtual std::unique_ptr<Kernel> make_kernel(const LocalOp& op) = 0;
  virtual void copy(ConstView src, View dst) = 0;
  virtual void zero(std::byte* data, std::size_t size_bytes) = 0;
};

/// Prepares a convolution with a library. Operands with unsupported layouts are copied through scratch memory, and operations
/// that the library does not fuse run afterwards. Throws Error(Unavailable) if the library does not support even the plain
/// convolution of dense operands. Preconditions: op.kind is a LocalConv; the library outlives the kernel.
std::unique_ptr<Kernel> make_strided_conv(const LocalOp& op, const FilterReader& read_filter, ConvLibrary& library);

/// The same for a LocalDeconv: one convolution per phase of the strides, which writes every stride-th element of the output.
std::unique_ptr<Kernel> make_strided_deconv(const LocalOp& op, const FilterReader& read_filter, ConvLibrary& library);

}  // namespace parconv
