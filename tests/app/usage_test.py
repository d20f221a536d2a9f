# SPDX-License-Identifier: Apache-2.0
"""Command lines: help, usage errors, unavailable features, inspection, dry runs; with and without mpirun."""
import json
import os
import re
import unittest

from app_case import BAD_DATA, CONFIG, INPUT_MISSING, OK, UNAVAILABLE, USAGE, AppCase


class Usage(AppCase):
    def test_help_and_version_are_printed_once_with_and_without_mpirun(self):
        for np_ in (0, 3):
            self.assertEqual(self.expect(OK, np_, "--help").stdout.count("Usage:"), 1)
            self.assertEqual(self.expect(OK, np_, "run", "--help").stdout.count("--split TEXT"), 1)
            self.assertEqual(self.expect(OK, np_, "--version").stdout.count("parconv 0."), 1)

    def options_of(self, *arguments):
        """The options that a help lists, without their short names."""
        text = self.expect(OK, 0, *arguments).stdout
        return re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.M)

    def test_help_shows_the_common_options_and_help_all_the_rest(self):
        common, everything = self.options_of("run", "--help"), self.options_of("run", "--help-all")
        self.assertLessEqual(len(common), 15)
        self.assertEqual(len(set(everything)), len(everything))
        self.assertEqual(common, [option for option in everything if option in common])
        for option in ("--split", "--dry-run", "--device", "--verify", "--report", "--help-all"):
            self.assertIn(option, common)
        for option in ("--micro-batch", "--hosts", "--gpu", "--transport", "--overlap", "--conv-algorithms", "--scale", "--trace"):
            self.assertIn(option, set(everything) - set(common))
        self.assertNotIn("--engines", everything)

    def test_every_option_is_documented(self):
        with open(os.path.join(os.path.dirname(__file__), "../../docs/using.md"), encoding="utf-8") as file:
            documented = set(re.findall(r"(--[a-z-]+)", file.read()))
        self.assertEqual(set(self.options_of("run", "--help-all")) - documented, set())

    def test_mistakes_are_reported_once(self):
        mistakes = [
            (["walk"], "walk"),
            (["run"], "MODEL"),
            (["run", "a", "b", "c", "--batch", "0"], "--batch"),
            (["run", "a", "b", "c", "--reduce", "slow"], "--reduce"),
            (["run", "a", "b", "c", "--verify=half"], "--verify=half"),
            (["run", "a", "b", "c", "--batch", "5", "--micro-batch", "2"], "multiple"),
            (["run", "a", "b", "c", "--ranks", "4"], "--dry-run"),
            (["run", "a", "b", "c", "--engines", "best"], "--engines"),
            (["run", "a", "b", "c", "--engine-cache", "e.json"], "--engines timed"),
            (["run", "a", "b", "c", "--conv-algorithms", "best"], "--conv-algorithms: best not in {heuristic,timed,exact}"),
            (["run", "a", "b", "c", "--conv-algorithm-cache", "e.json"], "--conv-algorithms timed"),
            (["run", "a", "b", "c", "--dtype", "f64"], "--dtype: f64 not in {f32,tf32,bf16,f16}"),
            (["run", "a", "b", "c", "--overlap", "0"], "--overlap: 0 not in {auto,on,off}"),
            (["run", "a", "b", "c", "--hosts", "2"], "--dry-run"),
            (["run", "a", "b", "c", "--gpu", "H200"], "--dry-run"),
            (["run", "a", "b", "c", "--resume", "--discard-partial"], "--resume"),
            (["run", "a", "b", "c", "--checkpoint-interval", "-1"], "--checkpoint-interval"),
        ]
        for k, (arguments, named) in enumerate(mistakes):
            for np_ in (0, 2) if k < 2 else (0,):
                done = self.start(np_, *arguments)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertEqual(done.stderr.count("Run with --help"), 1, done.stderr)
                self.assertIn(named, done.stderr)

    def test_splits_that_do_not_fit_the_ranks(self):
        for split in ("h=4", "h=2,w=2", "d", "q=3", "stages=3,n=2", "h=0"):
            self.run_small(3, "split.h5", "--split", split, code=USAGE, say="split '" + split)
        self.assertEqual(self.leftovers("split.h5"), [])
        self.run_small(3, "split.h5", "--split", "h=4", code=USAGE, say="h=3")

    def test_what_this_build_does_not_have(self):
        self.run_small(2, "none.h5", "--dtype", "tf32", code=UNAVAILABLE, say="tf32")
        if self.has_onednn():
            self.run_small(2, "none.h5", "--dtype", "f16", "--backend", "onednn", code=UNAVAILABLE, say="f16")

    def test_bf16_on_a_cpu_without_instructions_for_it(self):
        if not self.has_onednn():
            self.skipTest("a build without oneDNN")
        isa = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}
        self.run_small(2, "none.h5", "--dtype", "bf16", "--backend", "onednn", code=UNAVAILABLE, say="AVX512_BF16", **isa)

    def test_a_wrong_fault_is_a_wrong_environment(self):
        self.run_small(2, "none.h5", code=CONFIG, say="PARCONV_FAULT", PARCONV_FAULT="phase=nowhere")


