// SPDX-License-Identifier: Apache-2.0
// The frame of a record's entry.
#pragma once

#include <cstdint>
#include <string>

namespace parconv {

/// An entry that follows one with `last_hash`, which becomes the hash of this one.
std::string framed_entry(std::uint32_t kind, const std::string& contents, std::uint64_t& last_hash);

}  // namespace parconv
