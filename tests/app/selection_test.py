# SPDX-License-Identifier: Apache-2.0
"""Pad and Slice of every axis, samples and channels too, under several splits: NumPy is the oracle."""
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import OK, AppCase

SHAPE = (4, 5, 7, 6)
ALL = slice(None)


def pads(*amounts):
    """ONNX's order of (before, behind) for each axis."""
    return np.array([before for before, _ in amounts] + [behind for _, behind in amounts], "i8")


class Selections(AppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.x = np.random.default_rng(3).standard_normal(SHAPE).astype("f4")
        cls.write("x.h5", x=cls.x)
        cls.nodes, cls.weights, cls.expected = [], [], []

    def add(self, op, constants, expected, **attributes):
        k = len(self.nodes)
        names = [f"{k}.{j}" for j in range(len(constants))]
        self.weights.extend(onnx.array(name, np.asarray(value)) for name, value in zip(names, constants))
        self.nodes.append(onnx.node(op, ["x", *names], f"y{k}", **attributes))
        self.expected.append(expected)

    def add_pad(self, mode, *amounts):
        constants = [pads(*amounts)] + ([np.float32(2.5)] if mode == "constant" else [])
        more = {"constant_values": 2.5} if mode == "constant" else {}
        self.add("Pad", constants, np.pad(self.x, amounts, mode, **more), mode=mode)

    def add_slice(self, axis, start, end, step):
        index = [ALL] * 4
        index[axis] = slice(start, None if end < -100 else end, step)
        lists = [np.array([value], "i8") for value in (start, end, axis, step)]
        self.add("Slice", lists, self.x[tuple(index)])

    def test_every_axis(self):
        none = (0, 0)
        for mode in ("constant", "edge", "reflect", "wrap"):
            self.add_pad(mode, none, (2, 1), none, none)
            self.add_pad(mode, none, (3, 4), (2, 3), (1, 0))
            self.add_pad(mode, (2, 1), none, (0, 2), none)
        self.add_pad("reflect", none, (11, 9), (25, 0), (0, 17))
        self.add_pad("constant", (1, 3), (1, 1), (9, 0), (0, 8))
        for axis in range(4):
            self.add_slice(axis, -1, -(2**62), -1)
            self.add_slice(axis, 3, 0, -2)
            self.add_slice(axis, 0, 2**62, 2)
        outputs = [f"y{k}" for k in range(len(self.nodes))]
        onnx.write_model(self.path("s.onnx"), self.nodes, [onnx.value_info("x", ["n", *SHAPE[1:]])], outputs, self.weights)
        for np_, split in ((1, "1"), (2, "n"), (3, "h"), (3, "f"), (4, "f=2,w=2"), (3, "auto"), (2, "stages")):
            self.expect(OK, np_, "run", "s.onnx", "x.h5", "s.h5", "--split", split, "--micro-batch", 4, "--force", "--quiet")
            for name, expected in zip(outputs, self.expected):
                found = self.result("s.h5" if name == "y0" else f"s.{name}.h5")
                np.testing.assert_array_equal(found, expected, f"{name} under {split}")


if __name__ == "__main__":
    unittest.main()
