// SPDX-License-Identifier: Apache-2.0
// The convolution algorithms of a job: chosen once, equal on all ranks, kept across runs.
#pragma once

#include <functional>
#include <string_view>

#include "parconv/comm/control.hpp"
#include "parconv/compute/conv_algorithm_chooser.hpp"

namespace parconv {

/// Algorithms by kind of machine, as stored in a file.
using ConvAlgorithmTables = std::map<ConvAlgorithmMachine, ConvAlgorithms>;

/// Serialises tables as JSON, one line per algorithm.
std::string conv_algorithms_to_json(const ConvAlgorithmTables& tables);
/// Parses tables from JSON. Throws Error(BadData) with the position in the text.
ConvAlgorithmTables conv_algorithms_from_json(std::string_view text);

/// Chooses algorithms for all calls of all ranks without an entry in `known`. Collective, blocking; returns equal tables on all
/// ranks. Each call is timed by one of the ranks that make it, balanced over the ranks, and all ranks adopt the result: equal
/// calls have equal bits everywhere. `on_choice` is called after each choice of this rank. Throws JobError on all ranks if
/// choosing fails on one. Preconditions: GPUs of one kind, `known` equal on all ranks.
ConvAlgorithms agree_on_conv_algorithms(Control& control, ConvAlgorithmChooser& chooser, std::span<const LocalOp> ops,
                                        ConvAlgorithms known, const std::function<void()>& on_choice = {});

}  // namespace parconv
