// SPDX-License-Identifier: Apache-2.0
// pread and pwrite of all bytes: they go on after short counts and signals.
#pragma once

#include <span>

#include "parconv/core/types.hpp"

namespace parconv {

/// Reads bytes of an open file from `offset` on, fewer at its end. Returns their number; -1 if it fails, with errno. Local.
index_t read_bytes(int descriptor, std::span<char> target, index_t offset);

/// Writes all bytes from `offset` on. False if it fails, with errno. Local.
bool write_bytes(int descriptor, std::span<const char> bytes, index_t offset);

}  // namespace parconv
