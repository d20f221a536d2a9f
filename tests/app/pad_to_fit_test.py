# SPDX-License-Identifier: Apache-2.0
"""Sizes that do not fit a network: the sizes near them, and --pad-to-fit against data padded and cropped by NumPy."""
import subprocess
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, MAKE_MODELS, OK, AppCase


def reflected(extent, before, after):
    """The index of each element of a padded axis: the periodic reflection without its border."""
    period = max(2 * (extent - 1), 1)
    places = np.arange(-before, extent + after) % period
    return np.minimum(places, period - places) % extent


def padded(array, axis, to, grain=1):
    """Reflected at both ends, the rest at the far end. Returns the padding before, too."""
    added = to - array.shape[axis]
    before = added // 2 // grain * grain
    result = np.take(array, reflected(array.shape[axis], before, added - before), axis)
    if max(before, added - before) < array.shape[axis]:
        widths = [(0, 0)] * array.ndim
        widths[axis] = (before, added - before)
        np.testing.assert_array_equal(result, np.pad(array, widths, mode="reflect"))
    return result, before


def pool(source, result):
    return onnx.node("MaxPool", [source], result, kernel_shape=[2, 2], strides=[2, 2])


def up(source, result):
    return onnx.node("ConvTranspose", [source, "up"], result, strides=[2, 2], group=2)


def write_ladder(path, dims, outputs):
    """Two poolings and two enlargements with additions: rows and columns have to be multiples of 4."""
    nodes = [
        onnx.node("Conv", ["x", "w"], "full", pads=[1, 1, 1, 1]),
        pool("full", "half"),
        pool("half", "quarter"),
        up("quarter", "wide"),
        onnx.node("Add", ["wide", "half"], "sum"),
        up("sum", "wider"),
        onnx.node("Add", ["wider", "full"], "y"),
        up("y", "twice"),
        onnx.node("GlobalAveragePool", ["y"], "mean"),
        onnx.node("Conv", ["y", "w"], "valid"),
        onnx.node("Flatten", ["y"], "flat"),
    ]
    needed = {*outputs} | {"full", "half", "quarter", "wide", "sum", "wider", "y"}
    names = ["full", "half", "quarter", "wide", "sum", "wider", "y", "twice", "mean", "valid", "flat"]
    numbers = np.random.default_rng(3)
    weights = [
        onnx.tensor("w", [2, 2, 3, 3], list(numbers.standard_normal(36).astype("f4"))),
        onnx.tensor("up", [2, 1, 2, 2], [1.0, 0.5, 0.25, 2.0] * 2),
    ]
    kept = [node for name, node in zip(names, nodes) if name in needed]
    onnx.write_model(path, kept, [onnx.value_info("x", dims)], outputs, weights)


