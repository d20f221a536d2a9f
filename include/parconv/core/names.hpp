// SPDX-License-Identifier: Apache-2.0
// Names in columns of tables.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace parconv {

/// Names of at most `width` characters: of longer ones the end, after "..". A name that would then equal another one stays whole.
/// Example: "backbone.layer1.conv" in 10 characters is "..er1.conv".
std::vector<std::string> shortened(std::span<const std::string> names, std::size_t width);

}  // namespace parconv