class Inspect(AppCase):
    def test_model(self):
        done = self.expect(OK, 0, "inspect", "small.onnx")
        self.assertIn("22 nodes", done.stdout)
        # 224x224 outputs of 8 channels, 3x3 taps of 3 channels, two operations per tap: 2 * 27 * 8 * 224^2 = 21.68 M.
        self.assertRegex(done.stdout, r"Conv +1x8x224x224 +n f c h w +21\.68 M")
        self.assertRegex(done.stdout, r"Softmax_22 +Softmax +1x10 ")

    def test_is_printed_once_on_several_ranks(self):
        self.assertEqual(self.expect(OK, 3, "inspect", "small.onnx").stdout.count("ONNX model"), 1)

    def test_data(self):
        self.write("two.h5", x=[[[1.0, 2.0]]], n=1)
        done = self.expect(OK, 0, "inspect", "two.h5")
        self.assertRegex(done.stdout, r"/x +1x1x2 .*input of 1 samples")
        self.assertRegex(done.stdout, r"/n .*not usable")

    def test_refusals(self):
        self.expect(INPUT_MISSING, 0, "inspect", "nowhere.onnx", say="nowhere.onnx")
        self.write("scalar.h5", n=1)
        done = self.start(0, "inspect", "scalar.h5")
        self.assertEqual(done.returncode, BAD_DATA, done.stdout)
        self.assertIn("no dataset can be the input", done.stdout)


class DryRun(AppCase):
    def test_any_number_of_ranks_without_mpirun(self):
        for ranks, split in ((1, "1"), (4, "h=2,w=2"), (64, "f=8,h=8"), (6, "stages=3,h=2"), (7, "auto")):
            done = self.run_small(0, "dry.h5", "--dry-run", "--ranks", ranks, "--split", split, "--plan-out", "p.json")
            self.assertIn(f"11 layers on {ranks} rank", done.stdout)
            self.assertTrue(all(len(line) <= 130 for line in done.stdout.splitlines()), done.stdout)
            with open(self.path("p.json"), encoding="utf-8") as file:
                self.assertEqual(json.load(file)["ranks"], ranks)
        self.assertEqual(self.leftovers("dry.h5"), [])

    def test_plan_is_written_beside_the_output_and_can_be_run(self):
        done = self.run_small(4, "dry4.h5", "--dry-run", "--split", "h")
        self.assertEqual(done.stdout.count("11 layers on 4 ranks"), 1)
        self.assertEqual(self.leftovers("dry4.h5"), ["dry4.h5.plan.json"])
        self.run_small(1, "one.h5", "--quiet")
        self.run_small(4, "four.h5", "--plan", "dry4.h5.plan.json", "--verify=full", say="verified 11 layers")
        self.assertEqual(self.result("one.h5").tobytes(), self.result("four.h5").tobytes())
        self.run_small(2, "two.h5", "--plan", "dry4.h5.plan.json", code=USAGE, say="is for 4 ranks")

    def dry(self, *options, code=OK, **more):
        return self.run_small(0, "machine.h5", "--dry-run", "--plan-out", "p.json", *options, code=code, **more)

    def test_machines_that_are_not_here(self):
        output = self.dry("--ranks", 8, "--split", "h", "--hosts", 2).stdout
        self.assertIn("CPUs on 2 hosts, messages: MPI in host memory, overlap on", output)
        on_gpus = ("--device", "cuda", "--transport", "nccl", "--gpu", "h200")
        output = self.dry("--ranks", 8, "--split", "h", *on_gpus).stdout
        self.assertIn("GPUs (h200) on 1 host, messages: NCCL, overlap off", output)
        output = self.dry("--ranks", 8, "--split", "h", "--hosts", 8, "--overlap", "off", *on_gpus).stdout
        self.assertIn("on 8 hosts, messages: NCCL, overlap off", output)
        self.assertNotIn("hosts", self.dry("--ranks", 8, "--split", "h").stdout)

    def test_several_hosts_change_what_is_printed(self):
        one, two = (self.dry("--ranks", 4, "--split", "h", "--hosts", hosts).stdout for hosts in (1, 2))
        self.assertEqual(one, self.dry("--ranks", 4, "--split", "h").stdout)
        self.assertNotEqual(one, two)
        asked = self.dry("--ranks", 4, "--split", "h", "--hosts", 1, "--overlap", "on").stdout
        without = lambda text: [line for line in text.splitlines() if "hosts" not in line]
        self.assertEqual(without(two), without(asked))

    def test_machines_that_cannot_be(self):
        self.dry("--ranks", 2, "--hosts", 3, code=USAGE, say="--hosts 3")
        done = self.dry("--ranks", 2, "--gpu", "H300", code=USAGE, say="--gpu 'H300'")
        self.assertIn("H200", done.stderr)
        self.dry("--ranks", 2, "--gpu", "H200", "--device", "cpu", code=USAGE, say="--device cpu")
        self.dry("--ranks", 2, "--device", "cpu", "--transport", "nccl", code=UNAVAILABLE, say="--transport nccl")

    def test_a_job_of_this_many_ranks_is_the_default(self):
        self.assertNotIn("hosts", self.run_small(3, "job.h5", "--dry-run", "--split", "h").stdout)
        self.run_small(3, "job.h5", "--dry-run", "--split", "h", "--hosts", 3, say="on 3 hosts")

    def test_broken_plans(self):
        for text, named in (("{", "JSON"), ('{"parconv_plan": 1, "ranks": 2, "nodes": {"nobody": {}}}', "nobody")):
            with open(self.path("bad.json"), "w", encoding="utf-8") as file:
                file.write(text)
            self.run_small(2, "bad.h5", "--plan", "bad.json", code=BAD_DATA, say=named)
        self.run_small(2, "bad.h5", "--plan", "gone.json", code=INPUT_MISSING, say="gone.json")
        self.assertFalse(os.path.exists(self.path("bad.h5")))


if __name__ == "__main__":
    unittest.main()
