// Plans as JSON files that people can read, shorten and edit.
#pragma once

#include <string>
#include <string_view>

#include "parconv/plan/plan.hpp"

namespace parconv {

/// A complete plan, one line a node, keyed by the name of the tensor that the node makes:
///   {"parconv_plan": 1, "ranks": 4, "stages": 1, "nodes": {
///     "conv1": {"split": {"h": 2, "w": 2}, "first_rank": 0, "stage": 0, "cuts": {"h": [0, 8, 16], "w": [0, 8, 16]}}}}
/// Axes that are in one piece are left out of "split" and "cuts".
std::string plan_to_json(const Plan& plan, const Network& network);

/// Reads a plan, which may be short: a node that is missing gets what "default" says (a split as text or as an object, for the
/// whole job as --split is) or else the rule for `auto`; a node without "split" gets the same parts; without "first_rank" or
/// "stage" it gets 0, without "cuts" default_cuts. Throws Error(BadData) naming the key and the tensor: text that is not JSON,
/// another version, unknown or repeated keys, wrong types, and whatever `validate` refuses.
Plan plan_from_json(std::string_view text, const Network& network);

}  // namespace parconv
