"""Command lines: help, mistakes, what is not available, inspection, dry runs; with and without mpirun."""
import json
import os
import unittest

from app_case import BAD_DATA, CONFIG, INPUT_MISSING, OK, UNAVAILABLE, USAGE, AppCase


class Usage(AppCase):
    def test_help_and_version_are_printed_once_with_and_without_mpirun(self):
        for np_ in (0, 3):
            self.assertEqual(self.expect(OK, np_, "--help").stdout.count("Usage:"), 1)
            self.assertEqual(self.expect(OK, np_, "run", "--help").stdout.count("--split TEXT"), 1)
            self.assertEqual(self.expect(OK, np_, "--version").stdout.count("parconv 0."), 1)

    def test_mistakes_are_told_once(self):
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
            (["run", "a", "b", "c", "--resume"], "--resume"),
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
        for option in (["--dtype", "f16"], ["--dtype", "tf32"]):
            self.run_small(2, "none.h5", *option, code=UNAVAILABLE, say=option[1])

    def test_bf16_on_a_cpu_without_instructions_for_it(self):
        isa = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}
        self.run_small(2, "none.h5", "--dtype", "bf16", code=UNAVAILABLE, say="AVX512_BF16", **isa)

    def test_a_wrong_fault_is_a_wrong_environment(self):
        self.run_small(2, "none.h5", code=CONFIG, say="PARCONV_FAULT", PARCONV_FAULT="phase=nowhere")


class Inspect(AppCase):
    def test_model(self):
        done = self.expect(OK, 0, "inspect", "small.onnx")
        self.assertIn("22 nodes", done.stdout)
        # 224x224 outputs of 8 channels, 3x3 taps of 3 channels, two operations a tap: 2 * 27 * 8 * 224^2 = 21.68 M.
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
            self.assertIn(f"12 layers on {ranks} rank", done.stdout)
            self.assertTrue(all(len(line) <= 130 for line in done.stdout.splitlines()), done.stdout)
            with open(self.path("p.json"), encoding="utf-8") as file:
                self.assertEqual(json.load(file)["ranks"], ranks)
        self.assertEqual(self.leftovers("dry.h5"), [])

    def test_plan_is_written_beside_the_output_and_can_be_run(self):
        done = self.run_small(4, "dry4.h5", "--dry-run", "--split", "h")
        self.assertEqual(done.stdout.count("12 layers on 4 ranks"), 1)
        self.assertEqual(self.leftovers("dry4.h5"), ["dry4.h5.plan.json"])
        self.run_small(1, "one.h5", "--quiet")
        self.run_small(4, "four.h5", "--plan", "dry4.h5.plan.json", "--verify=full", say="verified 12 layers")
        self.assertEqual(self.result("one.h5").tobytes(), self.result("four.h5").tobytes())
        self.run_small(2, "two.h5", "--plan", "dry4.h5.plan.json", code=USAGE, say="is for 4 ranks")

    def test_broken_plans(self):
        for text, named in (("{", "JSON"), ('{"parconv_plan": 1, "ranks": 2, "nodes": {"nobody": {}}}', "nobody")):
            with open(self.path("bad.json"), "w", encoding="utf-8") as file:
                file.write(text)
            self.run_small(2, "bad.h5", "--plan", "bad.json", code=BAD_DATA, say=named)
        self.run_small(2, "bad.h5", "--plan", "gone.json", code=INPUT_MISSING, say="gone.json")
        self.assertFalse(os.path.exists(self.path("bad.h5")))


if __name__ == "__main__":
    unittest.main()
