// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) by OpenSSL, to record the model behind a result.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace parconv::app {

/// The digest of `data` in 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> data);

/// The digest of the bytes of a file, read in blocks. Throws Error(InputMissing) if it cannot be opened, Error(Io) if reading
/// fails.
std::string sha256_of_file(const std::string& path);

}  // namespace parconv::app
