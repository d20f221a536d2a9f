# SPDX-License-Identifier: Apache-2.0
"""parconv_app on emulated GPUs: placement, transports, splits, refusals, and ranks that fail while others wait."""
import os
import re
import unittest

import numpy as np
from app_case import APP, BUG, COMMUNICATION, ERROR, KILLED, UNAVAILABLE, AppCase



class GpuCase(AppCase):
    program = ["env", f"LD_PRELOAD={os.environ['PARCONV_EMULATOR']}", APP]

    def run_on(self, gpus, np_, output, *options, code=0, **more):
        """Runs with `gpus` emulated GPUs, whose streams have random delays."""
        environment = {"PARCONV_EMULATOR_GPUS": str(gpus), "PARCONV_EMULATOR_DELAY": "100", **more}
        arguments = ["run", "small.onnx", "in.h5", output, "--device", "cuda", "--batch", 2, *options]
        return self.expect(code, np_, *arguments, seconds=90, **environment)


class PlacementOnGpus(GpuCase):
    def gpus_of(self, output):
        return re.findall(r"^ +\d+  \S+ +emulator +(\S+)", output, re.M)

    def test_ranks_have_gpus_of_their_own_and_use_nccl(self):
        output = self.run_on(4, 4, "own.h5", "--bind-report", "--verify").stdout
        self.assertIn("messages: NCCL", output)
        self.assertEqual(len(set(self.gpus_of(output))), 4, output)
        self.assertRegex(output, r"(?m)^ +2 .* 0-1,3$")

    def test_ranks_on_one_gpu_use_nccl_where_it_takes_them_for_hosts(self):
        self.program = ["sh", "-c", 'NCCL_HOSTID=$OMPI_COMM_WORLD_RANK exec "$@"', "sh", *GpuCase.program]
        output = self.run_on(1, 2, "hosts.h5", "--share-gpu", "--transport", "nccl", "--split", "h", "--bind-report").stdout
        self.assertIn("messages: NCCL", output)
        self.assertEqual(len(set(self.gpus_of(output))), 1, output)

    def test_visible_gpus_are_respected(self):
        output = self.run_on(4, 2, "visible.h5", "--bind-report", CUDA_VISIBLE_DEVICES="3,1").stdout
        self.assertEqual(self.gpus_of(output), ["0000:13:00.0", "0000:11:00.0"], output)


class SplitsOnGpus(GpuCase):
    def test_splits_are_bitwise_equal_to_one_rank(self):
        self.run_on(4, 1, "one.h5")
        expected = self.result("one.h5")
        for transport, split in (("nccl", "h=2,f=2"), ("nccl", "stages=2,h=2"), ("staged", "h=4")):
            with self.subTest(transport=transport, split=split):
                output = f"{transport}_{split}.h5"
                self.run_on(4, 4, output, "--split", split, "--transport", transport, "--overlap", "on", "--verify")
                np.testing.assert_array_equal(self.result(output), expected)

    def test_sums_over_ranks_are_near(self):
        self.run_on(4, 4, "sum.h5", "--split", "c", "--verify")


class RefusalsOnGpus(GpuCase):
    def test_mpi_that_takes_no_addresses_of_gpus(self):
        self.run_on(2, 2, "none.h5", "--transport", "mpi", code=UNAVAILABLE, say="--transport staged")

    def test_a_kernel_that_fails_ends_the_job(self):
        """The first rank to exit closes its connections, which the others detect before they are killed."""
        for launch in ("1", "12"):
            output = self.run_on(3, 3, "none.h5", "--split", "h", code=UNAVAILABLE, PARCONV_EMULATOR_FAULT=launch).stderr
            self.assertIn("an illegal memory access was encountered", output)
            self.assertEqual(self.leftovers("none.h5"), [])


class FaultsOnGpus(GpuCase):
    def start_with_fault(self, kind, transport, *options):
        fault = f"rank=1,phase=run,kind={kind},tick=1"
        arguments = ["run", "small.onnx", "in.h5", "none.h5", "--device", "cuda", "--transport", transport, "--split", "h",
                     "--batch", 2, *options]
        return self.start(3, *arguments, seconds=90, PARCONV_FAULT=fault, PARCONV_EMULATOR_GPUS="3")

    def test_ranks_that_fail_while_others_wait(self):
        for transport, kind, code in (("nccl", "throw", BUG), ("nccl", "kill", KILLED), ("staged", "exit", 7)):
            with self.subTest(transport=transport, kind=kind):
                done = self.start_with_fault(kind, transport)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertFalse("none.h5" in self.leftovers("none.h5"))

    def test_ranks_that_fail_while_others_wait_for_graphs(self):
        self.write("many.h5", x=np.zeros((40, 3, 21, 19), "f4"))
        for kind, code in (("throw", BUG), ("kill", KILLED), ("hang", COMMUNICATION)):
            with self.subTest(kind=kind):
                done = self.start(3, "run", "small.onnx", "many.h5", "none.h5", "--device", "cuda", "--split", "h", "--batch", 1, "--graphs", "on",
                                  "--timeout", 3, seconds=30, PARCONV_FAULT=f"rank=1,phase=run,kind={kind},tick=20", PARCONV_EMULATOR_GPUS="3")
                self.assertEqual(done.returncode, code, done.stderr)

    def test_lost_connections_are_reported(self):
        for exchange in (1, 5):  # the first one connects
            output = self.run_on(3, 3, "none.h5", "--split", "h", code=COMMUNICATION, PARCONV_EMULATOR_LOST=str(exchange)).stderr
            self.assertIn("remote process exited", output)

    def test_a_rank_that_hangs_is_noticed_in_time(self):
        done = self.start_with_fault("hang", "nccl", "--timeout", 2)
        self.assertEqual(done.returncode, COMMUNICATION, done.stderr)
        self.assertEqual(done.stderr.count(ERROR), 1, done.stderr)
        self.assertIn("no progress for 2 s", done.stderr)


if __name__ == "__main__":
    unittest.main()
