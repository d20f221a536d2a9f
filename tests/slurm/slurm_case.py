# SPDX-License-Identifier: Apache-2.0
"""Base of the tests on a cluster: data, jobs that are slow until they are resumed, and what is left of them."""
import contextlib
import glob
import json
import os
import subprocess
import sys
import time
import unittest

import h5py
import numpy as np
from cluster import NODES, Cluster, missing

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(SOURCE, "tests/app"))
from app_case import APP, COMMUNICATION, ERROR, INPUT_MISSING, MAKE_MODELS, STOPPED  # noqa: E402,F401
from resume_case import entries_of, samples_in  # noqa: E402

# Users do not set it, and mpirun deadlocks with it on a host without ranks.
os.environ.pop("PMIX_MCA_gds", None)

SCRIPTS = {"mpirun": os.path.join(SOURCE, "slurm/run.sbatch"), "srun": os.path.join(SOURCE, "slurm/run-srun.sbatch")}
SAMPLES = 200

# A job with PARCONV_TEST_SLOW=OUTPUT has a sixth of the time from its first record to its requeue, so that it outlasts the tests; less
# with a longer PARCONV_TEST_PAUSE. $$ stays the process that becomes parconv_app.
PROGRAM = f"""#!/bin/sh
if [ -n "$PARCONV_TEST_SLOW" ] && [ "$((SLURM_RESTART_COUNT + 0))" = 0 ]; then
  (
    trap '' USR1 TERM
    until ls "$PARCONV_TEST_SLOW".partial-*.record; do kill -0 $$ && sleep 0.1 || exit; done
    sleep 0.5
    while kill -STOP $$ && sleep "${{PARCONV_TEST_PAUSE:-0.05}}" && kill -CONT $$ && sleep 0.01; do :; done
  ) >/dev/null 2>&1 &
  exec {APP} "$@" --backend reference --micro-batch 1 --checkpoint-interval 0.2
fi
exec {APP} "$@"
"""


@unittest.skipIf(missing(), f"no cluster: {missing()}")
class SlurmCase(unittest.TestCase):
    """Each class has one cluster, and there the reference "ref.h5", the output of one rank."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster([SOURCE, os.path.dirname(APP)]).__enter__()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)
        subprocess.run([MAKE_MODELS, "small", cls.path("small.onnx")], check=True)
        numbers = np.random.default_rng(2).standard_normal((SAMPLES, 3, 84, 76)).astype("f4")
        for name, array in (("many.h5", numbers), ("few.h5", numbers[:8])):
            with h5py.File(cls.path(name), "w") as file:
                file["x"] = array
        with open(cls.path("program"), "w", encoding="utf-8") as file:
            file.write(PROGRAM)
            os.fchmod(file.fileno(), 0o755)
        for data, output in (("many.h5", "ref.h5"), ("few.h5", "few-ref.h5")):
            subprocess.run([APP, "run", "small.onnx", data, output, "-q"], cwd=cls.cluster.work, check=True)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.cluster.work, name)

    def tearDown(self):
        """No job of a test disturbs the next one."""
        for node in NODES:
            self.cluster.set_link(node, "up")
        self.cluster.on_head("scancel", "--user=root")
        self.cluster.wait(lambda: not self.cluster.on_head("squeue", "--noheader").stdout.strip(), "no job is left", 60)
        self.cluster.wait_until_idle()

    def submit(self, launcher, output, *options, sbatch=(), slow=False, data="many.h5", **environment):
        environment = {"PARCONV_APP": self.path("program"), "PARCONV_TEST_SLOW": output if slow else "", **environment}
        arguments = ["--nodes=2", "--ntasks-per-node=1", *sbatch, SCRIPTS[launcher], "small.onnx", data, output, *options]
        return self.cluster.submit(*arguments, **environment)

    def output_of(self, job):
        text = ""
        for path in glob.glob(self.path(f"parconv-{job}.out")):
            with open(path, encoding="utf-8", errors="replace") as file:
                text += file.read()
        return text

    def report_of(self, job, restart=0):
        with open(self.path(f"parconv-{job}-{restart}.jsonl"), encoding="utf-8") as file:
            return json.loads(file.readline())

    def recorded(self, output):
        """Samples in the records of unfinished jobs."""
        return max((samples_in(entries_of(path)) for path in glob.glob(self.path(f"{output}.partial-*.record"))), default=0)

    def wait_for_record(self, job, output, seconds=60):
        """Until something of a slow job is recorded."""
        def holds():
            self.assertIn(self.cluster.state(job), ("PENDING", "CONFIGURING", "RUNNING"), self.output_of(job))
            return self.recorded(output) > 0

        self.cluster.wait(holds, f"job {job} has recorded something", seconds)

    def expect_end(self, job, state="COMPLETED", code="0:0", seconds=120):
        facts = self.cluster.wait_for_end(job, seconds)
        self.assertEqual((facts["JobState"], facts["ExitCode"]), (state, code), self.output_of(job))
        return facts

    def result(self, name):
        with h5py.File(self.path(name)) as file:
            return file["output"][file["output"].attrs["signal"]][...]

    def expect_result(self, output, reference="ref.h5"):
        self.assertEqual(self.result(reference).tobytes(), self.result(output).tobytes())
        self.assertEqual(self.leftovers(output), [output])

    def leftovers(self, output):
        return sorted(name for name in os.listdir(self.cluster.work) if name.startswith(output))

    def expect_resumption(self, launcher, output, recorded, **options):
        """A job with the same command goes on after at least the samples recorded, and computes nothing twice."""
        job = self.submit(launcher, output, **options)
        self.expect_end(job)
        self.expect_result(output)
        report = self.report_of(job)
        self.assertGreaterEqual(report["first_sample"], recorded)
        self.assertEqual(report["first_sample"] + report["samples"], SAMPLES)
        return job

    def ranks_on(self, node):
        return self.cluster.machines[node].processes("parconv_app")

    def wait_for_ranks(self, count, node):
        self.cluster.wait(lambda: len(self.ranks_on(node)) == count, f"{count} ranks run on {node}")

    @contextlib.contextmanager
    def within(self, seconds):
        begin = time.monotonic()
        yield
        self.assertLess(time.monotonic() - begin, seconds)

