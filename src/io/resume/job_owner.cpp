// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/resume/job_owner.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr std::array ended_states{"BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE", "FAILED",
                                  "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",  "TIMEOUT"};

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

/// The same host, running since or started anew since. Two machines may both be called localhost.
bool is_same_host(const JobOwner& owner, const JobOwner& now) {
  if (!owner.boot.empty() && owner.boot == now.boot) return true;
  return !owner.host.empty() && owner.host == now.host && !owner.host.starts_with("localhost");
}

/// A requeued job has the number of the one that ended.
bool is_requeued(const JobOwner& owner, const JobOwner& now) {
  return owner.slurm_job == now.slurm_job && owner.slurm_restarts < now.slurm_restarts;
}

bool has_ended(const std::string& state) {
  return std::any_of(ended_states.begin(), ended_states.end(), [&](const char* each) { return state.starts_with(each); });
}

bool slurm_says_dead(const JobOwner& owner, const JobOwner& now, const SlurmQuery& query) {
  // Numbers of jobs belong to a cluster.
  if (owner.slurm_job.empty() || owner.slurm_cluster != now.slurm_cluster) return false;
  if (is_requeued(owner, now)) return true;
  const std::string state = query ? query(owner.slurm_job) : std::string();
  return has_ended(state) || (state == "unknown" && !owner.slurm_cluster.empty());
}

}  // namespace

JobOwner this_job(int num_ranks, int num_hosts) {
  return {.host = host_name(),
          .boot = boot_id(),
          .pid = ::getpid(),
          .num_ranks = num_ranks,
          .num_hosts = num_hosts,
          .slurm_cluster = variable("SLURM_CLUSTER_NAME"),
          .slurm_job = variable("SLURM_JOB_ID"),
          .slurm_restarts = std::atoll(variable("SLURM_RESTART_COUNT").c_str())};
}

std::string to_string(const JobOwner& owner) {
  if (!owner.slurm_job.empty()) return concat("job ", owner.slurm_job, " of Slurm on ", owner.host);
  return concat("process ", owner.pid, " on ", owner.host);
}

JobFate fate_of(const JobOwner& owner, const JobOwner& now, LockOutcome lock, const SlurmQuery& query) {
  if (lock == LockOutcome::Held) return JobFate::Alive;
  if (slurm_says_dead(owner, now, query)) return JobFate::Dead;
  // On one host locks are reliable: the kernel frees them when the last rank ends.
  const bool is_dead = lock == LockOutcome::Taken && owner.num_hosts == 1 && is_same_host(owner, now);
  return is_dead ? JobFate::Dead : JobFate::Unsure;
}

}  // namespace parconv
