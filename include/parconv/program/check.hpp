// Proves that programs can run: nothing is lost, nothing is overwritten, nobody waits for ever. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/program/program.hpp"

namespace parconv {

/// What is wrong with one rank's program; empty if nothing. Checks that
/// * communications start in the global order, each once, and are awaited once, after their start;
/// * every region that is read was written before, in its micro-batch, by a step or an awaited message;
/// * nobody touches what a started communication receives, or writes what it sends, before it is awaited;
/// * copies are between buffers of one type;
/// * buffers have slots enough, and buffers that share memory are never in use at the same time.
std::vector<std::string> problems_of(const Program& program);

/// What does not fit between programs: every message that is sent is received by the rank it is sent to, in the same order and
/// of the same size, and the other way round. `programs[r]` is that of rank r.
std::vector<std::string> mismatches_between(std::span<const Program> programs);

/// Throws Bug with the first problem of any program or between programs.
void check(std::span<const Program> programs);

}  // namespace parconv
