// SPDX-License-Identifier: Apache-2.0
// Random calls by kind, for parameterised tests of backends.
#pragma once

#include <variant>
#include <vector>

#include "operators/all.hpp"

namespace parconv::test {

/// A KindTest as a value.
struct KindCase {
  const char* name = nullptr;
  TestCall (*draw)(LocalOpGenerator&) = nullptr;
  int calls = 0;
  bool has_filter = false;
  bool is_rounded = false;
  std::vector<LiteralCall> (*literal_calls)() = nullptr;
};

inline void PrintTo(const KindCase& kind, std::ostream* out) { *out << kind.name; }

template <class Kind>
constexpr KindCase case_of() {
  using Test = KindTest<Kind>;
  KindCase result{Kind::name, &Test::draw, Test::calls, KindWithFilter<Kind>, is_rounded_test<Test>};
  if constexpr (requires { Test::literal_calls(); }) result.literal_calls = &Test::literal_calls;
  return result;
}

/// One case per kind: a kind without a KindTest does not compile.
template <class... Kinds>
std::vector<KindCase> cases_of(const std::variant<Kinds...>* /*kinds*/) {
  return {case_of<Kinds>()...};
}

inline const std::vector<KindCase>& all_kinds() {
  static const std::vector<KindCase> all = cases_of(static_cast<const LocalKind*>(nullptr));
  return all;
}

inline std::vector<KindCase> kinds_with_filter() {
  std::vector<KindCase> kinds = all_kinds();
  std::erase_if(kinds, [](const KindCase& kind) { return !kind.has_filter; });
  return kinds;
}

inline std::vector<KindCase> kinds_without_filter() {
  std::vector<KindCase> kinds = all_kinds();
  std::erase_if(kinds, [](const KindCase& kind) { return kind.has_filter; });
  return kinds;
}

inline TestCall draw_call(const KindCase& kind, std::uint64_t seed, Numbers numbers) {
  LocalOpGenerator generator(seed, numbers);
  return kind.draw(generator);
}

}  // namespace parconv::test
