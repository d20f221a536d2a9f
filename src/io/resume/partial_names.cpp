// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/resume/partial_names.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view record_suffix = ".record";

/// MPI libraries take what precedes a ':' for the type of a file system.
std::string name_prefix(const fs::path& final_path) {
  std::string name = final_path.filename().string();
  std::replace(name.begin(), name.end(), ':', '_');
  return name + ".partial-";
}

}  // namespace

std::string partial_path_of(const std::string& final_path, const std::string& job_id) {
  const fs::path path(final_path);
  return (path.parent_path() / (name_prefix(path) + job_id)).string();
}

std::string record_path_of(const std::string& final_path, const std::string& job_id) {
  return concat(partial_path_of(final_path, job_id), record_suffix);
}

std::vector<std::string> partial_jobs_of(const std::string& final_path) {
  const fs::path path(final_path), folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string prefix = name_prefix(path);
  std::set<std::string> jobs;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    if (name.ends_with(record_suffix)) name.resize(name.size() - record_suffix.size());
    jobs.insert(name.substr(prefix.size()));
  }
  return {jobs.begin(), jobs.end()};
}

}  // namespace parconv
