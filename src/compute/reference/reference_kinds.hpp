// SPDX-License-Identifier: Apache-2.0
// The reference implementation of each kind of LocalOp, found by overload: check(kind, CallExtents), then compute(kind,
// ReferenceCall). Kinds with a filter have make_kernel(kind, op, read_filter) instead of compute.
#pragma once

#include "compute/reference/reference_elementwise.hpp"
#include "compute/reference/reference_filter.hpp"
#include "compute/reference/reference_lrn.hpp"
#include "compute/reference/reference_matmul.hpp"
#include "compute/reference/reference_pool.hpp"
#include "compute/reference/reference_rearrange.hpp"
#include "compute/reference/reference_reduce.hpp"
#include "compute/reference/reference_resample.hpp"
#include "compute/reference/reference_softmax.hpp"
