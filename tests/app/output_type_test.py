# SPDX-License-Identifier: Apache-2.0
"""--output-dtype against NumPy's conversion of the f32 output."""
import unittest

import h5py
import numpy as np
import tiny_onnx as onnx
from app_case import CANNOT_CREATE, OK, USAGE, AppCase


def integers(numbers, dtype):
    limits = np.iinfo(dtype)
    whole = np.rint(np.where(np.isnan(numbers), np.float32(0), numbers))
    return np.clip(whole, limits.min, limits.max).astype(dtype)


def bfloat(numbers):
    """As f32: halves to even; no NaN."""
    bits = numbers.view("u4").astype("u8")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).astype("u4").view("f4")


class OutputType(AppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        nodes = [onnx.node("Mul", ["x", "w"], "y"), onnx.node("MaxPool", ["y"], "z", kernel_shape=[2, 2])]
        onnx.write_model(cls.path("scale.onnx"), nodes, [onnx.value_info("x", ["N", 2, "H", "W"])], ["y", "z"],
                         [onnx.tensor("w", [1, 2, 1, 1], [1.0, 300.0])])
        x = (np.random.default_rng(4).standard_normal((6, 2, 37, 41)) * 150).astype("f4")
        x[:, 0, :5] = np.round(x[:, 0, :5]) + np.float32(0.5)  # halves
        cls.write("x.h5", x=x)
        cls("run_whole").expect(OK, 1, "run", "scale.onnx", "x.h5", "f32.h5", "--quiet")

    def run_whole(self):
        """Names an instance for setUpClass."""

    def expected(self, name, suffix):
        numbers = self.result(f"f32{suffix}.h5")
        with np.errstate(over="ignore"):
            return {"u8": lambda: integers(numbers, "u1"), "i16": lambda: integers(numbers, "i2"), "f32": lambda: numbers,
                    "f16": lambda: numbers.astype("f2"), "bf16": lambda: bfloat(numbers)}[name]()  # fmt: skip

    def test_every_type(self):
        for name, ranks, split in (("u8", 1, "1"), ("u8", 3, "h"), ("i16", 2, "w"), ("f16", 2, "n"), ("bf16", 3, "h"), ("f32", 2, "f")):
            options = ["--output-dtype", name, "--split", split, "--quiet", "--force", "--verify"]
            self.expect(OK, ranks, "run", "scale.onnx", "x.h5", "out.h5", *options)
            for suffix in ("", ".z"):
                expected, found = self.expected(name, suffix), self.result(f"out{suffix}.h5")
                np.testing.assert_array_equal(found, expected, f"{name} on {ranks} ranks, '{suffix}'")
                if name != "bf16":
                    self.assertEqual(found.dtype, expected.dtype)
                with h5py.File(self.path(f"out{suffix}.h5")) as file:
                    size = file["output"][file["output"].attrs["signal"]].id.get_type().get_size()
                    self.assertEqual(size, {"u8": 1, "f32": 4}.get(name, 2))
        done = self.expect(USAGE, 0, "run", "scale.onnx", "x.h5", "out.h5", "--output-dtype", "u7")
        self.assertIn("u8", done.stderr)

    def test_a_resumed_run_stores_the_same_type(self):
        command = ("run", "scale.onnx", "x.h5", "kept.h5", "--batch", 1, "--checkpoint-interval", "1e-6")
        done = self.start(2, *command, "--output-dtype", "u8", PARCONV_FAULT="rank=0,phase=record,kind=kill,tick=2")
        self.assertNotEqual(done.returncode, OK)
        say = "it differs in --output-dtype: u8 in the record, f32 now"
        self.expect(78, 2, *command, "--resume", say=say)
        self.expect(OK, 3, *command, "--resume", "--output-dtype", "u8", say="going on after")
        np.testing.assert_array_equal(self.result("kept.h5"), self.expected("u8", ""))
        self.expect(CANNOT_CREATE, 2, *command, "--resume", say="exists")


if __name__ == "__main__":
    unittest.main()
