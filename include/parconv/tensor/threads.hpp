// SPDX-License-Identifier: Apache-2.0
// Threads of one rank that share some work. The bits of an element do not depend on who computes or moves it.
#pragma once

#include <functional>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// Calls work(thread) for each thread number below `threads`, at the same time. `work` must not throw. Returns when all calls
/// have returned. The threads are OpenMP's, which oneDNN uses too. A `work` that captures much is passed by std::cref, so that
/// nothing is allocated.
void on_threads(int threads, const std::function<void(int)>& work);

/// Threads that share some work, where that pays.
struct ThreadShare {
  int count = 1;
  index_t least_elems = 32768;  ///< of the result; below, the start of the threads takes longer than the work
};

/// How many of them share `units` of work that make `elems` elements: at most one a unit.
int threads_for(index_t units, index_t elems, const ThreadShare& threads);

/// The units of part number `part`, of `parts` parts that differ by one unit at most.
Interval equal_part(index_t units, index_t part, index_t parts);

}  // namespace parconv
