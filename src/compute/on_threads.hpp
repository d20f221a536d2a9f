// SPDX-License-Identifier: Apache-2.0
// Parallel work of one rank.
#pragma once

#include <functional>

namespace parconv {

/// Calls work(thread) for each thread number below `threads`, at the same time. `work` must not throw. Returns when all calls
/// have returned. The threads are OpenMP's, which oneDNN uses too. A `work` that captures much is passed by std::cref, so that
/// nothing is allocated.
void on_threads(int threads, const std::function<void(int)>& work);

}  // namespace parconv
