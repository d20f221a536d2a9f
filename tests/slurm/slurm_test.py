# SPDX-License-Identifier: Apache-2.0
"""The scripts, the launchers and the heartbeats on a real Slurm of two nodes: each class is a test of its own."""
import json
import os
import re
import shutil
import time
import unittest

from cluster import ADDRESSES, NODE_DEATH_SECONDS, NODES
from slurm_case import APP, COMMUNICATION, ERROR, INPUT_MISSING, SAMPLES, SCRIPTS, STOPPED, SlurmCase

LAUNCHERS = tuple(SCRIPTS)


class Scripts(SlurmCase):
    """Both scripts, as they are shipped."""

    def test_two_nodes(self):
        jobs = {}
        for launcher in LAUNCHERS:
            jobs[launcher] = self.submit(launcher, f"{launcher}.h5", "--split", "h", sbatch=["--ntasks-per-node=2"])
        for launcher, job in jobs.items():
            self.expect_end(job)
            self.expect_result(f"{launcher}.h5")
            report = self.report_of(job)
            self.assertEqual((report["ranks"], report["hosts"]), (4, 2))
            self.assertGreater(report["sent_bytes"], 0)

    def test_arrays(self):
        for number in (3, 4):
            shutil.copy(self.path("few.h5"), self.path(f"few-{number}.h5"))
        for launcher in LAUNCHERS:
            job = self.submit(launcher, f"{launcher}-%a.h5", sbatch=["--array=3-4"], data="few-%a.h5")
            for number in (3, 4):
                self.expect_end(f"{job}_{number}")
                self.expect_result(f"{launcher}-{number}.h5", "few-ref.h5")

    def test_exit_codes(self):
        jobs = {}
        for launcher in LAUNCHERS:
            jobs[launcher] = self.submit(launcher, "none.h5", data="no-such-file.h5")
            self.expect_end(self.cluster.submit("--ntasks-per-node=1", SCRIPTS[launcher], "small.onnx"), "FAILED", "2:0")
        for job in jobs.values():
            self.expect_end(job, "FAILED", f"{INPUT_MISSING}:0")
            self.assertEqual(self.output_of(job).count(ERROR), 1, self.output_of(job))


class TimeLimits(SlurmCase):
    """A job that is too long for its limit is stopped before it, queued again, and goes on. Slurm looks twice a minute, and sends the
    signal up to a minute early."""

    def test_requeue(self):
        jobs = {}
        for launcher in LAUNCHERS:
            jobs[launcher] = self.submit(launcher, f"{launcher}.h5", "--split", "h", sbatch=["--time=1", "--signal=B:USR1@20"], slow=True,
                                         PARCONV_TEST_PAUSE="0.7")  # fmt: skip
        for launcher, job in jobs.items():
            facts = self.expect_end(job, seconds=200)
            output = self.output_of(job)
            self.assertEqual(facts["Restarts"], "1", output)
            stopped = int(re.search(rf"stopped by SIGUSR1 after (\d+) of {SAMPLES} samples", output)[1])
            self.assertIn(f"going on after {stopped} samples that job {job} of Slurm on n1 computed", output)
            report = self.report_of(job, 1)
            self.assertEqual((report["first_sample"], report["samples"]), (stopped, SAMPLES - stopped))
            self.expect_result(f"{launcher}.h5")


