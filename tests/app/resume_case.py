# SPDX-License-Identifier: Apache-2.0
"""Base of the tests of stopping and resuming: long runs that are disturbed, and an independent reader of records."""
import contextlib
import json
import os
import signal
import struct
import subprocess
import time

import numpy as np

from app_case import ERROR, MPIEXEC, OK, STOPPED, AppCase

SAMPLES = 200
JOB, FILES, PROGRESS, OWNER = 1, 2, 3, 4


def entries_of(path):
    """(kind, contents, end) of each whole entry; hashes are not checked."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = [], 0
    while at + 24 <= len(data):
        magic, kind, size, _ = struct.unpack_from("<4sIQQ", data, at)
        if magic != b"pcr1" or at + 24 + size > len(data):
            break
        found.append((kind, data[at + 24 : at + 24 + size], at + 24 + size))
        at += 24 + size
    return found


def samples_in(entries):
    return max((struct.unpack_from("<q", contents)[0] for kind, contents, _ in entries if kind == PROGRESS), default=0)


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


class ResumeCase(AppCase):
    """many.h5 takes seconds with plain loops, and a tenth of one with the default kernels; ref.h5 is the undisturbed result."""

    many = SAMPLES

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        numbers = np.random.default_rng(2).standard_normal((cls.many, 3, 84, 76)).astype("f4")
        cls.write("many.h5", x=numbers)
        cls("expect_reference").expect(OK, 1, "run", "small.onnx", "many.h5", "ref.h5", "--quiet")

    def launch(self, np_, output, *options, model="small.onnx", backend="reference", interval=0.05, **environment):
        """Starts a slow run in the background."""
        slow = ["--backend", backend, "--micro-batch", "1", "--checkpoint-interval", str(interval)]
        command = [MPIEXEC, "-np", str(np_), *self.program, "run", model, "many.h5", output, *slow, *map(str, options)]
        process = subprocess.Popen(command, cwd=self.folder, env={**os.environ, **environment}, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.addCleanup(self.end, process)
        return process

    def ranks_of(self, process):
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and parent_of(name) == process.pid)

    def end(self, process):
        for pid in [process.pid, *self.ranks_of(process)] if process.poll() is None else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()

    def finish(self, process, seconds=120):
        """(exit code, output) of a launched run."""
        out, error = process.communicate(timeout=seconds)
        return process.returncode, f"{out}\n{error}"

    def wait_for(self, condition, process, seconds=120):
        end = time.monotonic() + seconds
        while not condition() and process.poll() is None:
            self.assertLess(time.monotonic(), end, "nothing happened")
            time.sleep(0.005)

    def record_of(self, output):
        names = [name for name in self.leftovers(f"{output}.partial-") if name.endswith(".record")]
        return self.path(names[0]) if names else None

    def recorded(self, output):
        """Samples in the record of the only unfinished job."""
        path = self.record_of(output)
        return samples_in(entries_of(path)) if path else 0

    def kill_all(self, process):
        for pid in [*self.ranks_of(process), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()

    def interrupt(self, np_, output, *options, **environment):
        """Kills all processes of a run after its first records; returns the samples recorded."""
        process = self.launch(np_, output, *options, **environment)
        self.wait_for(lambda: self.recorded(output) > 0, process)
        self.assertIsNone(process.poll(), "the run is too short for this machine")
        self.kill_all(process)
        self.assertNotIn(output, os.listdir(self.folder))
        return self.recorded(output)

    def expect_stop(self, process, output, by):
        code, text = self.finish(process)
        self.assertEqual(code, STOPPED, text)
        self.assertNotIn(ERROR, text)
        self.assertEqual(text.count("--resume goes on"), 1, text)
        self.assertIn(f"stopped by {by} after {self.recorded(output)} of {self.many} samples", text)
        self.assertNotIn(output, os.listdir(self.folder))

    def expect_resumption(self, np_, output, *options, after=None):
        """Goes on; only what was not recorded is computed, and the bits are those of an undisturbed run."""
        recorded = self.recorded(output) if after is None else after
        done = self.expect(OK, np_, "run", "small.onnx", "many.h5", output, "--resume", "--report", "r.jsonl", *options,
                           say=f"going on after {recorded} samples")  # fmt: skip
        if recorded < self.many:
            with open(self.path("r.jsonl"), encoding="utf-8") as file:
                run = json.loads(file.readline())
            self.assertEqual((run["first_sample"], run["samples"]), (recorded, self.many - recorded))
        self.expect_reference(output)
        return done

    def expect_reference(self, output):
        self.assertEqual(self.result("ref.h5").tobytes(), self.result(output).tobytes())
        self.assertEqual(self.leftovers(output), [output])
