// SPDX-License-Identifier: Apache-2.0
// Formatting of quantities with units, compact enough for tables.
#pragma once

#include <string>

#include "parconv/core/types.hpp"

namespace parconv {

/// "0 B", "812 B", "1.5 KiB", "12.0 MiB": about three significant digits.
std::string format_bytes(index_t bytes);

/// "0.8 us", "12.3 ms", "4.56 s", "3 min 20 s".
std::string format_seconds(double seconds);

/// "950", "1.20 G": with SI prefixes, for operation counts.
std::string format_count(double count);

}  // namespace parconv