class Requests(SlurmCase):
    """Stops, and USR1 by scancel: to steps alone it ends the job; with --batch or --full the script queues the job again."""

    def request(self, launcher, *flags):
        output = "-".join([launcher, *(flag.strip("-") for flag in flags)]) + ".h5"
        job = self.submit(launcher, output, "--split", "h", slow=True)
        self.wait_for_record(job, output)
        self.cluster.expect("scancel", "--signal=USR1", *flags, job)
        return job, output

    def test_to_the_ranks(self):
        for launcher in LAUNCHERS:
            job, output = self.request(launcher)
            self.expect_end(job, "FAILED", f"{STOPPED}:0", seconds=30)
            self.assertIn("stopped by SIGUSR1", self.output_of(job))
            self.expect_resumption(launcher, output, self.recorded(output))

    def test_stop_file(self):
        """On one node, where mpirun has no step that scancel could reach."""
        job = self.submit("mpirun", "stop.h5", "--split", "h", sbatch=["--nodes=1", "--ntasks-per-node=2"], slow=True)
        self.wait_for_record(job, "stop.h5")
        with open(self.path("stop.h5.stop"), "w", encoding="utf-8"):
            pass
        self.expect_end(job, "FAILED", f"{STOPPED}:0", seconds=30)
        self.expect_resumption("srun", "stop.h5", self.recorded("stop.h5"))

    def test_to_the_script_too(self):
        for launcher in LAUNCHERS:
            for flag in ("--batch", "--full"):
                job, output = self.request(launcher, flag)
                self.assertEqual(self.expect_end(job, seconds=60)["Restarts"], "1")
                self.assertEqual(self.output_of(job).count("stopped by SIGUSR1"), 1)
                self.assertGreater(self.report_of(job, 1)["first_sample"], 0)
                self.expect_result(output)

    def test_not_queued_again_for_ever(self):
        job = self.submit("srun", "limited.h5", slow=True, PARCONV_MAX_RESTARTS="0")
        self.wait_for_record(job, "limited.h5")
        self.cluster.expect("scancel", "--signal=USR1", "--batch", job)
        self.expect_end(job, "FAILED", f"{STOPPED}:0", seconds=30)
        self.assertIn("not queued again after 0 restarts", self.output_of(job))


class Cancellation(SlurmCase):
    def test_the_last_record_holds(self):
        for launcher in LAUNCHERS:
            for flags in ((), ("--signal=KILL", "--full")):
                output = f"{launcher}{len(flags)}.h5"
                job = self.submit(launcher, output, "--split", "h", slow=True)
                self.wait_for_record(job, output)
                self.cluster.expect("scancel", *flags, job)
                self.cluster.wait_for_end(job, 30)
                recorded = self.recorded(output)
                self.assertEqual(len(self.leftovers(output)), 2)
                self.assertLess(recorded, SAMPLES)
                self.expect_resumption(launcher, output, recorded)

    def discard(self, output):
        """Of the files of another job; on a node, since they were those of jobs of this cluster."""
        command = ["srun", "--nodes=1", "--ntasks=1", "--mpi=pmix", APP, "run", "small.onnx", "many.h5", output, "--discard-partial", "--force"]
        return self.cluster.expect(*command)

    def test_files_are_discarded_when_slurm_says_that_the_job_has_ended(self):
        """A copy of the files is what a host sees whose file system does not share locks."""
        job = self.submit("srun", "live.h5", slow=True)
        self.wait_for_record(job, "live.h5")
        os.mkdir(self.path("copy"))
        for name in self.leftovers("live.h5.partial-"):
            shutil.copy(self.path(name), self.path("copy"))
        self.assertEqual(self.discard("live.h5").count("its job is running"), 1)
        self.assertEqual(self.discard("copy/live.h5").count("its job may be running"), 1)
        self.cluster.expect("scancel", job)
        self.cluster.wait_for_end(job, 30)
        for output in ("live.h5", "copy/live.h5"):
            self.assertEqual(self.discard(output).count("note: removed"), 1)
        self.assertEqual(os.listdir(self.path("copy")), ["live.h5"])
        self.expect_result("live.h5")


class Suspension(SlurmCase):
    def test_longer_than_the_timeout(self):
        jobs = {}
        for launcher in LAUNCHERS:
            jobs[launcher] = self.submit(launcher, f"{launcher}.h5", "--split", "h", "--timeout", "5", slow=True)
        for launcher, job in jobs.items():
            self.wait_for_record(job, f"{launcher}.h5")
            self.cluster.expect("scontrol", "suspend", job)
        recorded = {launcher: self.recorded(f"{launcher}.h5") for launcher in jobs}
        time.sleep(10)
        for launcher, job in jobs.items():
            self.assertEqual(self.cluster.state(job), "SUSPENDED", self.output_of(job))
            self.cluster.expect("scontrol", "resume", job)
        for launcher, job in jobs.items():
            output = f"{launcher}.h5"
            self.cluster.wait(lambda out=output, name=launcher: self.recorded(out) > recorded[name] + 2, f"{output} goes on")
            self.cluster.expect("scancel", "--signal=USR1", "--batch", job)
            self.expect_end(job, seconds=60)
            self.assertNotIn(ERROR, self.output_of(job))
            self.expect_result(output)


