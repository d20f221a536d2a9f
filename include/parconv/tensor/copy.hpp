// SPDX-License-Identifier: Apache-2.0
// Copies between views by several threads.
#pragma once

#include "parconv/tensor/threads.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// As the functions of view.hpp, with the work divided among threads.
void copy(ConstView src, View dst, const ThreadShare& threads);
void pack(ConstView src, std::byte* packed, const ThreadShare& threads);
void unpack(const std::byte* packed, View dst, const ThreadShare& threads);

}  // namespace parconv
