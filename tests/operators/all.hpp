// SPDX-License-Identifier: Apache-2.0
// Test specialisations of every operator and every kind.
#pragma once

#include "operators/concat.hpp"
#include "operators/conv.hpp"
#include "operators/conv_transpose.hpp"
#include "operators/elementwise.hpp"
#include "operators/lrn.hpp"
#include "operators/matmul.hpp"
#include "operators/pool.hpp"
#include "operators/rearrange.hpp"
#include "operators/reduce.hpp"
#include "operators/resample.hpp"
#include "operators/softmax.hpp"
#include "operators/sum.hpp"
