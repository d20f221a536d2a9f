// SPDX-License-Identifier: Apache-2.0
// Control groups, versions 1 and 2 (cgroups(7) of Linux): pure functions of the texts of their files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

enum class CgroupVersion { V1, V2 };

/// A control group that this process is in, or one above it.
struct CgroupFolder {
  CgroupVersion version = CgroupVersion::V2;
  std::string path{};
  bool is_own = true;  ///< false for those above it

  friend bool operator==(const CgroupFolder&, const CgroupFolder&) = default;
};

/// The control groups whose limits of `controller` ("memory", "pids") may apply to a process: from its own one up to the mount
/// point, for each hierarchy that has the controller, and for that of version 2. `memberships` is the text of /proc/PID/cgroup,
/// `mounts` that of /proc/PID/mountinfo. Where a namespace hides the own one, the mount point is taken.
std::vector<CgroupFolder> cgroup_folders(std::string_view memberships, std::string_view mounts, std::string_view controller);

/// The text of a file of a control group; empty if there is none.
using FileText = std::function<std::string(const std::string& name)>;

/// Free bytes include page cache that the kernel can drop, and the part of `swap_bytes` that the group may use.
struct CgroupMemory {
  index_t limit_bytes = 0;
  index_t free_bytes = 0;

  friend bool operator==(const CgroupMemory&, const CgroupMemory&) = default;
};

/// The memory limit of a control group; nullopt: it has none. `swap_bytes` of swap are free on the host.
std::optional<CgroupMemory> cgroup_memory(const CgroupFolder& folder, const FileText& text_of, index_t swap_bytes);

}  // namespace parconv
