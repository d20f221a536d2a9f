// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/local_op.hpp"

namespace parconv {

const char* name_of(const LocalKind& kind) {
  return std::visit([](const auto& each) { return each.name; }, kind);
}

bool has_filter(const LocalKind& kind) {
  return std::visit([]<class Kind>(const Kind&) { return KindWithFilter<Kind>; }, kind);
}

}  // namespace parconv
