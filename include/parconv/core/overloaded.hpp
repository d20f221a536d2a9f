// One visitor of a std::variant out of several lambdas.
#pragma once

namespace parconv {

/// std::visit(Overloaded{[](const A&) { ... }, [](const B&) { ... }}, variant).
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

/// Clang before 17 does not deduce it by itself.
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace parconv
