// Sums of any number of operands by kernels that add up a few.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// A link of a chain of sums: a call of its own.
struct SumLink {
  static constexpr int carried = -1;  ///< instead of a source: the sum so far, dense f32

  LocalOp op{};
  std::vector<int> srcs{};  ///< the whole sum's sources that are the operands of `op`, in order, or `carried`
  bool is_last = false;     ///< writes dst, finished; the others write the sum so far
};

/// The sum `op` in links of at most `most_operands` operands each, the residual apart. Operands are added in their order in f32
/// and the result is rounded once, as in one sum. Example: 8 operands, 3 at most: (0 1 2), (sum 3 4), (sum 5 6), (sum 7).
/// Precondition: op.kind is a LocalSum; most_operands > 1.
std::vector<SumLink> sum_links(const LocalOp& op, std::size_t most_operands);

/// Runs such links one after the other. The sum so far is in scratch memory, so dst may lie in the place of a source.
class SumChain final : public Kernel {
 public:
  using MakeKernel = std::function<std::unique_ptr<Kernel>(const LocalOp&)>;

  /// `make` makes the kernel of a link; it needs no scratch memory.
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