class PadToFit(AppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = np.random.default_rng(7)
        write_ladder(cls.path("ladder.onnx"), ["N", 2, "H", "W"], ["y", "half", "twice", "mean"])
        cls.image = cls.noise(3, 2, 18, 21)
        cls.write("x.h5", x=cls.image)

    @classmethod
    def noise(cls, *extents):
        return cls.numbers.standard_normal(extents).astype("f4")

    def compute(self, np_, model, data, output, *options, **more):
        return self.expect(OK, np_, "run", model, data, output, "--quiet", "--force", *options, **more)

    def refuse(self, model, data, say, *options, code=BAD_DATA):
        done = self.expect(code, 2, "run", model, data, "refused.h5", *options, say=say)
        self.assertEqual(self.leftovers("refused.h5"), [])
        return done

    def test_bits_are_those_of_data_padded_by_numpy(self):
        # Half of 18 rows, but no half of 21 columns: the second test has that.
        image = self.image[:, :, :, :18]
        self.write("even.h5", x=image)
        wide, top = padded(image, 2, 20, grain=2)
        wide, left = padded(wide, 3, 20, grain=2)
        self.assertEqual((top, left), (0, 0))
        self.write("wide.h5", x=wide)
        self.compute(1, "ladder.onnx", "wide.h5", "whole.h5")
        outputs = {"": (0, 18), ".half": (0, 9), ".twice": (0, 36), ".mean": (0, 1)}
        for ranks, split in ((1, "1"), (2, "h"), (2, "w"), (2, "stages=2"), (3, "h"), (3, "n"), (3, "f"), (3, "auto")):
            self.compute(ranks, "ladder.onnx", "even.h5", "part.h5", "--pad-to-fit", "--split", split)
            for name, (start, size) in outputs.items():
                expected = self.result(f"whole{name}.h5")[:, :, start : start + size, start : start + size]
                np.testing.assert_array_equal(self.result(f"part{name}.h5"), expected, f"{ranks} ranks, {split}, '{name}'")

    def test_both_ends_are_padded(self):
        write_ladder(self.path("one.onnx"), ["N", 2, "H", "W"], ["y"])
        wide, top = padded(self.image, 2, 20)
        wide, left = padded(wide, 3, 24)
        self.assertEqual((top, left), (1, 1))
        self.write("both_wide.h5", x=wide)
        self.compute(1, "one.onnx", "both_wide.h5", "both_whole.h5")
        expected = self.result("both_whole.h5")[:, :, 1:19, 1:22]
        for ranks, split in ((1, "1"), (2, "w"), (3, "h"), (3, "c")):
            self.compute(ranks, "one.onnx", "x.h5", "both.h5", "--pad-to-fit", "--split", split, "--backend", "reference")
            reference = self.result("both.h5")
            self.compute(ranks, "one.onnx", "x.h5", "both.h5", "--pad-to-fit", "--split", split, "--verify=full")
            np.testing.assert_array_equal(self.result("both.h5"), reference)
            if split != "c":
                np.testing.assert_array_equal(reference, expected, f"{ranks} ranks, {split}")

    def test_padding_wider_than_the_axis(self):
        subprocess.run([MAKE_MODELS, "unet", self.path("unet.onnx"), "--channels-scale", "0.05"], check=True)
        image = self.noise(1, 1, 3, 17)
        self.write("low.h5", x=image)
        wide, top = padded(image, 2, 16)
        wide, left = padded(wide, 3, 32)
        self.write("low_wide.h5", x=wide)
        self.compute(1, "unet.onnx", "low_wide.h5", "low_whole.h5")
        expected = self.result("low_whole.h5")[:, :, top : top + 3, left : left + 17]
        for ranks, split in ((1, "1"), (2, "h"), (3, "w")):
            self.compute(ranks, "unet.onnx", "low.h5", "low_part.h5", "--pad-to-fit", "--split", split)
            np.testing.assert_array_equal(self.result("low_part.h5"), expected, f"{ranks} ranks, {split}")
        self.write("unet500.h5", x=self.noise(1, 1, 500, 32))
        self.refuse("unet.onnx", "unet500.h5", "H=500 does not fit this network: 496 and 512 do (")
        self.refuse("unet.onnx", "unet500.h5", "--pad-to-fit pads to 512 and crops the result.")

    def test_sizes_that_fit_are_not_padded(self):
        self.write("fits.h5", x=self.image[:, :, :16, :20])
        self.compute(2, "ladder.onnx", "fits.h5", "plain.h5")
        self.compute(2, "ladder.onnx", "fits.h5", "asked.h5", "--pad-to-fit")
        np.testing.assert_array_equal(self.result("plain.h5"), self.result("asked.h5"))
        done = self.expect(OK, 0, "run", "ladder.onnx", "fits.h5", "dry.h5", "--pad-to-fit", "--dry-run", "--ranks", 4)
        self.assertNotIn("padded", done.stdout)

    def test_refusals_name_the_sizes(self):
        both = "H=18 does not fit this network: 16 and 20 do; W=21 does not fit this network: 20 and 24 do ("
        self.refuse("ladder.onnx", "x.h5", both)
        self.refuse("ladder.onnx", "x.h5", "--pad-to-fit pads to H=20, W=24 and crops the result.")
        self.expect(BAD_DATA, 0, "run", "ladder.onnx", "x.h5", "d.h5", "--dry-run", "--ranks", 3, say=both)
        self.refuse("ladder.onnx", "x.h5", "'half' cannot be cropped after --pad-to-fit: it has 1 elements along w for 2", "--pad-to-fit")
        for kind in ("valid", "flat"):
            write_ladder(self.path("kind.onnx"), ["N", 2, "H", "W"], [kind])
            self.refuse("kind.onnx", "x.h5", f"'{kind}' cannot be cropped after --pad-to-fit", "--pad-to-fit")

    def test_fixed_sizes_and_networks_that_no_size_fits(self):
        write_ladder(self.path("fixed.onnx"), ["N", 2, 20, "W"], ["y"])
        for options in ((), ("--pad-to-fit",)):
            self.refuse("fixed.onnx", "x.h5", "in the model, but the data has", *options)
        self.write("fixed.h5", x=self.noise(1, 2, 20, 21))
        self.refuse("fixed.onnx", "fixed.h5", "W=21 does not fit this network: 20 and 24 do (")
        self.compute(2, "fixed.onnx", "fixed.h5", "fixed_out.h5", "--pad-to-fit")
        self.assertEqual(self.result("fixed_out.h5").shape, (1, 2, 20, 21))
        nodes = [onnx.node("Add", ["x", "b"], "y")]
        onnx.write_model(self.path("never.onnx"), nodes, [onnx.value_info("x", ["N", 2, "H", "W"])], ["y"],
                         [onnx.tensor("b", [1, 3, 1, 1], [0.0] * 3)])
        done = self.refuse("never.onnx", "x.h5", "differ along c")
        self.assertNotIn("does not fit", done.stderr)
        self.refuse("never.onnx", "x.h5", "--pad-to-fit found no size near that fits.", "--pad-to-fit")
        nodes = [onnx.node("Flatten", ["x"], "flat"), onnx.node("Gemm", ["flat", "g"], "y")]
        onnx.write_model(self.path("dense.onnx"), nodes, [onnx.value_info("x", ["N", 2, 18, "W"])], ["y"],
                         [onnx.tensor("g", [2 * 18 * 20, 2], [1.0] * 1440)])
        self.refuse("dense.onnx", "x.h5", "W=21 does not fit this network: 20 does (", "--pad-to-fit")
        self.write("narrow.h5", x=self.image[:, :, :, :17])
        self.refuse("dense.onnx", "narrow.h5", "W=17 does not fit this network: 20 does (")
        self.compute(2, "dense.onnx", "narrow.h5", "dense.h5", "--pad-to-fit")
        wide, _ = padded(self.image[:, :, :, :17], 3, 20)
        self.write("narrow_wide.h5", x=wide)
        self.compute(1, "dense.onnx", "narrow_wide.h5", "dense_whole.h5")
        np.testing.assert_array_equal(self.result("dense.h5"), self.result("dense_whole.h5"))

    def test_several_inputs_keep_their_proportions(self):
        nodes = [
            pool("image", "half"),
            onnx.node("Add", ["half", "mask"], "sum"),
            pool("sum", "quarter"),
            up("quarter", "wide"),
            onnx.node("Add", ["wide", "sum"], "joined"),
            up("joined", "large"),
            onnx.node("Add", ["large", "image"], "shifted"),
            onnx.node("Add", ["shifted", "row"], "out"),
        ]
        inputs = [onnx.value_info("image", ["N", 2, "H", "W"]), onnx.value_info("mask", ["N", 2, "h", "w"]),
                  onnx.value_info("row", ["N", 2, "one", "W"])]
        onnx.write_model(self.path("two.onnx"), nodes, inputs, ["out"], [onnx.tensor("up", [2, 1, 2, 2], [1.0] * 8)])
        image, mask, row = self.noise(2, 2, 18, 20), self.noise(2, 2, 9, 10), self.noise(2, 2, 1, 20)
        self.write("two.h5", image=image, mask=mask, row=row)
        self.refuse("two.onnx", "two.h5", "H=18 of input 'image' does not fit this network: 16 and 20 do (")
        wide_mask, top = padded(mask, 2, 10)
        self.assertEqual(top, 0)
        self.write("two_wide.h5", image=padded(image, 2, 20, grain=2)[0], mask=wide_mask, row=row)
        self.compute(1, "two.onnx", "two_wide.h5", "two_whole.h5")
        for ranks, split in ((1, "1"), (2, "h"), (3, "w")):
            self.compute(ranks, "two.onnx", "two.h5", "two_part.h5", "--pad-to-fit", "--split", split)
            np.testing.assert_array_equal(self.result("two_part.h5"), self.result("two_whole.h5")[:, :, :18])

    def test_volumes(self):
        nodes = [
            onnx.node("MaxPool", ["x"], "half", kernel_shape=[2, 2, 2], strides=[2, 2, 2]),
            onnx.node("ConvTranspose", ["half", "up"], "wide", strides=[2, 2, 2], group=2),
            onnx.node("Add", ["wide", "x"], "y"),
        ]
        onnx.write_model(self.path("volume.onnx"), nodes, [onnx.value_info("x", ["N", 2, "D", "H", "W"])], ["y"],
                         [onnx.tensor("up", [2, 1, 2, 2, 2], [0.5, 1.0] * 8)])
        volume = self.noise(2, 2, 5, 7, 6)
        self.write("volume.h5", x=volume)
        self.refuse("volume.onnx", "volume.h5", "D=5 does not fit this network: 4 and 6 do; H=7 does not fit this network: 6 and 8 do (")
        wide = padded(padded(volume, 2, 6)[0], 3, 8)[0]
        self.write("volume_wide.h5", x=wide)
        self.compute(1, "volume.onnx", "volume_wide.h5", "volume_whole.h5")
        for ranks, split in ((1, "1"), (2, "d"), (3, "h")):
            self.compute(ranks, "volume.onnx", "volume.h5", "volume_part.h5", "--pad-to-fit", "--split", split)
            np.testing.assert_array_equal(self.result("volume_part.h5"), self.result("volume_whole.h5")[:, :, :5, :7])

    def test_inspect(self):
        note = "H=18 does not fit this network: 16 and 20 do"
        done = self.start(0, "inspect", "ladder.onnx", "--size", "H=18,W=20")
        self.assertEqual(done.returncode, BAD_DATA)
        self.assertIn(note, done.stdout)
        self.expect(OK, 0, "inspect", "ladder.onnx", "--size", "H=18,W=20", "--pad-to-fit", say="x.padded")

    def test_a_resumed_run_pads_as_before(self):
        write_ladder(self.path("one.onnx"), ["N", 2, "H", "W"], ["y"])
        self.compute(1, "one.onnx", "x.h5", "undisturbed.h5", "--pad-to-fit")
        command = ("run", "one.onnx", "x.h5", "resumed.h5", "--batch", 1, "--pad-to-fit", "--checkpoint-interval", "1e-6")
        done = self.start(2, *command, PARCONV_FAULT="rank=0,phase=record,kind=kill,tick=2")
        self.assertNotEqual(done.returncode, OK)
        self.assertTrue([name for name in self.leftovers("resumed.h5") if name.endswith(".record")])
        self.expect(OK, 3, *command, "--resume", say="going on after")
        self.assertEqual(self.result("resumed.h5").tobytes(), self.result("undisturbed.h5").tobytes())


if __name__ == "__main__":
    unittest.main()
