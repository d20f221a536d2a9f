# SPDX-License-Identifier: Apache-2.0
"""Comparisons, logic, Where, ArgMax and ArgMin of data, and outputs that are constants: NumPy is the oracle."""
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, OK, AppCase

SPLITS = ((1, "1"), (2, "n"), (3, "h"), (4, "c=2,w=2"), (3, "f"), (3, "auto"), (2, "stages"))
SHAPE = (4, 5, 9, 7)
RNG = np.random.default_rng(3)
BOOL, INT64 = 9, 7


def numbers(*shape):
    """Many equal ones, and all special values."""
    values = RNG.integers(-2, 3, shape).astype("f4")
    special = RNG.random(shape) < 0.2
    values[special] = RNG.choice(np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], "f4"), special.sum())
    return values


class Logic(AppCase):
    """Models of all operators at once: the outputs y0, y1, ... and what they should be."""

    def setUp(self):
        self.nodes, self.weights, self.expected = [], [], []

    def add(self, op, inputs, expected, **attributes):
        self.nodes.append(onnx.node(op, inputs, f"y{len(self.expected)}", **attributes))
        self.expected.append(expected)

    def check(self, inputs, splits=SPLITS, **more):
        outputs = [f"y{k}" for k in range(len(self.expected))]
        infos = [onnx.value_info(name, ["n", *value.shape[1:]], BOOL if name in ("p", "q") else 1) for name, value in inputs.items()]
        onnx.write_model(self.path("l.onnx"), self.nodes, infos, outputs, self.weights, **more)
        self.write("l.h5", **{name: value.astype("u1") if name in ("p", "q") else value for name, value in inputs.items()})
        for np_, split in splits:
            self.expect(OK, np_, "run", "l.onnx", "l.h5", "lo.h5", "--split", split, "--micro-batch", 2, "--force", "--quiet")
            for k, expected in enumerate(self.expected):
                found = self.result("lo.h5" if k == 0 else f"lo.y{k}.h5").reshape(expected.shape)
                expected = expected.astype("f4")
                np.testing.assert_array_equal(found, expected, f"y{k} under {split}")
                np.testing.assert_array_equal(np.signbit(found) & ~np.isnan(found), np.signbit(expected) & ~np.isnan(expected))

    def test_comparisons_and_logic(self):
        a, b, c = numbers(*SHAPE), numbers(*SHAPE), numbers(5, 1, 1)
        p, q = RNG.random(SHAPE) < 0.5, RNG.random((4, 5, 1, 7)) < 0.5
        self.weights = [onnx.array("c", c)]
        functions = {"Equal": np.equal, "Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less, "LessOrEqual": np.less_equal}
        for op, function in functions.items():
            self.add(op, ["a", "b"], function(a, b))
            self.add(op, ["c", "a"], function(c, a))
        for op, function in {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}.items():
            self.add(op, ["p", "q"], function(p, q))
        self.add("Not", ["p"], ~p)
        self.add("Equal", ["p", "q"], p == q)
        self.add("Cast", ["a"], a.astype(bool), to=BOOL)
        self.check({"a": a, "b": b, "p": p, "q": q}, opset=16)

    def test_where_leaks_nothing(self):
        a, b, p = numbers(*SHAPE), numbers(*SHAPE), RNG.random((4, 1, 9, 7)) < 0.5
        mask, fill = RNG.random((9, 7)) < 0.5, np.array(-np.inf, "f4")
        self.weights = [onnx.array("mask", mask), onnx.array("fill", fill)]
        self.add("Where", ["p", "a", "b"], np.where(p, a, b))
        self.add("Where", ["mask", "a", "fill"], np.where(mask, a, fill))
        self.add("Where", ["mask", "fill", "b"], np.where(mask, fill, b))
        self.nodes += [onnx.node("Greater", ["a", "b"], "above")]
        self.add("Where", ["above", "a", "b"], np.where(a > b, a, b))
        self.check({"a": a, "b": b, "p": p})

    def test_places_of_extremes(self):
        a = numbers(*SHAPE)
        a[:, :, 4:] = np.nan_to_num(a[:, :, 4:], nan=0, posinf=2)
        for op, function, sign in (("ArgMax", np.argmax, 1), ("ArgMin", np.argmin, -1)):
            for axis in (1, 2, 3):
                self.add(op, ["a"], function(a, axis, keepdims=True), axis=axis)
                last = a.shape[axis] - 1 - function(np.flip(a, axis), axis)
                self.add(op, ["a"], last, axis=axis - 4, keepdims=0, select_last_index=1)
        self.check({"a": a})

    def test_segmentation(self):
        """The class of each pixel, as f32 under bf16: indices of 300 classes have more than 8 bits."""
        a = RNG.integers(-9, 10, (2, 300, 5, 7)).astype("f4")
        a[:, 290] += 30 * (RNG.random((2, 5, 7)) < 0.5)
        self.add("ArgMax", ["a"], np.argmax(a, 1), axis=1, keepdims=0)
        self.check({"a": a}, splits=((1, "1"), (3, "h")))
        for split in ("h", "c=3"):
            self.expect(OK, 3, "run", "l.onnx", "l.h5", "lo.h5", "--split", split, "--dtype", "bf16", "--force", "--quiet")
            np.testing.assert_array_equal(self.result("lo.h5").reshape(2, 5, 7), np.argmax(a, 1))

    def test_constants_are_outputs(self):
        c, i = numbers(2, 3), np.arange(6).reshape(1, 2, 3)
        self.nodes = [onnx.node("Relu", ["x"], "y"), onnx.node("Constant", [], "k", value_float=2.5)]
        self.weights = [onnx.array("c", c), onnx.array("i", i), onnx.array("big", np.array([2**24 + 1]))]
        x = numbers(3, 4)
        self.write("k.h5", x=x)
        onnx.write_model(self.path("k.onnx"), self.nodes, [onnx.value_info("x", [3, 4])], ["y", "c", "i", "k"], self.weights)
        for np_, split in ((1, "1"), (3, "n"), (2, "stages")):
            self.expect(OK, np_, "run", "k.onnx", "k.h5", "ko.h5", "--split", split, "--micro-batch", 3, "--force", "--quiet")
            for name, expected in (("c", c), ("i", i.astype("f4")), ("k", np.array([2.5], "f4"))):
                np.testing.assert_array_equal(self.result(f"ko.{name}.h5"), expected)
        onnx.write_model(self.path("k.onnx"), self.nodes, [onnx.value_info("x", [3, 4])], ["y", "big"], self.weights)
        self.expect(BAD_DATA, 0, "run", "k.onnx", "k.h5", "ko.h5", say="integer 16777217, which f32 cannot represent")


if __name__ == "__main__":
    unittest.main()
