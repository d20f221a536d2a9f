// SPDX-License-Identifier: Apache-2.0
// Overload set of lambdas, for std::visit.
#pragma once

namespace parconv {

/// std::visit(Overloaded{[](const A&) { ... }, [](const B&) { ... }}, variant).
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

/// Clang before 17 lacks deduction guides for aggregates.
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace parconv