class Launchers(SlurmCase):
    """All ways to start a job in an allocation, and commands without a launcher in each."""

    def run_few(self, output, *launcher, code=0, ranks=None, **environment):
        report = output.replace(".h5", ".jsonl")
        command = [*launcher, APP, "run", "small.onnx", "few.h5", output, "--report", report]
        text = self.cluster.expect(*command, code=code, seconds=40, **environment)
        if code == 0:
            self.expect_result(output, "few-ref.h5")
            with open(self.path(report), encoding="utf-8") as file:
                self.assertEqual(json.loads(file.readline())["ranks"], ranks, text)
        return text

    @staticmethod
    def in_terminal(command):
        """script has a terminal; srun --pty wants one."""
        return ["script", "--quiet", "--return", "--command", command, "/dev/null"]

    def test_salloc(self):
        allocation = ["salloc", "--nodes=2", "--ntasks=4"]
        self.run_few("mpirun.h5", *allocation, "mpirun", ranks=4)
        self.run_few("srun.h5", *allocation, "srun", "--mpi=pmix", ranks=4)
        self.run_few("alone.h5", *allocation, ranks=1)

    def test_pty(self):
        """A shell on a node. Over several nodes mpirun starts its daemons by srun, which must share the allocation with the shell."""
        run = f"{APP} run small.onnx few.h5"
        for mpi in ("none", "pmix"):
            shell = f"srun --nodes=1 --ntasks=1 --cpus-per-task=2 --mpi={mpi} --pty"
            self.cluster.expect(*self.in_terminal(f"{shell} mpirun --oversubscribe -np 2 {run} {mpi}.h5"), seconds=40)
            self.expect_result(f"{mpi}.h5", "few-ref.h5")
        shell = "salloc --nodes=2 --ntasks=4 srun --overlap --nodes=1 --ntasks=1 --mpi=none --pty"
        self.cluster.expect(*self.in_terminal(f"{shell} mpirun {run} nodes.h5"), seconds=40)
        self.expect_result("nodes.h5", "few-ref.h5")

    def test_srun(self):
        self.run_few("step.h5", "srun", "--nodes=2", "--ntasks=4", "--mpi=pmix", ranks=4)

    def test_srun_without_pmix_computes_nothing(self):
        """Open MPI 4 ends the processes itself, with 1; other libraries let each see one rank."""
        command = ["srun", "--nodes=2", "--ntasks=4", "--mpi=none", APP, "run", "small.onnx", "few.h5", "nothing.h5"]
        done = self.cluster.on_head(*command)
        self.assertIn(done.returncode, (1, 78), done.stdout)
        self.assertEqual(done.stdout.count(ERROR), 0 if done.returncode == 1 else 1, done.stdout)
        self.assertEqual(self.leftovers("nothing.h5"), [])

    def test_commands_without_a_launcher(self):
        commands = {"input of 8 samples": ["inspect", "few.h5"], "Usage: parconv_app run": ["run", "--help"],
                    "memory per rank": ["run", "small.onnx", "few.h5", "dry.h5", "--dry-run", "--ranks", "4"]}  # fmt: skip
        four = ["--nodes=2", "--ntasks=4"]
        for say, command in commands.items():
            whole = [APP, *command]
            steps = [["salloc", *four, *whole], ["salloc", *four, "mpirun", *whole], ["srun", *four, "--mpi=none", *whole],
                     ["srun", *four, "--mpi=pmix", *whole], self.in_terminal(f"srun --ntasks=1 --mpi=none --pty {' '.join(whole)}")]  # fmt: skip
            for step in steps:
                text = self.cluster.expect(*step, seconds=30)
                self.assertEqual(text.count(say), 1, f"{step}: {text}")


