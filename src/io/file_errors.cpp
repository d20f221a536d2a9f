// SPDX-License-Identifier: Apache-2.0
#include "io/file_errors.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "parconv/device/resource_limits.hpp"

namespace parconv {
namespace {

/// Of the file system of a file, or of its folder if there is no such file; empty if unknown.
std::string free_space(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0 && ::statvfs(folder.empty() ? "." : folder.c_str(), &status) != 0) return {};
  return concat("; ", static_cast<index_t>(status.f_bavail) * static_cast<index_t>(status.f_frsize), " bytes are free there");
}

std::string largest_size() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  return concat("; ulimit -f allows ", limit.rlim_cur, " bytes");
}

bool is_absence(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_out_of_space(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

std::string words_of(int error, const std::string& path) {
  std::string words = std::strerror(error);
  if (!is_out_of_space(error)) return words;
  return words + (error == EFBIG ? largest_size() : std::string()) + free_space(path);
}

std::string words_of(int error, const std::string& path, index_t needed_bytes) {
  return words_of(error, path) + (is_out_of_space(error) ? concat(", ", needed_bytes, " needed") : std::string());
}

std::string writing_hint(int error) {
  if (error == EFBIG) return "Raise the limit of file sizes (ulimit -f), or write to another file system.";
  if (is_out_of_space(error)) return "Free disk space, or write to another disk.";
  return "Check the disk and its file system, or write to another disk.";
}

Error opening_error(const std::string& path, int error) {
  const std::string action = concat("cannot open '", path, "'");
  if (auto limit = limit_error(action, error)) return *std::move(limit);
  const std::string text = concat(action, ": ", std::strerror(error));
  if (is_absence(error)) return Error(ExitCode::InputMissing, text, "Check the path and its permissions on every host.");
  return Error(ExitCode::Io, text, "Check the disk and its file system.");
}

Error reading_error(const std::string& name, index_t offset, int error) {
  return Error(ExitCode::Io, concat("cannot read ", name, " at byte ", offset, ": ", std::strerror(error)),
               "Check the disk and its file system.");
}

}  // namespace parconv
