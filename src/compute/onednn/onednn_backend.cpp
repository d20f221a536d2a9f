// SPDX-License-Identifier: Apache-2.0
#include "compute/onednn/onednn_backend.hpp"

#include "compute/conv/deconv_kernel.hpp"
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/onednn/onednn_conv_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

void check_operand(const OperandLayout& operand) {
  PARCONV_EXPECT(operand.strides[Axis::C] == 1 || operand.extents[Axis::C] == 1, "channel stride ", operand.strides[Axis::C]);
  if (operand.type == DType::F32 || operand.type == DType::BF16 || operand.type == DType::Accumulator) return;
  throw Error(ExitCode::Unavailable, concat("the onednn backend supports f32 and bf16, not ", name_of(operand.type)),
              "Use --dtype f32 or bf16.");
}

std::unique_ptr<Kernel> prepare_conv(const LocalOp& op, const FilterReader& read_filter,
                                     const onednn::ConvKernelOptions& options) {
  try {
    const auto make_conv = [&](const LocalOp& conv, const FilterReader& read) {
      return onednn::make_conv_kernel(conv, read, options);
    };
    return std::holds_alternative<LocalDeconv>(op.kind) ? make_deconv_kernel(op, read_filter, make_conv)
                                                        : make_conv(op, read_filter);
  } catch (const dnnl::error& error) {
    const bool is_memory = error.status == dnnl_out_of_memory;
    throw Error(is_memory ? ExitCode::OutOfMemory : ExitCode::Unavailable,
                concat("oneDNN ", onednn::version(), " could not prepare a convolution: ", error.what()),
                is_memory ? "Use more ranks, so that each holds less." : "Split this layer another way.");
  }
}

class OnednnBackend final : public Backend {
 public:
  explicit OnednnBackend(int threads) : threads_(threads) {}

  std::string name() const override { return "onednn"; }
  MemoryRules memory_rules() const override { return {.needs_dense = false}; }

  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    PARCONV_EXPECT(has_fitting_accumulators(op), name_of(op.kind));
    for (const OperandLayout& src : op.srcs) check_operand(src);
    check_operand(op.dst);
    if (has_filter(op.kind)) return prepare_conv(op, read_filter, {.threads = threads_, .cache = &cache_});
    return make_cpu_kernel(op, {.count = threads_});
  }

 private:
  int threads_;
  onednn::WeightCache cache_{};
};

}  // namespace

void require_fast_on_cpu(DType type) {
  if (onednn::has_instructions_for(type)) return;
  const bool is_possible = type == DType::BF16;
  throw Error(ExitCode::Unavailable,
              concat("oneDNN ", onednn::version(), " has no fast convolutions in ", name_of(type),
                     is_possible ? " on this CPU: it lacks AVX512_BF16" : " on CPUs"),
              is_possible ? "Use --dtype f32, or a CPU with AVX512_BF16." : "Use --dtype f32 or bf16.");
}

std::unique_ptr<Backend> make_onednn_backend(int threads) {
  PARCONV_EXPECT(threads >= 1, threads, " threads");
  return std::make_unique<OnednnBackend>(threads);
}

}  // namespace parconv
