// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/on_threads.hpp"

namespace parconv::direct {

void on_threads(int threads, const std::function<void(int)>& work) {
  if (threads == 1) return work(0);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; ++thread) work(thread);
}

}  // namespace parconv::direct
