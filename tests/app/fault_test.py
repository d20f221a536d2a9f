# SPDX-License-Identifier: Apache-2.0
"""One rank fails in each phase and manner: a single error, a documented exit code, no hang, no output under its final name."""
import unittest
from concurrent.futures import ThreadPoolExecutor

from app_case import BUG, COMMUNICATION, ERROR, KILLED, OK, AppCase

PHASES = ("read", "open", "plan", "check", "create", "prepare", "verify", "run", "finish")
EXIT_CODE = 7


class Faults(AppCase):
    def start_with_fault(self, kind, phase, *options, extra=""):
        fault = f"rank=1,phase={phase},kind={kind}{extra}"
        output = f"{kind}_{phase}.h5"
        arguments = ["run", "small.onnx", "in.h5", output, "--split", "h", "--verify", "--batch", 2, *options]
        done = self.start(3, *arguments, seconds=50, PARCONV_FAULT=fault)
        self.assertFalse(output in self.leftovers(output), fault)
        return done, f"{fault}\n{done.stdout}\n{done.stderr}", self.leftovers(output)

    def expect_left(self, left, phase, output):
        """Nothing, unless all samples are on disk: then they are kept, named, and a resumed run publishes them."""
        if phase != "finish":
            self.assertEqual(left, [], output)
            return
        name = left[0].split(".partial-")[0]
        self.assertEqual(len(left), 2, output)
        self.assertIn(f"kept: 5 of 5 samples, in {name}.partial-", output)
        self.expect(OK, 2, "run", "small.onnx", "in.h5", name, "--resume", say="going on after 5 samples")
        self.assertEqual(self.leftovers(name), [name])

    def test_throw(self):
        for phase in PHASES:
            done, output, left = self.start_with_fault("throw", phase)
            self.assertEqual(done.returncode, BUG, output)
            self.assertEqual(done.stderr.count(ERROR), 1, output)
            self.assertIn("where: rank 1 on ", done.stderr, output)
            self.expect_left(left, phase, output)

    def test_throw_amid_the_run(self):
        done, output, left = self.start_with_fault("throw", "run", extra=",tick=1")
        self.assertEqual(done.returncode, BUG, output)
        self.assertIn("while running", done.stderr, output)
        self.assertEqual(left, [], output)

    def test_exit(self):
        for phase in PHASES:
            done, output, _ = self.start_with_fault("exit", phase)
            self.assertEqual(done.returncode, EXIT_CODE, output)

    def test_kill(self):
        for phase in PHASES:
            done, output, _ = self.start_with_fault("kill", phase)
            self.assertEqual(done.returncode, KILLED, output)

    def test_hang(self):
        with ThreadPoolExecutor(3) as pool:  # the ranks mostly wait
            results = list(pool.map(lambda phase: self.start_with_fault("hang", phase, "--timeout", 5), PHASES))
        for phase, (done, output, left) in zip(PHASES, results):
            self.assertEqual(done.returncode, COMMUNICATION, output)
            self.assertEqual(done.stderr.count(ERROR), 1, output)
            self.assertIn("no progress for 5 s: rank 1 does not get on with its work", done.stderr, output)
            self.expect_left(left, phase, output)

    def test_all_ranks_throw_amid_the_run(self):
        for ranks in (1, 4):
            arguments = ["run", "small.onnx", "in.h5", "all.h5", "--batch", 2]
            done = self.start(ranks, *arguments, PARCONV_FAULT="rank=all,phase=run,kind=throw,tick=1")
            self.assertEqual(done.returncode, BUG, done.stderr)
            self.assertEqual(done.stderr.count(ERROR), 1, done.stderr)
            self.assertEqual(self.leftovers("all.h5"), [])

    def test_without_a_fault_the_same_run_passes(self):
        self.expect(OK, 3, "run", "small.onnx", "in.h5", "good.h5", "--split", "h", "--verify", "--batch", 2, "--timeout", 20)


if __name__ == "__main__":
    unittest.main()
