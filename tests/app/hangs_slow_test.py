# SPDX-License-Identifier: Apache-2.0
"""At least 200 injected hangs over all phases after MPI_Init and all ranks: 95 % of the messages name the right rank."""
import os
import random
import signal
import time
import unittest

import numpy as np

from app_case import COMMUNICATION
from hang_case import HangCase, Job
from hang_test import GRACE, PHASES

TIMEOUT = 5
START = 20  # of a job on a machine under load; stops are timed without it
RANKS = 4
RANDOM_STOPS = 100
LEAST_SHARE = 0.95


class ManyHangs(HangCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.write("many.h5", x=np.ones((3000, 3, 21, 19), "f4"))

    def fault(self, job):
        """A rank hangs or stops at the begin of a phase. Wrong if it is not named, or the phase is not, or the job ends late."""
        phase, rank, kind = job
        started = Job(self, RANKS, "run", "small.onnx", "in.h5", f"{phase}{rank}{kind}.h5", "--split", random.choice("hnfw"), "--verify",
                      "--timeout", TIMEOUT, PARCONV_FAULT=f"rank={rank},phase={phase},kind={kind}")
        code, output = started.end()
        seconds = time.monotonic() - started.begin
        if "MPI_Init" in output:
            return None, ""
        is_right = (code == COMMUNICATION and self.named(output) == (rank, PHASES[phase]) and seconds < START + TIMEOUT + GRACE)
        is_right = is_right or (code is False and self.named(output) == (rank, PHASES[phase]))
        return is_right, f"{job}: {code} after {seconds:.1f} s: {output}"

    def stop(self, seed):
        """A rank is stopped at any time of a run. None if that was before MPI_Init returned, or after the end."""
        numbers = random.Random(seed)
        rank = numbers.randrange(RANKS)
        job = Job(self, RANKS, "run", "small.onnx", "many.h5", f"stop{seed}.h5", "--split", numbers.choice("hnfw"), "--batch",
                  numbers.choice((1, 50)), "--timeout", TIMEOUT, "-q")
        try:
            pids = job.wait_for_ranks()
        except AssertionError as error:  # a machine under load
            return None, str(error)
        time.sleep(numbers.uniform(0.1, 2.5))
        try:
            os.kill(pids[rank], signal.SIGSTOP)
        except ProcessLookupError:
            pass
        begin = time.monotonic()
        code, output = job.end()
        for name in self.leftovers(f"stop{seed}.h5"):
            os.unlink(self.path(name))
        if code == 0 or "MPI_Init" in output:
            return None, ""
        is_right = code == COMMUNICATION and self.named(output)[0] == rank and time.monotonic() - begin < TIMEOUT + GRACE
        is_right = is_right or (code is False and self.named(output)[0] == rank)
        return is_right, f"stop {seed} of rank {rank}: {code} after {time.monotonic() - begin:.1f} s: {output}"

    def test_are_named(self):
        jobs = [(phase, rank, kind) for phase in PHASES for rank in range(RANKS) for kind in ("hang", "stop")]
        results = self.in_parallel(jobs, self.fault)
        seeds = iter(range(1000))
        while sum(result[0] is not None for result in results) < len(jobs) + RANDOM_STOPS:
            results += self.in_parallel([next(seeds) for _ in range(12)], self.stop)
        counted = [result for result in results if result[0] is not None]
        wrong = [text for is_right, text in counted if not is_right]
        print(f"\n{len(counted) - len(wrong)} of {len(counted)} hangs were named rightly and in time")
        print(sum(": False after" in text for _, text in counted), "launchers hung after their ranks had ended")
        print("\n".join(wrong))
        self.assertGreaterEqual(len(counted), 200)
        self.assertGreaterEqual(len(counted) - len(wrong), LEAST_SHARE * len(counted), "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
