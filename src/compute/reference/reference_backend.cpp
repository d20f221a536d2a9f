// SPDX-License-Identifier: Apache-2.0
#include "compute/reference/reference_kinds.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv {
namespace {

/// A kind without weights.
template <class Kind>
class ReferenceKernel final : public Kernel {
 public:
  ReferenceKernel(const Kind& kind, const LocalOp& op) : kind_(kind), op_(op) {}

  std::string implementation() const override { return "reference"; }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* /*scratch*/) override {
    reference::compute(kind_, reference::ReferenceCall(op_, srcs, dst));
  }

 private:
  Kind kind_;
  LocalOp op_;
};

class ReferenceBackend final : public Backend {
 public:
  std::string name() const override { return "reference"; }
  MemoryRules memory_rules() const override { return {.needs_dense = false}; }
  bool has_reference_bits() const override { return true; }

  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    const reference::CallExtents call = reference::check_operands(op);
    return std::visit(
        [&]<class Kind>(const Kind& kind) -> std::unique_ptr<Kernel> {
          reference::check(kind, call);
          if constexpr (KindWithFilter<Kind>)
            return reference::make_kernel(kind, op, read_filter);
          else
            return std::make_unique<ReferenceKernel<Kind>>(kind, op);
        },
        op.kind);
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace parconv
