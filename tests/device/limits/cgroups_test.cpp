// SPDX-License-Identifier: Apache-2.0
// Control groups: literal files of version 1, of version 2, and of hosts that have both.
#include "device/limits/cgroups.hpp"

#include <gtest/gtest.h>

#include <map>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

constexpr index_t mib = index_t{1} << 20;

/// As systemd mounts version 2 alone.
constexpr const char* second_mounts =
    "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";

/// Version 1, and version 2 beside it without controllers.
constexpr const char* hybrid_mounts =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

/// A container without a namespace of its own: it sees its part of the hierarchy only.
constexpr const char* container_mounts =
    "700 600 0:32 /docker/4f2a /sys/fs/cgroup/memory ro,nosuid master:15 - cgroup cgroup rw,memory\n";

std::vector<std::string> paths(const std::vector<CgroupFolder>& folders) {
  std::vector<std::string> result;
  for (const CgroupFolder& folder : folders) result.push_back(folder.path);
  return result;
}

using Paths = std::vector<std::string>;

TEST(Cgroups, OfVersion2GoUpToTheMountPoint) {
  const auto folders = cgroup_folders("0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_3\n", second_mounts, "memory");
  const std::string slurm = "/sys/fs/cgroup/system.slice/slurmstepd.scope";
  EXPECT_EQ(paths(folders), (Paths{slurm + "/job_7/step_0/user/task_3", slurm + "/job_7/step_0/user", slurm + "/job_7/step_0",
                                   slurm + "/job_7", slurm, "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup"}));
  EXPECT_TRUE(folders.front().is_own);
  EXPECT_FALSE(folders[1].is_own);
  for (const CgroupFolder& folder : folders) EXPECT_EQ(folder.version, CgroupVersion::V2);
}

