#include "parconv/model/operators.hpp"

#include "model/ops/all.hpp"

namespace parconv {

std::string name_of(const Operator& op) {
  return with_rules(op, [](auto rules, const auto& kind) { return rules.name(kind); });
}

}  // namespace parconv
