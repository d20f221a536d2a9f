# SPDX-License-Identifier: Apache-2.0
"""One rank stops, hangs, is missing or dies: the job ends in time, with one message that names it."""
import os
import signal
import time
import unittest

import h5py
import numpy as np

from app_case import COMMUNICATION, ERROR, INPUT_MISSING, KILLED, OK, AppCase
from hang_case import HangCase, Job

TIMEOUT = 5  # ranks on a machine under load may come to MPI_Init seconds apart
# Beyond the timeout; the start of the job comes on top of it.
GRACE, START = 5, 10
PHASES = {"start": "starting", "place": "choosing devices", "read": "reading the model", "open": "opening the input", "plan": "planning",
          "check": "checking the programs", "create": "creating the output", "prepare": "preparing", "verify": "verifying",
          "run": "running", "finish": "finishing the output", "report": "reporting", "end": "ending"}


# Faults.test_hang has others, and ManyHangs all of them on all ranks.
SOME_PHASES = ("start", "read", "create", "run", "finish", "report", "end")


class Hangs(HangCase):
    """Phases from the first to the last, each on another rank, in one of two ways."""

    def fault(self, job):
        index, phase = job
        rank, kind = index % 3, ("stop", "hang")[index % 2]
        begin = time.monotonic()
        done = self.start(3, "run", "small.onnx", "in.h5", f"{phase}.h5", "--split", "h", "--verify", "--batch", 2, "--timeout", TIMEOUT,
                          PARCONV_FAULT=f"rank={rank},phase={phase},kind={kind}")
        return rank, kind, PHASES[phase], done.returncode, time.monotonic() - begin, f"{phase} {kind} {rank}: {done.stdout}{done.stderr}"

    def test_the_rank_is_named(self):
        for rank, kind, place, code, seconds, output in self.in_parallel(enumerate(SOME_PHASES), self.fault, 4):
            self.assertEqual(code, COMMUNICATION, output)
            self.assertLess(seconds, START + TIMEOUT + GRACE, output)
            self.assertEqual(self.named(output), (rank, place), output)
            self.assertIn("is stopped" if kind == "stop" else "does not get on", output)

    def test_a_rank_that_stops_after_the_end_of_mpi(self):
        done = self.start(3, "run", "small.onnx", "in.h5", "after.h5", "--split", "h", "--timeout", TIMEOUT, seconds=START + TIMEOUT + GRACE,
                          PARCONV_FAULT="rank=1,phase=end,kind=stop,tick=1")
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode, COMMUNICATION, output)
        self.assertEqual(self.named(output), (1, "ending"), output)

    def test_a_rank_that_never_comes_to_mpi_init(self):
        late = 'test "$OMPI_COMM_WORLD_RANK$PMI_RANK" = 1 && sleep 60; exec "$@"'
        self.program = ["sh", "-c", late, "sh", *AppCase.program]
        done = self.start(3, "run", "small.onnx", "in.h5", "late.h5", "--timeout", TIMEOUT, seconds=START + TIMEOUT + GRACE)
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode, COMMUNICATION, output)
        self.assertEqual(output.count(ERROR), 1, output)
        self.assertIn("in MPI_Init, which waits for all processes", output)


class Suspended(HangCase):
    """A job that is suspended as a whole for longer than the timeout, and continued."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.write("many.h5", x=np.ones((6000, 3, 21, 19), "f4"))

    def test_goes_on(self):
        job = Job(self, 2, "run", "small.onnx", "many.h5", "long.h5", "--split", "h", "--batch", 1, "--timeout", TIMEOUT)
        pids = job.wait_for_ranks()
        job.wait_for(lambda: self.leftovers("long.h5.partial"))
        job.signal(signal.SIGSTOP, pids)
        time.sleep(TIMEOUT + 2)
        self.assertIsNone(job.launcher.poll(), "the job must outlast its suspension")
        for pid in pids.values():
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.3)
        code, output = job.end()
        self.assertEqual(code, OK, output)
        with h5py.File(self.path("long.h5")) as file:
            self.assertEqual(file["output"][file["output"].attrs["signal"]].shape[0], 6000)


class Messages(AppCase):
    def test_have_no_banner_around_them(self):
        for ranks in (0, 2):
            done = self.start(ranks, "run", "small.onnx", "none.h5", "out.h5", "-q")
            self.assertEqual(done.returncode, INPUT_MISSING, done.stderr)
            self.assertTrue(done.stderr.startswith(ERROR), done.stderr)
            self.assertNotIn("MPI_ABORT", done.stderr)


@unittest.skipUnless(KILLED == 137, "launchers of other MPI libraries kill the other ranks at once")
class Deaths(HangCase):
    def fault(self, job):
        rank, phase, kind = job
        done = self.start(3, "run", "small.onnx", "in.h5", f"{phase}.h5", "--split", "h", "--batch", 2,
                          PARCONV_FAULT=f"rank={rank},phase={phase},kind={kind}")
        return rank, phase, done.returncode, done.stdout + done.stderr

    def test_are_reported_once(self):
        jobs = [(0, "read", "kill"), (1, "create", "kill"), (2, "run", "kill"), (1, "finish", "exit")]
        for rank, phase, _, output in self.in_parallel(jobs, self.fault):
            self.assertEqual(self.named(output), (rank, PHASES[phase]), output)
            self.assertIn("has died: killed by SIGKILL, or ended by a library", output)

    def test_a_caught_signal_has_its_name(self):
        self.write("many.h5", x=np.ones((4000, 3, 21, 19), "f4"))
        job = Job(self, 3, "run", "small.onnx", "many.h5", "long.h5", "--split", "h", "--batch", 1)
        pids = job.wait_for_ranks()
        job.wait_for(lambda: self.leftovers("long.h5.partial"))
        job.signal(signal.SIGSEGV, {1: pids[1]})
        _, output = job.end()
        self.assertEqual(self.named(output)[0], 1, output)
        self.assertIn("killed by SIGSEGV", output)


if __name__ == "__main__":
    unittest.main()
