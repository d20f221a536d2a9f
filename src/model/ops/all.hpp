// SPDX-License-Identifier: Apache-2.0
// The rules of every operator, and dispatch to them.
#pragma once

#include <variant>

#include "model/ops/elementwise/binary.hpp"
#include "model/ops/elementwise/pointwise.hpp"
#include "model/ops/elementwise/reduce.hpp"
#include "model/ops/elementwise/softmax.hpp"
#include "model/ops/elementwise/sum.hpp"
#include "model/ops/shape/concat.hpp"
#include "model/ops/shape/rearrange.hpp"
#include "model/ops/shape/reshape.hpp"
#include "model/ops/window/conv.hpp"
#include "model/ops/window/conv_transpose.hpp"
#include "model/ops/window/lrn.hpp"
#include "model/ops/window/matmul.hpp"
#include "model/ops/window/pool.hpp"
#include "model/ops/window/resample.hpp"

namespace parconv {

/// Calls ask(rules, op) with the Rules and the struct of the active alternative.
template <class Ask>
decltype(auto) with_rules(const Operator& op, Ask&& ask) {
  return std::visit([&](const auto& kind) { return ask(Rules<std::decay_t<decltype(kind)>>{}, kind); }, op);
}

}  // namespace parconv
