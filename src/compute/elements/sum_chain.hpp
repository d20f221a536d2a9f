// SPDX-License-Identifier: Apache-2.0
// Sums and reductions of any number of operands from kernels that take a few.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// One link of a chain of sums, with a call of its own.
struct SumLink {
  static constexpr int carried = -1;  ///< in place of a source: the partial sum, dense, f32 or accumulators

  LocalOp op{};
  std::vector<int> srcs{};  ///< indices among the whole sum's sources, or `carried`, by operand of `op`
  bool is_last = false;     ///< writes dst with the epilogue; others write the partial sum
};

/// Splits the sum `op` into links of at most `most_operands` operands, not counting the residual. Operands are added in order
/// in f32, or as accumulators, and the result is rounded once, as in a single sum. Example: 8 operands, at most 3: (0 1 2), (sum
/// 3 4), (sum 5 6), (sum 7). Preconditions: op.kind is a LocalSum without joins or a LocalReduceParts; most_operands > 1.
std::vector<SumLink> sum_links(const LocalOp& op, std::size_t most_operands);

/// Executes the links in order. The partial sum is in scratch memory, so dst may alias a source.
class SumChain final : public Kernel {
 public:
  using MakeKernel = std::function<std::unique_ptr<Kernel>(const LocalOp&)>;

  /// `make` creates the kernel of a link, which must not need scratch memory.
  SumChain(const LocalOp& op, std::size_t most_operands, const MakeKernel& make);

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override;
  std::size_t scratch_bytes() const override { return sum_bytes_; }
  std::size_t resident_bytes() const override;
  std::string implementation() const override { return kernels_.front()->implementation(); }

 private:
  std::vector<SumLink> links_;
  std::vector<std::unique_ptr<Kernel>> kernels_{};
  std::vector<const std::byte*> link_srcs_{};  // filled at each call
  std::size_t sum_bytes_;
};

}  // namespace parconv
