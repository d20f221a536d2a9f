// SPDX-License-Identifier: Apache-2.0
// Cases in which oneDNN breaks the promise of equal bits on some CPUs (docs/promises.md, known exceptions).
#pragma once

namespace parconv::test {

/// oneDNN blocks sums by the shape of the part and by the caches of the CPU, so a part may get other bits than the whole. The
/// cases that name this function were seen to differ on AMD CPUs (Zen 3, oneDNN 2.6) and keep their bits on Intel's. They are
/// compared within the tolerance of reordered sums until parconv defines the order of sums itself.
inline bool onednn_reorders_sums() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

}  // namespace parconv::test
