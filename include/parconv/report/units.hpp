// Numbers with units, short enough for tables.
#pragma once

#include <string>

#include "parconv/core/types.hpp"

namespace parconv {

/// "0 B", "812 B", "1.5 KiB", "12.0 MiB": three digits or a little more.
std::string format_bytes(index_t bytes);

/// "0.8 us", "12.3 ms", "4.56 s", "3 min 20 s".
std::string format_seconds(double seconds);

/// "950", "1.20 G": with the prefixes of powers of 1000, for operations.
std::string format_count(double count);

}  // namespace parconv
