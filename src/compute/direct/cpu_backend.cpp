// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/cpu_backend.hpp"

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/direct/direct_kernel.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv {
namespace {

void require_type(DType type) {
  if (is_element_type(type)) return;
  throw Error(ExitCode::Unavailable, concat("the cpu backend computes on f32, bf16 and f16, not on ", name_of(type)),
              "Use --dtype f32, bf16 or f16.");
}

void check_operand(const OperandLayout& operand) {
  if (operand.type != DType::Accumulator) require_type(operand.type);
  PARCONV_EXPECT(operand.strides[Axis::C] == 1 || operand.extents[Axis::C] == 1, "channel stride ", operand.strides[Axis::C]);
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads) : options_{.set = direct::instruction_set(), .threads = threads} {}

  std::string name() const override { return "cpu"; }
  MemoryRules memory_rules() const override { return {.needs_dense = false}; }
  bool has_reference_bits() const override { return true; }

  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    PARCONV_EXPECT(has_fitting_accumulators(op), name_of(op.kind));
    for (const OperandLayout& src : op.srcs) check_operand(src);
    check_operand(op.dst);
    if (has_filter(op.kind)) return direct::make_direct_kernel(op, read_filter, options_, filters_);
    return make_cpu_kernel(op, {.count = options_.threads});
  }

 private:
  direct::DirectOptions options_;
  direct::PackedFilters filters_{};
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads, DType type) {
  PARCONV_EXPECT(threads >= 1, threads, " threads");
  require_type(type);
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace parconv
