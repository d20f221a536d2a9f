// SHA-256 (FIPS 180-4), to say which model made a result.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace parconv::app {

/// 64 hexadecimal digits.
std::string sha256(std::span<const std::byte> data);

/// Of the bytes of a file. Throws Error(InputMissing) if it cannot be read.
std::string sha256_of_file(const std::string& path);

}  // namespace parconv::app
