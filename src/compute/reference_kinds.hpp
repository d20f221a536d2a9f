// One function for each kind of LocalOp, and a kernel for those with weights.
#pragma once

#include <memory>

#include "compute/reference_call.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv {

void compute(const LocalPool& pool, const ReferenceCall& call);
void compute(const LocalFill& fill, const ReferenceCall& call);
void compute(const LocalCopy& copy, const ReferenceCall& call);
void compute(const LocalScaleShift& op, const ReferenceCall& call);
void compute(const LocalSum& sum, const ReferenceCall& call);
void compute(const LocalBinary& binary, const ReferenceCall& call);
void compute(const LocalRowSum& sum, const ReferenceCall& call);
void compute(const LocalReduce& reduce, const ReferenceCall& call);
void compute(const LocalLrn& lrn, const ReferenceCall& call);
void compute(const LocalMatMul& product, const ReferenceCall& call);
void compute(const LocalSoftmax& softmax, const ReferenceCall& call);
void compute(const LocalReshape& reshape, const ReferenceCall& call);
void compute(const LocalResample& resample, const ReferenceCall& call);
void compute(const LocalRearrange& rearrange, const ReferenceCall& call);

/// Precondition: op.kind is a LocalConv. Reads and packs the weights.
std::unique_ptr<Kernel> make_reference_conv(const LocalOp& op, const FilterReader& read_filter);

/// The same of a LocalDeconv.
std::unique_ptr<Kernel> make_reference_deconv(const LocalOp& op, const FilterReader& read_filter);

/// Checks that the operands of `op` fit its kind, before anything computes with them: throws Bug if they do not, and
/// Error(Unavailable) if an operand is not f32, f16 or bf16.
void check_operands(const LocalOp& op);

}  // namespace parconv
