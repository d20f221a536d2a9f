// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/local_op.hpp"

namespace parconv {

const char* name_of(const LocalKind& kind) {
  return std::visit([](const auto& each) { return each.name; }, kind);
}

bool has_filter(const LocalKind& kind) {
  return std::visit([]<class Kind>(const Kind&) { return KindWithFilter<Kind>; }, kind);
}

bool has_fitting_accumulators(const LocalOp& op) {
  const auto is_accumulator = [](const OperandLayout& operand) { return operand.type == DType::Accumulator; };
  const auto* reduce = std::get_if<LocalReduce>(&op.kind);
  const auto* parts = std::get_if<LocalReduceParts>(&op.kind);
  const bool is_sum_of_parts = parts != nullptr && parts->kind == ReduceKind::Sum;
  const bool is_sum = is_sum_of_parts || (reduce != nullptr && reduce->kind == ReduceKind::Sum);
  for (std::size_t k = 0; k < op.srcs.size(); ++k)
    if (is_accumulator(op.srcs[k]) != (is_sum_of_parts && static_cast<int>(k) != op.epilogue.residual)) return false;
  const LocalEpilogue& epilogue = op.epilogue;
  const bool has_epilogue = !epilogue.bias.empty() || epilogue.residual >= 0 || epilogue.activation.kind != ActivationKind::None;
  return !is_accumulator(op.dst) || (is_sum && !has_epilogue);
}

}  // namespace parconv
