// SPDX-License-Identifier: Apache-2.0
// Plans as JSON files for manual editing.
#pragma once

#include <string>
#include <string_view>

#include "parconv/plan/plan.hpp"

namespace parconv {

/// Serialises a complete plan, one line per node, keyed by the name of the node's output tensor:
///   {"parconv_plan": 1, "ranks": 4, "stages": 1, "nodes": {
///     "conv1": {"split": {"h": 2, "w": 2}, "first_rank": 0, "stage": 0, "cuts": {"h": [0, 8, 16], "w": [0, 8, 16]}}}}
/// Axes that are not split are omitted from "split" and "cuts".
std::string plan_to_json(const Plan& plan, const Network& network);

/// Parses a plan, which may be partial. A missing node takes "default" (a split as text or as an object, for the whole job as
/// in --split), else the choice of `auto`; so does a node without "split". "first_rank" and "stage" default to 0, "cuts" to
/// default_cuts. Throws Error(BadData) naming the key and the tensor for invalid JSON, another version, unknown or repeated
/// keys, wrong types, and plans that `validate` rejects.
Plan plan_from_json(std::string_view text, const Network& network);

}  // namespace parconv
