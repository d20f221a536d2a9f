// The seam to libraries that convolve in device memory, so that all that is around their calls is the same for each and is tested
// without one.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// What is asked of a library: operands with their strides, channels last; whole groups; all operands begin at multiples of 16
/// bytes. dst = activation(conv(src) + residual + bias). pad_hi of the window is what outputs read.
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

/// "1x64x1x56x56 f16 -> 1x128x1x28x28 f16, kernel 1x3x3, ...", for messages.
std::string to_string(const StridedConv& conv);

/// Where the filter of a call comes from, and its bias.
struct ConvFilter {
  const Filter& filter;
  const FilterBox& box;
  const FilterReader& read;
  std::span<const float> bias{};  ///< one number per output channel, or none
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
  /// Gives the work to the device; allocates nothing. The residual does not overlap dst.
  virtual void execute(const Operands& operands) = 0;
  virtual std::size_t workspace_bytes() const = 0;
  virtual std::size_t resident_bytes() const = 0;
  /// "cudnn:engine38".
  virtual std::string implementation() const = 0;
};

class ConvLibrary {
 public:
  virtual ~ConvLibrary() = default;

  /// Null if the library does not compute it.
  virtual std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter& filter) = 0;
  /// True if a call may apply the activation, which then has the library's own bits.
  virtual bool fuses(const Activation& activation) const = 0;

  // What is around calls, in the same memory and in the same order.

  /// A kernel of a kind without filter.
  virtual std::unique_ptr<Kernel> make_kernel(const LocalOp& op) = 0;
  virtual void copy(ConstView src, View dst) = 0;
  virtual void zero(std::byte* data, std::size_t size_bytes) = 0;
};

/// Prepares a convolution by a library: operands that it does not take as they are go through scratch memory, and what it does
/// not fuse is done afterwards. Precondition: op.kind is a LocalConv; the library outlives the kernel. Throws Error(Unavailable)
/// if the library does not even have the bare convolution of dense operands.
std::unique_ptr<Kernel> make_strided_conv(const LocalOp& op, const FilterReader& read_filter, ConvLibrary& library);

/// The same of a LocalDeconv: one convolution for each phase of its strides, into every stride-th place of the output.
std::unique_ptr<Kernel> make_strided_deconv(const LocalOp& op, const FilterReader& read_filter, ConvLibrary& library);

}  // namespace parconv
