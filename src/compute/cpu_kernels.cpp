#include "compute/cpu_kernels.hpp"

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

struct Maker {
  const LocalOp& op;

  using Result = std::unique_ptr<Kernel>;
  Result operator()(const LocalConv&) const { fail_expectation("make_cpu_kernel", "a convolution"); }
  Result operator()(const LocalDeconv&) const { fail_expectation("make_cpu_kernel", "a transposed convolution"); }
  Result operator()(const LocalPool&) const { return cpu::make_pool(op); }
  Result operator()(const LocalFill&) const { return cpu::make_fill(op); }
  Result operator()(const LocalCopy&) const { return cpu::make_copy(op); }
  Result operator()(const LocalScaleShift&) const { return cpu::make_scale_shift(op); }
  Result operator()(const LocalSum&) const { return cpu::make_sum(op); }
  Result operator()(const LocalBinary&) const { return cpu::make_binary(op); }
  Result operator()(const LocalRowSum&) const { return cpu::make_row_sum(op); }
  Result operator()(const LocalReduce&) const { return cpu::make_reduce(op); }
  Result operator()(const LocalLrn&) const { return cpu::make_lrn(op); }
  Result operator()(const LocalMatMul&) const { return cpu::make_matmul(op); }
  Result operator()(const LocalSoftmax&) const { return cpu::make_softmax(op); }
  Result operator()(const LocalReshape&) const { return cpu::make_reshape(op); }
  Result operator()(const LocalResample&) const { return cpu::make_resample(op); }
  Result operator()(const LocalRearrange&) const { return cpu::make_rearrange(op); }
};

}  // namespace

std::unique_ptr<Kernel> make_cpu_kernel(const LocalOp& op) { return std::visit(Maker{op}, op.kind); }

}  // namespace parconv
