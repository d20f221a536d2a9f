// Which engines of GPU libraries compute the calls of a job: chosen once, alike on all ranks, and kept over runs.
#pragma once

#include <functional>
#include <string_view>

#include "parconv/comm/control.hpp"
#include "parconv/compute/engine_chooser.hpp"

namespace parconv {

/// Choices of several kinds of machines, as a file keeps them.
using EngineTables = std::map<EngineMachine, EngineChoices>;

/// JSON text, one line a choice.
std::string engine_tables_to_json(const EngineTables& tables);
/// Throws Error(BadData) that names the place in the text.
EngineTables engine_tables_from_json(std::string_view text);

/// Chooses engines for all calls of all ranks that `known` says nothing about. A call is timed by one rank that makes it, no rank
/// times many more than others, and all take its choice: equal calls have equal bits everywhere. Collective over ranks with GPUs
/// of one kind, which pass equal `known`; returns the same on all. `on_choice` is called after each choice that this rank made.
/// Throws JobError on all ranks if choosing fails on one.
EngineChoices agree_on_engines(Control& control, EngineChooser& chooser, std::span<const LocalOp> ops, EngineChoices known,
                               const std::function<void()>& on_choice = {});

}  // namespace parconv
