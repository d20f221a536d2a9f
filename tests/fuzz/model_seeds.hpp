// Right models that wrong ones are made of.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace parconv::test {

/// The bytes of all models: small forms of those that parconv_make_models writes (written to `folder`), those below
/// `folders_of_models`, which may be missing. Those that parconv does not read as they are, are left out.
std::vector<std::string> seed_models(const std::filesystem::path& folder,
                                     const std::vector<std::filesystem::path>& folders_of_models);

std::string read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

}  // namespace parconv::test
