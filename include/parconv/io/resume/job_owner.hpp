// SPDX-License-Identifier: Apache-2.0
// The job that writes an output, and whether it is still alive.
#pragma once

#include <functional>
#include <string>

#include "parconv/core/types.hpp"

namespace parconv {

/// Rank 0 of a job, as recorded beside its partial files.
struct JobOwner {
  std::string host{};
  std::string boot{};  ///< Linux's boot_id: differs between two boots, and between two machines of one name
  index_t pid = 0;
  index_t num_ranks = 1;
  index_t num_hosts = 1;
  std::string slurm_cluster{};  ///< empty outside of Slurm, as are the next two
  std::string slurm_job{};
  index_t slurm_restarts = 0;  ///< of a job that Slurm requeued

  friend bool operator==(const JobOwner&, const JobOwner&) = default;
};

/// This process as the first of `num_ranks` ranks on `num_hosts` hosts. Local.
JobOwner this_job(int num_ranks, int num_hosts);

/// "job 1234 of Slurm on node7" or "process 4711 on node7".
std::string to_string(const JobOwner& owner);

/// Outcome of locking a record: it is ours; another process holds it; the file system has no locks.
enum class LockOutcome { Taken, Held, Unavailable };

/// The state of a job in the words of squeue ("RUNNING", "COMPLETED"); "unknown" if Slurm does not know it any more, empty if
/// Slurm cannot be asked.
using SlurmQuery = std::function<std::string(const std::string& job)>;

enum class JobFate { Alive, Dead, Unsure };

/// Whether the job of `owner` still runs, seen from the job `now`. Dead only if that is certain: the lock of its record is free,
/// and all its ranks were on this host, or Slurm says that it has ended. Locks of a shared file system may be those of one host
/// only.
JobFate fate_of(const JobOwner& owner, const JobOwner& now, LockOutcome lock, const SlurmQuery& query);

}  // namespace parconv
