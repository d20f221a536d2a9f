// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/named_files.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <tuple>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

namespace fs = std::filesystem;

/// Device and inode of a file, or of its folder with the file's name in it.
using Identity = std::tuple<dev_t, ino_t, std::string>;

Identity identity_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) return {status.st_dev, status.st_ino, ""};
  const fs::path target(link_target(path)), folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (::stat(folder.c_str(), &status) == 0) return {status.st_dev, status.st_ino, target.filename().string()};
  return {0, 0, target.string()};  // refused when it is created
}

void require_regular(const NamedFile& file) {
  struct stat status{};
  if (::stat(file.path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  throw Error(ExitCode::CannotCreate,
              concat(file.part, " ", file.path, S_ISDIR(status.st_mode) ? " is a directory" : " is not a regular file"),
              "Name a regular file, or one that does not exist yet.");
}

}  // namespace

std::string link_target(const std::string& path) {
  constexpr int most_links = 40;  // as many as Linux follows
  fs::path target(path);
  std::error_code error;
  for (int k = 0; k < most_links; ++k) {
    if (!fs::is_symlink(target, error)) return target.string();
    target = target.parent_path() / fs::read_symlink(target, error);  // an absolute link replaces the folder
    if (error) break;
  }
  throw Error(ExitCode::CannotCreate, concat(path, " is a symbolic link that leads to no file"), "Remove the link.");
}

void require_apart(std::span<const NamedFile> reads, std::span<const NamedFile> writes) {
  std::map<Identity, const NamedFile*> known;
  for (const NamedFile& file : reads) known.emplace(identity_of(file.path), &file);
  for (const NamedFile& file : writes) {
    require_regular(file);
    const auto [there, is_new] = known.emplace(identity_of(file.path), &file);
    if (is_new) continue;
    throw Error(ExitCode::Usage,
                concat(file.part, " ", file.path, " is the same file as ", there->second->part, " ", there->second->path),
                "Give each file that is written a name of its own.");
  }
}

}  // namespace parconv
