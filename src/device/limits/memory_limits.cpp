// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "device/limits/cgroups.hpp"
#include "device/limits/host_files.hpp"
#include "device/limits/kernel_texts.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv {
namespace {

/// Control groups may have different paths in different namespaces.
std::string id_of_folder(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return path;
  return concat(status.st_dev, ":", status.st_ino);
}

void add_cgroups(index_t swap_bytes, std::vector<MemoryLimit>& limits) {
  const auto folders = cgroup_folders(text_of_file("/proc/self/cgroup"), text_of_file("/proc/self/mountinfo"), "memory");
  for (const CgroupFolder& folder : folders) {
    const auto text_of = [&](const std::string& name) { return text_of_file(folder.path + "/" + name); };
    const auto memory = cgroup_memory(folder, text_of, swap_bytes);
    if (!memory) continue;
    limits.push_back({.name = "the cgroup " + folder.path,
                      .id = id_of_folder(folder.path),
                      .total_bytes = memory->limit_bytes,
                      .free_bytes = memory->free_bytes});
  }
}

void add_host(const std::string& meminfo, index_t swap_bytes, std::vector<MemoryLimit>& limits) {
  const auto available = number_of_key(meminfo, "MemAvailable");
  const auto total = number_of_key(meminfo, "MemTotal");
  if (available && total)
    limits.push_back({.name = "the host",
                      .id = "host",
                      .total_bytes = *total + number_of_key(meminfo, "SwapTotal").value_or(0),
                      .free_bytes = *available + swap_bytes});
  const auto most = number_of_key(meminfo, "CommitLimit"), promised = number_of_key(meminfo, "Committed_AS");
  const bool is_strict = leading_number(text_of_file("/proc/sys/vm/overcommit_memory")) == 2;
  if (is_strict && most && promised)
    limits.push_back({.name = "the host (vm.overcommit_memory is 2)",
                      .id = "commit",
                      .total_bytes = *most,
                      .free_bytes = std::max<index_t>(0, *most - *promised)});
}

void add_ulimit(decltype(RLIMIT_AS) resource, const char* name, std::optional<index_t> used_bytes,
                std::vector<MemoryLimit>& limits) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || !used_bytes) return;
  const auto total = static_cast<index_t>(limit.rlim_cur);
  limits.push_back({.name = name,
                    .scope = LimitScope::Process,
                    .id = name,
                    .total_bytes = total,
                    .free_bytes = std::max<index_t>(0, total - *used_bytes)});
}

}  // namespace

std::vector<MemoryLimit> memory_limits() {
  const std::string meminfo = text_of_file("/proc/meminfo"), status = text_of_file("/proc/self/status");
  const index_t swap_bytes = number_of_key(meminfo, "SwapFree").value_or(0);
  std::vector<MemoryLimit> limits;
  std::optional<index_t> address_space = number_of_key(status, "VmSize");
  if (address_space) *address_space -= reserved_bytes(text_of_file("/proc/self/maps"));
  add_ulimit(RLIMIT_AS, "ulimit -v", address_space, limits);
  add_ulimit(RLIMIT_DATA, "ulimit -d", number_of_key(status, "VmData"), limits);
  add_cgroups(swap_bytes, limits);
  add_host(meminfo, swap_bytes, limits);
  return limits;
}

index_t resident_bytes() { return number_of_key(text_of_file("/proc/self/status"), "VmRSS").value_or(0); }

void release_free_heap() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace parconv
