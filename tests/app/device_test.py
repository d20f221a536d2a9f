# SPDX-License-Identifier: Apache-2.0
"""Devices and transports: behaviour without a GPU, and the binding report. GPUs of the machine are hidden."""
import json
import re
import unittest

from app_case import OK, UNAVAILABLE, USAGE, AppCase

NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}


class Devices(AppCase):
    def has_gpu_support(self):
        output = self.run_small(1, "none.h5", "--device", "cuda", code=UNAVAILABLE, **NO_GPU).stderr
        return "no GPU support" not in output

    def test_cuda_without_a_gpu_is_unavailable(self):
        for ranks in (1, 3):
            done = self.run_small(ranks, "none.h5", "--device", "cuda", code=UNAVAILABLE, say="--device cuda", **NO_GPU)
            self.assertIn("--device cpu", done.stderr)
            if self.has_gpu_support():
                self.assertRegex(done.stderr, r"\((CUDA driver for [0-9.]+, runtime|CUDA runtime) [0-9]+\.[0-9]+\)")
        self.assertEqual(self.leftovers("none.h5"), [])

    def test_transports_between_gpus_are_unavailable(self):
        for transport in ("nccl", "staged"):
            self.run_small(2, "none.h5", "--transport", transport, code=UNAVAILABLE, say="--transport " + transport, **NO_GPU)

    def test_types_for_gpus_are_unavailable_on_cpus(self):
        done = self.run_small(2, "none.h5", "--dtype", "tf32", code=UNAVAILABLE, say="--dtype tf32 is for GPUs", **NO_GPU)
        self.assertIn("while choosing devices", done.stderr)
        self.assertEqual(done.stdout.count("computing on CPUs"), 0, done.stdout)
        self.run_small(0, "dry.h5", "--dtype", "tf32", "--dry-run", code=OK)
        self.run_small(0, "dry.h5", "--dtype", "tf32", "--dry-run", "--device", "cpu", code=UNAVAILABLE, say="is for GPUs")

    def test_the_demonstration_takes_devices(self):
        for options in (["--device", "cuda"], ["--transport", "nccl"], ["--device", "cpu", "--transport", "staged"]):
            self.expect(UNAVAILABLE, 2, *options, say=" ".join(options[-2:]), **NO_GPU)
        done = self.expect(OK, 2, "--share-gpu", "--bind-report", **NO_GPU)
        self.assertEqual(len(re.findall(r"^ +[01]  \S+ +CPU ", done.stdout, re.M)), 2, done.stdout)
        self.assertNotIn("computing on CPUs", done.stdout)

    def test_options_before_a_command_are_refused(self):
        done = self.start(0, "--device", "cpu", "run", "small.onnx", "in.h5", "none.h5")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("--device", done.stderr)

    def test_auto_computes_on_cpus_and_reports_why_once(self):
        done = self.run_small(2, "auto.h5", code=OK, **NO_GPU)
        self.assertEqual(done.stdout.count("computing on CPUs: rank 0"), 1 if self.has_gpu_support() else 0, done.stdout)
        quiet = self.run_small(2, "auto.h5", "--force", "--quiet", code=OK, **NO_GPU)
        self.assertEqual(quiet.stdout, "")
        asked = self.run_small(2, "auto.h5", "--force", "--device", "cpu", code=OK)
        self.assertNotIn("computing on CPUs", asked.stdout)

    def test_graphs_on_cpus_are_reported_on_request_only(self):
        reason = "no CUDA graphs: the host executes work immediately"
        self.run_small(2, "graphs.h5", "--graphs", "on", "--report", "graphs.jsonl", code=OK, say=reason, **NO_GPU)
        with open(self.path("graphs.jsonl"), encoding="utf-8") as file:
            run = json.loads(file.readline())
        self.assertEqual((run["graphs"], run["graph_note"], run["graph_launches"]), ("off", "the host executes work immediately", 0))
        for graphs in ("auto", "off"):
            done = self.run_small(2, "graphs.h5", "--force", "-v", "--graphs", graphs, code=OK, **NO_GPU)
            self.assertNotIn("CUDA graphs", done.stdout)
        self.run_small(1, "none.h5", "--graphs", "maybe", code=USAGE)

    def test_bind_report_has_a_line_for_each_rank(self):
        done = self.run_small(3, "bind.h5", "--bind-report", "--device", "cpu", code=OK)
        self.assertIn("messages: MPI in host memory", done.stdout)
        for rank in range(3):
            self.assertEqual(len(re.findall(rf"^ +{rank}  \S+ +CPU +- +[0-9,-]+ +-$", done.stdout, re.M)), 1, done.stdout)


if __name__ == "__main__":
    unittest.main()