TEST(Cgroups, OfBothVersionsAreFoundByTheController) {
  constexpr const char* memberships = "9:name=systemd:/\n4:memory:/slurm/uid_0/job_1\n2:cpu,cpuacct:/x\n8:pids:/p\n0::/\n";
  EXPECT_EQ(paths(cgroup_folders(memberships, hybrid_mounts, "memory")),
            (Paths{"/sys/fs/cgroup/memory/slurm/uid_0/job_1", "/sys/fs/cgroup/memory/slurm/uid_0", "/sys/fs/cgroup/memory/slurm",
                   "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"}));
  EXPECT_EQ(paths(cgroup_folders(memberships, hybrid_mounts, "pids")),
            (Paths{"/sys/fs/cgroup/pids/p", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"}));
  EXPECT_EQ(paths(cgroup_folders(memberships, hybrid_mounts, "cpuacct")),
            (Paths{"/sys/fs/cgroup/cpu,cpuacct/x", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified"}));
}

TEST(Cgroups, OfContainersBeginAtTheirMount) {
  EXPECT_EQ(paths(cgroup_folders("4:memory:/docker/4f2a/inner\n", container_mounts, "memory")),
            (Paths{"/sys/fs/cgroup/memory/inner", "/sys/fs/cgroup/memory"}));
  EXPECT_EQ(paths(cgroup_folders("4:memory:/docker/4f2a\n", container_mounts, "memory")), (Paths{"/sys/fs/cgroup/memory"}));
  // Another container's name begins alike; a namespace may show paths outside of its root.
  EXPECT_EQ(paths(cgroup_folders("4:memory:/docker/4f2ab\n", container_mounts, "memory")), (Paths{"/sys/fs/cgroup/memory"}));
  EXPECT_EQ(paths(cgroup_folders("0::/../../other\n", second_mounts, "memory")), (Paths{"/sys/fs/cgroup"}));
}

TEST(Cgroups, MayBeMissing) {
  EXPECT_TRUE(cgroup_folders("", second_mounts, "memory").empty());
  EXPECT_TRUE(cgroup_folders("0::/a\n", "", "memory").empty());
  EXPECT_TRUE(cgroup_folders("4:memory:/a\n", second_mounts, "memory").empty()) << "version 1 is not mounted";
  EXPECT_TRUE(cgroup_folders("no colons\n1:\n:::\n", "a b c\n - \n", "memory").empty());
}

TEST(Cgroups, BlanksOfMountPointsAreWrittenInOctal) {
  EXPECT_EQ(paths(cgroup_folders("0::/a\n", "30 24 0:26 / /my\\040groups rw - cgroup2 none rw\n", "memory")),
            (Paths{"/my groups/a", "/my groups"}));
}

TEST(Cgroups, ALaterMountHidesAnEarlierOne) {
  const std::string mounts = concat(second_mounts, "50 24 0:26 / /second rw - cgroup2 none rw\n");
  EXPECT_EQ(paths(cgroup_folders("0::/\n", mounts, "memory")), (Paths{"/second"}));
}

// ---- Limits --------------------------------------------------------------------------------------------------------------

using Files = std::map<std::string, std::string>;

std::optional<CgroupMemory> memory(const CgroupFolder& folder, const Files& files, index_t swap_bytes = 0) {
  const auto text_of = [&](const std::string& name) {
    const auto found = files.find(name);
    return found == files.end() ? std::string() : found->second;
  };
  return cgroup_memory(folder, text_of, swap_bytes);
}

const CgroupFolder second{.version = CgroupVersion::V2, .path = "/g"};
const CgroupFolder first{.version = CgroupVersion::V1, .path = "/g"};
const CgroupFolder first_above{.version = CgroupVersion::V1, .path = "/", .is_own = false};

TEST(CgroupMemory, OfVersion2) {
  const Files files{{"memory.max", "1073741824\n"}, {"memory.current", "104857600\n"}};
  EXPECT_EQ(memory(second, files), (CgroupMemory{1024 * mib, 924 * mib}));
  EXPECT_EQ(memory(second, {{"memory.max", "max\n"}, {"memory.current", "104857600\n"}}), std::nullopt);
  EXPECT_EQ(memory(second, {}), std::nullopt) << "the root has no such files";
  EXPECT_EQ(memory(second, {{"memory.max", "1048576\n"}, {"memory.current", "2097152\n"}}), (CgroupMemory{mib, 0}));
}

TEST(CgroupMemory, PageCacheIsFree) {
  // Anonymous memory, and files in shared memory, are not.
  const Files files{
      {"memory.max", "1073741824"},
      {"memory.current", "943718400"},
      {"memory.stat",
       "anon 104857600\nfile 838860800\nshmem 104857600\ninactive_anon 209715200\nactive_anon 0\ninactive_file 524288000\n"
       "active_file 209715200\nslab_reclaimable 10485760\nslab_unreclaimable 1048576\n"}};
  EXPECT_EQ(memory(second, files), (CgroupMemory{1024 * mib, (1024 - 900 + 500 + 200 + 10) * mib}));
}

TEST(CgroupMemory, SwapThatTheGroupMayUseIsFree) {
  Files files{{"memory.max", "1073741824"}, {"memory.current", "0"}};
  EXPECT_EQ(memory(second, files, 64 * mib)->free_bytes, 1088 * mib) << "no limit on swap";
  files["memory.swap.max"] = "0\n";
  EXPECT_EQ(memory(second, files, 64 * mib)->free_bytes, 1024 * mib);
  files["memory.swap.max"] = "33554432\n";
  files["memory.swap.current"] = "1048576\n";
  EXPECT_EQ(memory(second, files, 64 * mib)->free_bytes, (1024 + 31) * mib);
  EXPECT_EQ(memory(second, files, 16 * mib)->free_bytes, (1024 + 16) * mib) << "the host has less";
  files["memory.swap.max"] = "max\n";
  EXPECT_EQ(memory(second, files, 64 * mib)->free_bytes, 1088 * mib);
}

TEST(CgroupMemory, OfVersion1) {
  const Files files{
      {"memory.limit_in_bytes", "536870912\n"},
      {"memory.usage_in_bytes", "314572800\n"},
      {"memory.stat", "cache 1\nrss 2\ninactive_file 5\ntotal_inactive_file 104857600\ntotal_active_file 52428800\n"},
      {"memory.memsw.limit_in_bytes", "536870912\n"}};
  EXPECT_EQ(memory(first, files, 64 * mib), (CgroupMemory{512 * mib, (512 - 300 + 100 + 50) * mib}));
  const Files unlimited{{"memory.limit_in_bytes", "9223372036854771712\n"}, {"memory.usage_in_bytes", "314572800\n"}};
  EXPECT_EQ(memory(first, unlimited), std::nullopt);
  const Files beyond{{"memory.limit_in_bytes", "18446744073709551615\n"}, {"memory.usage_in_bytes", "1\n"}};
  EXPECT_EQ(memory(first, beyond), std::nullopt);
}

TEST(CgroupMemory, GroupsOfVersion1AboveTheOwnCountIfTheyAreHierarchical) {
  Files files{{"memory.limit_in_bytes", "1048576\n"}, {"memory.usage_in_bytes", "0\n"}, {"memory.use_hierarchy", "0\n"}};
  EXPECT_EQ(memory(first, files), (CgroupMemory{mib, mib}));
  EXPECT_EQ(memory(first_above, files), std::nullopt);
  files["memory.use_hierarchy"] = "1\n";
  EXPECT_EQ(memory(first_above, files), (CgroupMemory{mib, mib}));
  files.erase("memory.use_hierarchy");  // newer kernels know nothing else
  EXPECT_EQ(memory(first_above, files), (CgroupMemory{mib, mib}));
}

}  // namespace
}  // namespace parconv::test
