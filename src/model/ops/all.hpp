// The rules of every operator, and how to ask them.
#pragma once

#include <variant>

#include "model/ops/binary.hpp"
#include "model/ops/concat.hpp"
#include "model/ops/conv.hpp"
#include "model/ops/conv_transpose.hpp"
#include "model/ops/lrn.hpp"
#include "model/ops/matmul.hpp"
#include "model/ops/pointwise.hpp"
#include "model/ops/pool.hpp"
#include "model/ops/rearrange.hpp"
#include "model/ops/reduce.hpp"
#include "model/ops/resample.hpp"
#include "model/ops/reshape.hpp"
#include "model/ops/softmax.hpp"
#include "model/ops/sum.hpp"

namespace parconv {

/// Calls ask(rules, op) with the Rules and the struct of the operator in the variant.
template <class Ask>
decltype(auto) with_rules(const Operator& op, Ask&& ask) {
  return std::visit([&](const auto& kind) { return ask(Rules<std::decay_t<decltype(kind)>>{}, kind); }, op);
}

}  // namespace parconv
