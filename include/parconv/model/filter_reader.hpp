// SPDX-License-Identifier: Apache-2.0
// The seam between backends, which need weights, and the files that hold them.
#pragma once

#include <functional>
#include <vector>

#include "parconv/model/constant.hpp"
#include "parconv/model/operators.hpp"

namespace parconv {

/// Reads a part of a filter as f32 in the dense order oc, ic, kd, kh, kw, with `scale` applied. Local. Throws
/// Error(Io or BadData).
using FilterReader = std::function<std::vector<float>(const Filter&, const FilterBox&)>;

}  // namespace parconv
