// SPDX-License-Identifier: Apache-2.0
// Valid models to mutate.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace parconv::test {

/// Serialised models: small variants of those that parconv_make_models writes (to `folder`), and those below
/// `folders_of_models`, which may not exist. Models that parconv cannot read are excluded.
std::vector<std::string> seed_models(const std::filesystem::path& folder,
                                     const std::vector<std::filesystem::path>& folders_of_models);

}  // namespace parconv::test
