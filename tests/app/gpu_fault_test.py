"""parconv_app on GPUs, by the stand-in for CUDA: placement, transports, splits, refusals, and ranks that fail while others wait."""
import os
import re
import unittest

import numpy as np
from app_case import APP, BUG, COMMUNICATION, ERROR, UNAVAILABLE, AppCase

KILLED = 137


class GpuCase(AppCase):
    program = ["env", f"LD_PRELOAD={os.environ['PARCONV_STAND_IN']}", APP]

    def run_on(self, gpus, np_, output, *options, code=0, **more):
        """`gpus` are those of the host; their streams are late now and then."""
        environment = {"PARCONV_STAND_IN_GPUS": str(gpus), "PARCONV_STAND_IN_DELAY": "100", **more}
        arguments = ["run", "small.onnx", "in.h5", output, "--device", "cuda", "--batch", 2, *options]
        return self.expect(code, np_, *arguments, seconds=90, **environment)


class PlacementOnGpus(GpuCase):
    def gpus_of(self, told):
        return re.findall(r"^ +\d+  \S+ +stand-in +(\S+)", told, re.M)

    def test_ranks_have_gpus_of_their_own_and_use_nccl(self):
        told = self.run_on(4, 4, "own.h5", "--bind-report", "--verify").stdout
        self.assertIn("messages: NCCL", told)
        self.assertEqual(len(set(self.gpus_of(told))), 4, told)
        self.assertRegex(told, r"(?m)^ +2 .* 0-1,3$")

    def test_ranks_on_one_gpu_use_nccl_where_it_takes_them_for_hosts(self):
        self.program = ["sh", "-c", 'NCCL_HOSTID=$OMPI_COMM_WORLD_RANK exec "$@"', "sh", *GpuCase.program]
        told = self.run_on(1, 2, "hosts.h5", "--share-gpu", "--transport", "nccl", "--split", "h", "--bind-report").stdout
        self.assertIn("messages: NCCL", told)
        self.assertEqual(len(set(self.gpus_of(told))), 1, told)

    def test_visible_gpus_are_respected(self):
        told = self.run_on(4, 2, "visible.h5", "--bind-report", CUDA_VISIBLE_DEVICES="3,1").stdout
        self.assertEqual(self.gpus_of(told), ["0000:13:00.0", "0000:11:00.0"], told)


class SplitsOnGpus(GpuCase):
    def test_splits_give_the_bits_of_one_rank(self):
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
        """The first rank that ends closes its connections, which the others notice before they are ended."""
        for launch in ("1", "12"):
            told = self.run_on(3, 3, "none.h5", "--split", "h", code=UNAVAILABLE, PARCONV_STAND_IN_FAULT=launch).stderr
            self.assertIn("an illegal memory access was encountered", told)
            self.assertEqual(self.leftovers("none.h5"), [])


class FaultsOnGpus(GpuCase):
    def start_with_fault(self, kind, transport, *options):
        fault = f"rank=1,phase=run,kind={kind},tick=1"
        arguments = ["run", "small.onnx", "in.h5", "none.h5", "--device", "cuda", "--transport", transport, "--split", "h",
                     "--batch", 2, *options]
        return self.start(3, *arguments, seconds=90, PARCONV_FAULT=fault, PARCONV_STAND_IN_GPUS="3")

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
                                  "--timeout", 3, seconds=30, PARCONV_FAULT=f"rank=1,phase=run,kind={kind},tick=20", PARCONV_STAND_IN_GPUS="3")
                self.assertEqual(done.returncode, code, done.stderr)

    def test_lost_connections_are_told(self):
        for exchange in (1, 5):  # the first makes the connections
            told = self.run_on(3, 3, "none.h5", "--split", "h", code=COMMUNICATION, PARCONV_STAND_IN_LOST=str(exchange)).stderr
            self.assertIn("remote process exited", told)

    def test_a_rank_that_hangs_is_noticed_in_time(self):
        done = self.start_with_fault("hang", "nccl", "--timeout", 2)
        self.assertEqual(done.returncode, COMMUNICATION, done.stderr)
        self.assertEqual(done.stderr.count(ERROR), 1, done.stderr)
        self.assertIn("no progress for 2 s", done.stderr)


if __name__ == "__main__":
    unittest.main()
