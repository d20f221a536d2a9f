// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/threads.hpp"

#include <algorithm>

#ifdef __SANITIZE_THREAD__
#include <thread>
#include <vector>
#endif

namespace parconv {

#ifdef __SANITIZE_THREAD__

// The thread sanitizer does not see the barriers of an OpenMP runtime that is not built with it.
void on_threads(int threads, const std::function<void(int)>& work) {
  std::vector<std::jthread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back([&work, thread] { work(thread); });
  work(0);
}

#else

void on_threads(int threads, const std::function<void(int)>& work) {
  if (threads == 1) return work(0);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; ++thread) work(thread);
}

#endif

int threads_for(index_t units, index_t elems, const ThreadShare& threads) {
  if (elems < threads.least_elems) return 1;
  return static_cast<int>(std::max<index_t>(1, std::min<index_t>(units, threads.count)));
}

Interval equal_part(index_t units, index_t part, index_t parts) { return {units * part / parts, units * (part + 1) / parts}; }

}  // namespace parconv
