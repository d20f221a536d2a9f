// SPDX-License-Identifier: Apache-2.0
#include "operators/random_operator.hpp"

#include <utility>
#include <variant>

#include "operators/all.hpp"

namespace parconv::test {
namespace {

/// Calls visit with OperatorTest of every operator; an operator without one does not compile.
template <class Visit, std::size_t... index>
void for_each_test(Visit&& visit, std::index_sequence<index...> /*all*/) {
  (visit(OperatorTest<std::variant_alternative_t<index, Operator>>{}), ...);
}

template <class Visit>
void for_each_test(Visit&& visit) {
  for_each_test(visit, std::make_index_sequence<std::variant_size_v<Operator>>{});
}

using Draw = ValueId (*)(RandomNetworkBuilder& builder, ValueId src);

/// Each operator as often as its weight.
std::vector<Draw> weighted_draws() {
  std::vector<Draw> draws;
  for_each_test([&]<class Test>(Test) { draws.insert(draws.end(), Test::weight, &Test::draw); });
  return draws;
}

}  // namespace

Network random_operator(Random random, Weights weights) {
  static const std::vector<Draw> draws = weighted_draws();
  RandomNetworkBuilder builder(std::move(random), weights);
  const Extents extents = random_extents(builder.random());
  const ValueId src = builder.input(extents, extents[Axis::D] > 1 ? 5 : 4);
  const auto drawn = static_cast<std::size_t>(builder.random().integer(0, std::ssize(draws) - 1));
  return builder.build({draws[drawn](builder, src)});
}

std::vector<OperatorCase> operator_cases() {
  std::vector<OperatorCase> cases;
  for_each_test([&]<class Test>(Test) { Test::append_cases(cases); });
  return cases;
}

bool is_rounded(const Operator& op) {
  return std::visit([]<class Op>(const Op&) { return is_rounded_test<OperatorTest<Op>>; }, op);
}

}  // namespace parconv::test
