// SPDX-License-Identifier: Apache-2.0
// Copies whose result is not read again soon.
#pragma once

#include <cstddef>

namespace parconv {

/// dst = src by stores past the caches where the CPU has them: the old contents of dst are not read first. No overlap. The
/// results are visible to other threads after finish_streaming.
void copy_streaming(const std::byte* src, std::byte* dst, std::size_t size_bytes);
void finish_streaming();

}  // namespace parconv
