// SPDX-License-Identifier: Apache-2.0
// The memory of a rank as text, which ranks exchange.
#pragma once

#include <string>

#include "parconv/session/devices/host_memory.hpp"

namespace parconv {

std::string to_text(const RankMemory& memory);
/// Precondition: a text of to_text.
RankMemory rank_memory_from(const std::string& text);

}  // namespace parconv
