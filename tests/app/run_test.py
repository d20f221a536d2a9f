# SPDX-License-Identifier: Apache-2.0
"""Runs: equal results under every split on every number of ranks, data options, reports, verification."""
import json
import subprocess
import unittest

import h5py
import numpy as np
import tiny_onnx as onnx
from app_case import BUG, MAKE_MODELS, OK, AppCase


class Splits(AppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("test_same_bits")
        case.run_small(1, "one.h5", "--quiet")

    def relative_difference(self, name):
        one, other = self.result("one.h5"), self.result(name)
        self.assertEqual(one.shape, other.shape)
        return np.abs(one - other).max() / np.abs(one).max()

    def test_same_bits(self):
        splits = {
            2: ["h", "w", "n", "f", "stages"],
            3: ["h", "w=3", "f=3", "stages=3"],
            4: ["h=4", "h=2,w=2", "n=2,h=2", "f=2,h=2", "stages=2,f=2", "auto"],
            6: ["h=6", "n=3,f=2", "stages=3,h=2"],
        }
        for ranks, specs in splits.items():
            for spec in specs:
                self.run_small(ranks, "many.h5", "--split", spec, "--force", "--quiet")
                self.assertEqual(self.result("one.h5").tobytes(), self.result("many.h5").tobytes(), f"{ranks} ranks, {spec}")

    def test_same_bits_in_micro_batches_with_a_short_last_one(self):
        for options in (["--batch", 2], ["--micro-batch", 2, "--batch", 4], ["--micro-batch", 1, "--split", "stages=3,h=1"]):
            self.run_small(3, "blocks.h5", "--force", "--quiet", *options)
            self.assertEqual(self.result("one.h5").tobytes(), self.result("blocks.h5").tobytes(), options)

    def test_same_bits_with_overlap(self):
        self.run_small(4, "overlap.h5", "--split", "h", "--overlap", "on", "--quiet")
        self.assertEqual(self.result("one.h5").tobytes(), self.result("overlap.h5").tobytes())

    def test_channels_are_close(self):
        for ranks, spec in ((3, "c"), (4, "c=2,f=2")):
            self.run_small(ranks, "close.h5", "--split", spec, "--force", "--quiet")
            self.assertLess(self.relative_difference("close.h5"), 1e-5, spec)

    def test_ordered_sums_have_the_same_bits_on_any_number_of_ranks(self):
        results = []
        for ranks in (1, 2, 4):
            self.run_small(ranks, "ordered.h5", "--split", f"c={ranks}", "--reduce", "ordered", "--force", "--quiet")
            results.append(self.result("ordered.h5").tobytes())
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_16_bits(self):
        for dtype, far in (("bf16", 2**-4), ("f16", 2**-7)):
            self.run_small(1, "half.h5", "--dtype", dtype, "--report", "half.jsonl", "--force", "--verify=full",
                           say="all have the bits of the reference")  # fmt: skip
            with open(self.path("half.jsonl"), encoding="utf-8") as file:
                self.assertEqual(json.loads(file.readline())["dtype"], dtype)
            self.assertEqual(self.result("half.h5").dtype, np.float32)
            self.assertGreater(self.relative_difference("half.h5"), 0)
            self.assertLess(self.relative_difference("half.h5"), far)
            for ranks, spec in ((2, "h"), (2, "w"), (3, "f"), (4, "stages=2,h=2"), (4, "n=2,f=2")):
                self.run_small(ranks, "b.h5", "--dtype", dtype, "--split", spec, "--force", "--verify", say=f"cpu in {dtype}")
                self.assertEqual(self.result("half.h5").tobytes(), self.result("b.h5").tobytes(), f"{dtype}, {ranks} ranks, {spec}")


class Data(AppCase):
    def scaled(self, array, *options):
        onnx.write_model(
            self.path("copy.onnx"), [onnx.node("Relu", ["x"], "y")], [onnx.value_info("x", ["N", 2, "H", "W"])], ["y"]
        )
        self.write("data.h5", x=array)
        self.expect(OK, 2, "run", "copy.onnx", "data.h5", "copy.h5", "--force", "--quiet", *options)
        return self.result("copy.h5")

    def test_scale_mean_and_std(self):
        array = np.arange(2 * 2 * 3 * 4, dtype="u1").reshape(2, 2, 3, 4)
        result = self.scaled(array, "--scale", 0.5, "--mean", "1,2", "--std", "4,8")
        mean, std = np.array([1, 2]).reshape(1, 2, 1, 1), np.array([4, 8]).reshape(1, 2, 1, 1)
        np.testing.assert_array_equal(result, np.maximum((array * 0.5 - mean) / std, 0).astype("f4"))

    def test_layout(self):
        array = np.random.default_rng(3).random((2, 5, 4, 2), "f4")
        np.testing.assert_array_equal(self.scaled(array, "--layout", "NHWC"), array.transpose(0, 3, 1, 2))

    def test_several_outputs_go_to_several_files(self):
        onnx.write_model(
            self.path("outputs.onnx"),
            [onnx.node("Relu", ["x"], "y"), onnx.node("MaxPool", ["y"], "a/z", kernel_shape=[3, 3])],
            [onnx.value_info("x", ["N", 3, "H", "W"])],
            ["y", "a/z"],
        )
        done = self.expect(OK, 3, "run", "outputs.onnx", "in.h5", "outputs.h5", "--split", "h", "--batch", 2)
        self.assertEqual(self.result("outputs.h5").shape, (5, 3, 21, 19))
        self.assertEqual(self.result("outputs.a_z.h5").shape, (5, 3, 19, 17))
        self.assertEqual(done.stdout.count("written:"), 2)

    def test_provenance(self):
        self.run_small(2, "provenance.h5", "--split", "h=2", "--quiet")
        with h5py.File(self.path("provenance.h5")) as file:
            facts = file["provenance"].attrs
            self.assertIn("run small.onnx in.h5 provenance.h5 --split h=2", facts["command"])
            self.assertEqual(facts["mpi_size"], 2)
            self.assertEqual(json.loads(facts["plan_json"])["ranks"], 2)
            sha = subprocess.run(["sha256sum", self.path("small.onnx")], capture_output=True, text=True, check=True).stdout
            self.assertEqual(facts["model_sha256"], sha.split()[0])


class Reports(AppCase):
    def test_verification_of_samples_and_of_everything(self):
        few = self.run_small(3, "v.h5", "--verify", "--split", "h", "--force", say="verified 11 layers").stdout
        full = self.run_small(3, "v.h5", "--verify=full", "--split", "h", "--force", say="verified 11 layers").stdout
        count = lambda text: int(text.split("verified 11 layers (")[1].split()[0])
        self.assertLess(count(few), count(full))
        # All activations of 5 samples, see `inspect`: one of 8 x 21 x 19, 5 of 8 x 11 x 10, ...
        layers = 8 * 21 * 19 + 5 * 8 * 110 + 16 * 110 + 16 * 6 * 5 + 16 + 10 + 10
        self.assertEqual(count(full), 5 * layers)

    def test_verification_finds_wrong_results(self):
        for option in ("--verify", "--verify=full"):
            self.run_small(2, "wrong.h5", option, "--split", "h", code=BUG, say="other bits than the reference",
                           PARCONV_FAULT="rank=1,phase=verify,kind=wrong")
        self.assertEqual(self.leftovers("wrong.h5"), [])

    def test_backends_that_sum_otherwise_are_verified_within_rounding(self):
        if not self.has_onednn():
            self.skipTest("a build without oneDNN")
        self.run_small(2, "v.h5", "--verify", "--split", "c", "--backend", "onednn", "--force", say="verified 11 layers")
        self.run_small(2, "wrong.h5", "--verify", "--split", "h", "--backend", "onednn", code=BUG, say="differs from the reference",
                       PARCONV_FAULT="rank=1,phase=verify,kind=wrong")

    def test_a_nan_of_the_input_is_named_once_and_passes(self):
        images = np.random.default_rng(1).standard_normal((5, 3, 21, 19)).astype("f4")
        images[3, 1, 10, 7] = np.nan
        self.write("nan.h5", data=images)
        for ranks, split in ((1, "1"), (3, "h"), (4, "h=2,w=2"), (2, "f")):
            done = self.expect(OK, ranks, "run", "small.onnx", "nan.h5", "o.h5", "--split", split, "--force", "--quiet", "--verify")
            warnings = [line for line in done.stderr.splitlines() if "warning" in line]
            self.assertEqual(warnings, ["warning: input 'input' has 1 NaN; the first is at [3, 1, 10, 7]"])
            self.assertEqual(np.isnan(self.result("o.h5")).any(axis=1).tolist(), [False, False, False, True, False])

    def test_json_lines_and_trace(self):
        self.run_small(4, "r.h5", "--split", "h", "--report", "r.jsonl", "--trace", "r.trace", "--batch", 2)
        with open(self.path("r.jsonl"), encoding="utf-8") as file:
            run, *layers = [json.loads(line) for line in file]
        self.assertEqual((run["type"], run["ranks"], run["samples"], run["split"]), ("run", 4, 5, "h=4"))
        self.assertEqual([layer["type"] for layer in layers], ["layer"] * 12)
        self.assertTrue(all(layer["implementation"] for layer in layers if layer["op"] == "Conv"))
        self.assertGreater(layers[0]["max_seconds"]["compute"], 0)
        # Layers count per micro-batch of 2 samples; the run counts 5 samples, five halves of that.
        self.assertEqual(sum(layer["sent_bytes_per_micro_batch"] for layer in layers) * 5, run["sent_bytes"] * 2)
        with open(self.path("r.trace"), encoding="utf-8") as file:
            events = json.load(file)
        self.assertEqual({event["pid"] for event in events}, {0, 1, 2, 3})

    def test_summary_and_silence(self):
        done = self.run_small(2, "s.h5", "--split", "h", say="5 samples in")
        self.assertEqual(done.stdout.count("samples/s"), 1)
        self.assertEqual(self.run_small(2, "s.h5", "--force", "--quiet").stdout, "")
        self.assertIn("computed by", self.run_small(2, "s.h5", "--force", "--verbose").stdout)


class Demonstration(AppCase):
    def test_every_split_passes(self):
        for ranks, passed, skipped in ((0, 1, 8), (1, 1, 8), (2, 7, 2), (3, 7, 2), (4, 9, 0), (6, 9, 0)):
            done = self.expect(OK, ranks, say=f"PASSED: {passed} split")
            self.assertEqual(done.stdout.count("skipped:"), skipped, done.stdout)
            self.assertEqual(done.stdout.count("PASSED"), 1)
        self.assertNotIn("prime", done.stdout)

    def test_primes_are_reported(self):
        self.expect(OK, 3, say="needs a composite number of ranks, 3 is prime")

    def test_wrong_results_fail(self):
        done = self.start(2, PARCONV_FAULT="rank=1,phase=verify,kind=wrong")
        self.assertEqual(done.returncode, BUG, done.stdout)
        self.assertIn("FAILED", done.stdout)
        self.assertIn("WRONG", done.stdout)


if __name__ == "__main__":
    unittest.main()