class Nodes(SlurmCase):
    """A node is lost with all its processes."""

    def test_jobs_are_queued_again(self):
        """mpirun ends at once with 205, and the script queues the job again; srun waits for Slurm, which does so itself."""
        for launcher in LAUNCHERS:
            output = f"{launcher}.h5"
            job = self.submit(launcher, output, "--split", "h", slow=True)
            self.wait_for_record(job, output)
            recorded = self.recorded(output)
            self.cluster.power_off("n2")
            try:
                self.cluster.wait(lambda: not self.ranks_on("n1"), "the ranks end", 3 * NODE_DEATH_SECONDS)
                self.cluster.wait_for_state(job, ("PENDING",))
            finally:
                self.cluster.power_on("n2")
            self.assertEqual(self.expect_end(job)["Restarts"], "1")
            self.assertGreaterEqual(self.report_of(job, 1)["first_sample"], recorded)
            self.expect_result(output)


class Network(SlurmCase):
    """Heartbeats between hosts."""

    TIMEOUT, GRACE, START = 5, 5, 10

    def sockets(self, node):
        """Addresses of the datagram sockets of parconv_app."""
        lines = self.cluster.machines[node].run("ss", "--no-header", "-anup").stdout.splitlines()
        return [line.split()[3].rpartition(":")[0] for line in lines if "parconv_app" in line]

    def test_a_port_only_in_jobs_of_several_hosts(self):
        job = self.submit("srun", "two.h5", "--split", "h", sbatch=["--ntasks-per-node=2"], slow=True)
        self.wait_for_record(job, "two.h5")
        self.assertEqual({node: self.sockets(node) for node in NODES}, {node: [ADDRESSES[node]] for node in NODES})
        self.cluster.expect("scancel", job)
        self.cluster.wait_for_end(job, 30)
        job = self.submit("srun", "one.h5", "--split", "h", sbatch=["--nodes=1", "--ntasks-per-node=2"], slow=True)
        self.wait_for_record(job, "one.h5")
        self.assertEqual({node: self.sockets(node) for node in NODES}, {node: [] for node in NODES})

    def expect_message(self, launcher, fault, rank, host):
        output = f"{launcher}{rank}.h5"
        begin = time.monotonic()
        job = self.submit(launcher, output, "--split", "h", "--timeout", self.TIMEOUT, sbatch=["--ntasks-per-node=2"], PARCONV_FAULT=fault)
        # srun ends the stopped rank by SIGTERM, and returns the largest code.
        self.expect_end(job, "FAILED", "143:0" if launcher == "srun" else f"{COMMUNICATION}:0", seconds=60)
        self.assertLess(time.monotonic() - begin, self.START + self.TIMEOUT + self.GRACE)
        text = self.output_of(job)
        self.assertEqual(text.count(ERROR), 1, text)
        self.assertRegex(text, rf"no progress for {self.TIMEOUT} s: rank {rank} is stopped")
        self.assertRegex(text, rf"where: rank {rank} on {host}, while running")

    def test_a_stopped_rank_is_named(self):
        for launcher in LAUNCHERS:
            for rank, host in ((0, "n1"), (3, "n2")):
                self.expect_message(launcher, f"rank={rank},phase=run,kind=stop", rank, host)

    def test_a_link_is_lost(self):
        for launcher in LAUNCHERS:
            output = f"link-{launcher}.h5"
            job = self.submit(launcher, output, "--split", "h", "--timeout", self.TIMEOUT, slow=True)
            self.wait_for_record(job, output)
            self.cluster.set_link("n2", "down")
            with self.within(self.TIMEOUT + self.GRACE):
                self.cluster.wait(lambda: not self.ranks_on("n1") and not self.ranks_on("n2"), "the ranks end")
            # mpirun waits for the lost node, until Slurm notices and queues the job again.
            states = ("FAILED", "PENDING") if launcher == "mpirun" else ("FAILED",)
            self.cluster.wait_for_state(job, states, 3 * NODE_DEATH_SECONDS + 30)
            text = self.output_of(job)
            self.assertEqual(text.count(ERROR), 1, text)
            self.assertIn("rank 1 does not react: it is stopped, or its host is unreachable\n  where: rank 1 on n2", text)
            self.cluster.on_head("scancel", job)
            self.cluster.set_link("n2", "up")


if __name__ == "__main__":
    unittest.main()
