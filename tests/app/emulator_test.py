# SPDX-License-Identifier: Apache-2.0
"""The application on emulated GPUs: CUDA, cuDNN and NCCL are replaced by the emulator, which computes on the host."""
import json
import os
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import APP, OK, OUT_OF_MEMORY, UNAVAILABLE, AppCase


class OnEmulator(AppCase):
    program = ["env", f"LD_PRELOAD={os.environ['PARCONV_EMULATOR']}", APP]

    def on_gpus(self, gpus, np_, *arguments, code=OK, **more):
        return self.expect(code, np_, *arguments, PARCONV_EMULATOR_GPUS=str(gpus), seconds=200, **more)

    def run_on_gpus(self, gpus, np_, output, *options, code=OK, **more):
        return self.on_gpus(gpus, np_, "run", "small.onnx", "in.h5", output, "--force", *options, code=code, **more)

    def difference(self, name, other):
        result, wanted = self.result(name), self.result(other)
        return np.abs(result - wanted).max() / np.abs(wanted).max()

    def test_every_type_is_verified(self):
        self.run_on_gpus(0, 1, "cpu.h5", "--device", "cpu")
        for dtype, far in (("f32", 1e-5), ("tf32", 2**-8), ("bf16", 2**-5), ("f16", 2**-8)):
            for np_, split in ((1, "1"), (2, "c"), (3, "w"), (3, "stages=3")):
                done = self.run_on_gpus(3, np_, "gpu.h5", "--device", "cuda", "--dtype", dtype, "--split", split, "--verify=full")
                self.assertIn(f"cudnn in {dtype}", done.stdout)
                self.assertIn("pinned", done.stdout)
                self.assertEqual(self.result("gpu.h5").dtype, np.float32)
                self.assertLess(self.difference("gpu.h5", "cpu.h5"), far, f"{dtype}, {split}")

    def test_several_micro_batches_are_read_and_written_in_order(self):
        self.run_on_gpus(0, 1, "whole.h5", "--device", "cpu")
        for np_, split in ((1, "1"), (2, "stages=2"), (2, "n")):
            self.run_on_gpus(2, np_, "parts.h5", "--split", split, "--micro-batch", 2, PARCONV_EMULATOR_DELAY="200")
            self.assertLess(self.difference("parts.h5", "whole.h5"), 1e-5, split)

    def run_with_graphs(self, graphs, np_, *options, **more):
        """Runs 40 samples one by one. Returns the output, the run's entry in the report, and the completed process."""
        self.write("many.h5", x=np.random.default_rng(2).standard_normal((40, 3, 21, 19)).astype("f4"))
        done = self.on_gpus(4, np_, "run", "small.onnx", "many.h5", "graphs.h5", "--force", "--device", "cuda", "--batch", 1, "--graphs", graphs,
                            "--report", "graphs.jsonl", "-v", *options, **more)
        with open(self.path("graphs.jsonl"), encoding="utf-8") as file:
            return self.result("graphs.h5").tobytes(), json.loads(file.readline()), done

    def test_graphs_change_no_bit(self):
        for np_, split in ((1, "1"), (3, "h"), (3, "stages=3"), (4, "stages=2,f=2")):
            directly, run, _ = self.run_with_graphs("off", np_, "--split", split)
            self.assertEqual((run["graphs"], run["graph_note"]), ("off", "switched off"))
            for graphs in ("on", "auto"):
                result, run, done = self.run_with_graphs(graphs, np_, "--split", split, PARCONV_EMULATOR_DELAY="100")
                self.assertEqual(result, directly, f"{graphs}, {split}")
                self.assertGreater(run["graph_launches"], 7)
                self.assertIn("CUDA graphs", done.stdout)
                if graphs == "on":
                    self.assertEqual(run["graphs"], "on")
                else:  # on the host, either may be faster
                    self.assertGreater(min(run["direct_tick_seconds"], run["graph_tick_seconds"]), 0)

    def test_staged_messages_are_no_graphs(self):
        _, run, done = self.run_with_graphs("on", 2, "--split", "h", "--transport", "staged")
        self.assertEqual((run["graphs"], run["graph_launches"]), ("off", 0))
        self.assertIn("no CUDA graphs: rank 0: the host takes part in its messages", done.stdout)

    def test_a_sum_of_more_tensors_than_one_kernel_takes(self):
        nodes = [onnx.node("Sum", ["x"] * 70, "y")]
        onnx.write_model(self.path("sum.onnx"), nodes, [onnx.value_info("x", ["N", 3, "H", "W"])], ["y"])
        for np_ in (1, 2):
            self.on_gpus(2, np_, "run", "sum.onnx", "in.h5", "sum.h5", "--force", "--device", "cuda", "--split", "h", "--verify=full")
            self.on_gpus(0, 1, "run", "sum.onnx", "in.h5", "sum_cpu.h5", "--force", "--device", "cpu")
            self.assertEqual(self.result("sum.h5").tobytes(), self.result("sum_cpu.h5").tobytes())

    def test_what_sharers_of_a_gpu_need_together_has_to_fit(self):
        for gpus, np_, options, message in (
            (2, 2, ["--split", "n=2"], "rank 0 needs at least"),
            (1, 3, ["--split", "stages=3", "--share-gpu"], "ranks 1-2 on the same GPU need"),
        ):
            memory = {"PARCONV_EMULATOR_MEMORY": "40000"}
            self.run_on_gpus(gpus, np_, "large.h5", *options, code=OUT_OF_MEMORY, say=message, **memory)
            self.assertEqual(self.leftovers("large.h5"), [])

    def test_ranks_share_gpus_only_if_they_may(self):
        shared = "would share one GPU"
        self.assertIn("computing on CPUs: ranks 0 and 1 on", self.run_on_gpus(1, 2, "shared.h5", say=shared).stdout)
        self.run_on_gpus(1, 2, "shared.h5", "--device", "cuda", code=UNAVAILABLE, say=shared)
        self.run_on_gpus(1, 2, "shared.h5", "--share-gpu", "--transport", "nccl", code=UNAVAILABLE, say="several ranks on one GPU")
        self.run_on_gpus(1, 2, "shared.h5", "--share-gpu", "--bind-report", say="MPI through pinned host memory")

    def test_the_demonstration(self):
        done = self.on_gpus(2, 2, say="messages by NCCL")
        self.assertIn("backend   cudnn", done.stdout)
        self.assertIn("PASSED: 7 splits", done.stdout)
        self.on_gpus(1, 2, say="computing on CPUs: ranks 0 and 1")


if __name__ == "__main__":
    unittest.main()
