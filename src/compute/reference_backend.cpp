#include <type_traits>

#include "compute/reference_kinds.hpp"

namespace parconv {
namespace {

/// Any kind without weights.
class ReferenceKernel final : public Kernel {
 public:
  explicit ReferenceKernel(const LocalOp& op) : op_(op) {}

  std::string implementation() const override { return "reference"; }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte*) override {
    const ReferenceCall call(op_, srcs, dst);
    std::visit(
        [&]<class Kind>(const Kind& kind) {
          if constexpr (!std::is_same_v<Kind, LocalConv> && !std::is_same_v<Kind, LocalDeconv>) compute(kind, call);
        },
        op_.kind);
  }

 private:
  LocalOp op_;
};

class ReferenceBackend final : public Backend {
 public:
  std::string name() const override { return "reference"; }
  MemoryRules memory_rules() const override { return {.needs_dense = false}; }

  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    check_operands(op);
    if (std::holds_alternative<LocalConv>(op.kind)) return make_reference_conv(op, read_filter);
    if (std::holds_alternative<LocalDeconv>(op.kind)) return make_reference_deconv(op, read_filter);
    return std::make_unique<ReferenceKernel>(op);
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace parconv
