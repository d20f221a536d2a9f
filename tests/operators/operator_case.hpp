// SPDX-License-Identifier: Apache-2.0
// Small networks of one operator each, for tests of all splits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/network_builder.hpp"

namespace parconv::test {

using AddOperator = std::function<ValueId(RandomNetworkBuilder&, ValueId)>;

struct OperatorCase {
  std::string name{};
  Extents input{};
  int ndims = 4;
  AddOperator add{};
};

// ---- Inputs and windows of the cases ------------------------------------------------------------------------------------

inline constexpr Extents image{{2, 24, 1, 13, 11}};
inline constexpr Extents deep_image{{2, 96, 1, 9, 10}};
inline constexpr Extents cube{{2, 12, 7, 8, 9}};
inline constexpr Extents signal{{2, 12, 1, 29, 1}};
inline constexpr Extents matrix{{6, 40, 1, 1, 1}};

inline constexpr WindowAxis same3{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
inline constexpr WindowAxis half3{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1};
inline constexpr WindowAxis wide3{.kernel = 3, .pad_lo = 2, .pad_hi = 2, .dilation = 2};
inline constexpr WindowAxis leaning4{.kernel = 4, .stride = 2, .pad_lo = 2, .pad_hi = 0};
inline constexpr WindowAxis pair{.kernel = 2, .stride = 2};
/// Three outputs a stride apart whose last window exceeds the end, as with ceil_mode.
inline constexpr WindowAxis hanging{.kernel = 3, .stride = 2, .pad_lo = 0, .pad_hi = 2};

inline Window flat(const WindowAxis& along_h, const WindowAxis& along_w) { return {{WindowAxis{}, along_h, along_w}}; }

/// The operator itself, of one input.
inline AddOperator operator_of(const Operator& op) {
  return [op](RandomNetworkBuilder& builder, ValueId src) { return builder.add(op, {src}); };
}

}  // namespace parconv::test
