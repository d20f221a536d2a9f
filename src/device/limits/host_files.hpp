// SPDX-License-Identifier: Apache-2.0
// Small files of the kernel.
#pragma once

#include <string>

namespace parconv {

/// The text of a file in /proc or /sys; empty if it cannot be read. Local.
std::string text_of_file(const std::string& path);

}  // namespace parconv
