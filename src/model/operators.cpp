// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/operators.hpp"

#include <utility>

#include "model/ops/all.hpp"
#include "model/ops/elementwise/channels.hpp"

namespace parconv {

std::string name_of(const Operator& op) {
  return with_rules(op, [](auto rules, const auto& kind) { return rules.name(kind); });
}

const Filter* filter_of(const Operator& op) {
  return std::visit(
      [](const auto& kind) -> const Filter* {
        if constexpr (requires { kind.filter; }) return &kind.filter;
        return nullptr;
      },
      op);
}

Filter* filter_of(Operator& op) { return const_cast<Filter*>(filter_of(std::as_const(op))); }

std::optional<ChannelGroups> channel_groups(const Operator& op) {
  return std::visit(
      [](const auto& kind) -> std::optional<ChannelGroups> {
        if constexpr (requires { kind.filter; }) return groups_of(kind);
        return std::nullopt;
      },
      op);
}

}  // namespace parconv
