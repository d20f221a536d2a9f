// SPDX-License-Identifier: Apache-2.0
// Texts of the kernel: pure functions.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

std::vector<std::string_view> split(std::string_view text, char separator);

/// A number at the begin of a text; nullopt for "max" and for other words.
std::optional<index_t> leading_number(std::string_view text);

/// The number after `key` in a text of lines "key number", or "key: number kB" in bytes; nullopt without it.
std::optional<index_t> number_of_key(std::string_view text, std::string_view key);

/// The address space that is reserved and not accessible, in the text of /proc/PID/maps. The C library reserves 64 MiB for each
/// thread, and allocates from them where the limit on address space is reached.
index_t reserved_bytes(std::string_view maps);

}  // namespace parconv
