// SPDX-License-Identifier: Apache-2.0
// The file of a record: appending, cutting, locks between processes, names; and which jobs are certainly dead.
#include "parconv/io/resume/record_file.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "parconv/core/error.hpp"
#include "parconv/io/resume/partial_names.hpp"
#include "support/temporary_folder.hpp"

namespace parconv::test {
namespace {

/// A process that locks a record and keeps it until it is killed.
class Holder {
 public:
  template <class Lock>
  Holder(const std::string& path, Lock&& lock) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      RecordFile file = RecordFile::open(path);
      const char answer = lock(file) == LockOutcome::Taken ? 'y' : 'n';
      if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    EXPECT_EQ(::read(ready[0], &answer_, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Holder() { kill(); }

  bool has_lock() const { return answer_ == 'y'; }
  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  pid_t child_ = 0;
  char answer_ = '?';
};

LockOutcome outcome(const std::string& path) { return RecordFile::open(path).lock_whole(); }

TEST(RecordFile, AppendsAfterWhatIsValid) {
  const TemporaryFolder folder;
  const std::string path = folder / "r.record";
  RecordFile file = RecordFile::create(path);
  file.append("abc");
  file.append("def");
  EXPECT_EQ(file.read(), "abcdef");
  file.cut(4);
  file.append("XY");
  EXPECT_EQ(RecordFile::open(path).read(), "abcdXY");
  EXPECT_THROW(RecordFile::create(path), Error);
  EXPECT_THROW(RecordFile::open(folder / "none"), Error);
}

TEST(RecordFile, IsLockedUntilItsLastRankEnds) {
  const TemporaryFolder folder;
  const std::string path = folder / "r.record";
  RecordFile::create(path);
  Holder first(path, [](RecordFile& file) {
    const LockOutcome whole = file.lock_whole();
    file.share_lock();
    return whole;
  });
  ASSERT_TRUE(first.has_lock());
  Holder second(path, [](RecordFile& file) { return file.lock_of_rank(1); });
  ASSERT_TRUE(second.has_lock());
  EXPECT_EQ(outcome(path), LockOutcome::Held);
  first.kill();
  EXPECT_EQ(outcome(path), LockOutcome::Held) << "rank 1 is alive";
  second.kill();
  EXPECT_EQ(outcome(path), LockOutcome::Taken);
}

TEST(PartialNames, JobsAreFoundByTheirFiles) {
  const TemporaryFolder folder;
  const std::string output = folder / "run_1:30.h5";
  EXPECT_EQ(partial_path_of(output, "7-a-1"), folder / "run_1_30.h5.partial-7-a-1");
  EXPECT_EQ(record_path_of(output, "7-a-1"), folder / "run_1_30.h5.partial-7-a-1.record");
  EXPECT_TRUE(partial_jobs_of(output).empty());
  EXPECT_TRUE(partial_jobs_of(folder / "none/out.h5").empty());
  for (const char* name : {"run_1_30.h5", "run_1_30.h5.partial-8", "run_1_30.h5.partial-7.record", "run_1_30.h5.partial-7",
                           "other.h5.partial-9", "run_1_30.h5.partial-6.record"})
    std::ofstream(folder / name) << "x";
  EXPECT_EQ(partial_jobs_of(output), (std::vector<std::string>{"6", "7", "8"}));
}

constexpr auto no_slurm = [](const std::string&) { return std::string(); };

SlurmQuery says(const std::string& state) {
  return [state](const std::string&) { return state; };
}

TEST(JobFate, OfOneHost) {
  const JobOwner now = this_job(1, 1);
  EXPECT_FALSE(now.host.empty());
  EXPECT_EQ(fate_of(this_job(4, 1), now, LockOutcome::Held, no_slurm), JobFate::Alive);
  EXPECT_EQ(fate_of(this_job(4, 1), now, LockOutcome::Taken, no_slurm), JobFate::Dead);
  EXPECT_EQ(fate_of(this_job(4, 1), now, LockOutcome::Unavailable, no_slurm), JobFate::Unsure);
  EXPECT_EQ(fate_of(this_job(4, 2), now, LockOutcome::Taken, no_slurm), JobFate::Unsure) << "ranks on another host";
}

TEST(JobFate, OfOtherHosts) {
  const JobOwner now{.host = "node1", .boot = "now"};
  EXPECT_EQ(fate_of({.host = "node1", .boot = "before"}, now, LockOutcome::Taken, no_slurm), JobFate::Dead) << "booted since";
  EXPECT_EQ(fate_of({.host = "node2", .boot = "x"}, now, LockOutcome::Taken, no_slurm), JobFate::Unsure);
  const JobOwner local{.host = "localhost", .boot = "now"};
  EXPECT_EQ(fate_of({.host = "localhost", .boot = "x"}, local, LockOutcome::Taken, no_slurm), JobFate::Unsure) << "any machine";
}

TEST(JobFate, AsSlurmSays) {
  const JobOwner owner{.host = "node2", .boot = "x", .num_hosts = 2, .slurm_cluster = "c", .slurm_job = "12"};
  JobOwner now{.host = "node1", .boot = "y", .slurm_cluster = "c", .slurm_job = "13"};
  for (const char* state : {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "unknown"})
    EXPECT_EQ(fate_of(owner, now, LockOutcome::Taken, says(state)), JobFate::Dead) << state;
  for (const char* state : {"RUNNING", "COMPLETING", "SUSPENDED", "PENDING", ""})
    EXPECT_EQ(fate_of(owner, now, LockOutcome::Taken, says(state)), JobFate::Unsure) << state;
  EXPECT_EQ(fate_of(owner, now, LockOutcome::Held, says("COMPLETED")), JobFate::Alive);
  now.slurm_cluster = "another";
  EXPECT_EQ(fate_of(owner, now, LockOutcome::Taken, says("COMPLETED")), JobFate::Unsure) << "the number of another job";
  now = {.host = "node1", .boot = "y", .slurm_cluster = "c", .slurm_job = "12", .slurm_restarts = 1};
  EXPECT_EQ(fate_of(owner, now, LockOutcome::Taken, no_slurm), JobFate::Dead) << "requeued";
  now.slurm_restarts = 0;
  EXPECT_EQ(fate_of(owner, now, LockOutcome::Taken, says("RUNNING")), JobFate::Unsure) << "another step";
}

}  // namespace
}  // namespace parconv::test
