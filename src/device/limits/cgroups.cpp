// SPDX-License-Identifier: Apache-2.0
#include "device/limits/cgroups.hpp"

#include <algorithm>

#include "device/limits/kernel_texts.hpp"

namespace parconv {
namespace {

/// Version 1 has no word for "no limit": it is the largest multiple of a page.
constexpr index_t least_unlimited = index_t{1} << 60;

bool has(std::string_view list, std::string_view word) {
  const std::vector<std::string_view> words = split(list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Blanks and backslashes of paths are written as octal numbers: "\040".
std::string unescaped(std::string_view text) {
  std::string result;
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t k = 0; k < text.size(); ++k) {
    const bool is_escape = text[k] == '\\' && k + 3 < text.size() && std::all_of(&text[k + 1], &text[k + 4], is_octal);
    if (is_escape) {
      result += static_cast<char>((text[k + 1] - '0') * 64 + (text[k + 2] - '0') * 8 + (text[k + 3] - '0'));
      k += 3;
    } else {
      result += text[k];
    }
  }
  return result;
}

struct Mount {
  std::string root{};   ///< the part of the hierarchy that is mounted
  std::string point{};  ///< where
};

/// Line of mountinfo: "36 35 0:32 ROOT POINT rw,relatime [TAG]... - TYPE SOURCE OPTIONS".
std::optional<Mount> mount_in(std::string_view line, std::string_view type, std::string_view controller) {
  const std::vector<std::string_view> words = split(line, ' ');
  const auto dash = std::find(words.begin(), words.end(), "-");
  const auto after = static_cast<std::size_t>(words.end() - dash);
  if (words.size() < 6 || after < 2 || dash[1] != type) return std::nullopt;
  if (!controller.empty() && (after < 4 || !has(dash[3], controller))) return std::nullopt;
  return Mount{.root = unescaped(words[3]), .point = unescaped(words[4])};
}

/// A later mount hides earlier ones.
std::optional<Mount> find_mount(std::string_view mounts, std::string_view type, std::string_view controller) {
  std::optional<Mount> found;
  for (const std::string_view line : split(mounts, '\n'))
    if (auto mount = mount_in(line, type, controller)) found = std::move(mount);
  return found;
}

/// `path` below the root of a mount; empty for the root, and for what is outside of it.
std::string_view path_within(std::string_view path, std::string_view root) {
  if (root != "/") {
    if (!path.starts_with(root) || (path.size() > root.size() && path[root.size()] != '/')) return {};
    path.remove_prefix(root.size());
  }
  const std::vector<std::string_view> parts = split(path, '/');
  const bool leaves = std::find(parts.begin(), parts.end(), "..") != parts.end();
  return leaves || path == "/" ? std::string_view() : path;
}

void add_folders(CgroupVersion version, const Mount& mount, std::string_view path, std::vector<CgroupFolder>& folders) {
  std::string_view within = path_within(path, mount.root);
  for (bool is_own = true;; is_own = false) {
    folders.push_back({.version = version, .path = mount.point + std::string(within), .is_own = is_own});
    if (within.empty()) return;
    within = within.substr(0, within.rfind('/'));
  }
}

/// Bytes that the kernel drops before it fails an allocation.
index_t droppable_bytes(CgroupVersion version, std::string_view stat) {
  const auto bytes = [&](std::string_view key) { return number_of_key(stat, key).value_or(0); };
  if (version == CgroupVersion::V1) return bytes("total_inactive_file") + bytes("total_active_file");
  return bytes("inactive_file") + bytes("active_file") + bytes("slab_reclaimable");
}

/// The free swap that the group may use beside its memory.
index_t usable_swap(const CgroupFolder& folder, const FileText& text_of, index_t limit, index_t swap_bytes) {
  const bool is_first = folder.version == CgroupVersion::V1;
  const auto most = leading_number(text_of(is_first ? "memory.memsw.limit_in_bytes" : "memory.swap.max"));
  if (!most) return swap_bytes;
  const index_t room = is_first ? *most - limit : *most - leading_number(text_of("memory.swap.current")).value_or(0);
  return std::clamp<index_t>(room, 0, swap_bytes);
}

}  // namespace

std::vector<CgroupFolder> cgroup_folders(std::string_view memberships, std::string_view mounts, std::string_view controller) {
  std::vector<CgroupFolder> folders;
  for (const std::string_view line : split(memberships, '\n')) {  // "4:cpu,memory:/path", in version 2 "0::/path"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_second = controllers.empty() && line.substr(0, first) == "0";
    if (!is_second && !has(controllers, controller)) continue;
    const auto mount = is_second ? find_mount(mounts, "cgroup2", {}) : find_mount(mounts, "cgroup", controller);
    if (mount) add_folders(is_second ? CgroupVersion::V2 : CgroupVersion::V1, *mount, line.substr(second + 1), folders);
  }
  return folders;
}

std::optional<CgroupMemory> cgroup_memory(const CgroupFolder& folder, const FileText& text_of, index_t swap_bytes) {
  const bool is_first = folder.version == CgroupVersion::V1;
  // Of version 1, groups above the own one count only if they are hierarchical.
  if (is_first && !folder.is_own && leading_number(text_of("memory.use_hierarchy")) == 0) return std::nullopt;
  const auto limit = leading_number(text_of(is_first ? "memory.limit_in_bytes" : "memory.max"));
  const auto used = leading_number(text_of(is_first ? "memory.usage_in_bytes" : "memory.current"));
  if (!limit || !used || *limit >= least_unlimited) return std::nullopt;
  const index_t held = std::max<index_t>(0, *used - droppable_bytes(folder.version, text_of("memory.stat")));
  const index_t free = std::max<index_t>(0, *limit - held) + usable_swap(folder, text_of, *limit, swap_bytes);
  return CgroupMemory{.limit_bytes = *limit, .free_bytes = free};
}

}  // namespace parconv
