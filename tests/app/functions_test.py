# SPDX-License-Identifier: Apache-2.0
"""Functions of a model, and operators that ONNX defines by functions, are inlined: NumPy is the oracle."""
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, OK, AppCase

X = np.random.default_rng(7).integers(-9, 10, (4, 3, 8, 6)).astype("f4")


class Functions(AppCase):
    """The input "x.h5" is the array X."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.write("x.h5", x=X)

    def model(self, nodes, functions, outputs=("y",), **more):
        onnx.write_model(self.path("f.onnx"), nodes, [onnx.value_info("x", list(X.shape))], outputs, functions=functions, **more)

    def results(self, *names, np_=1, split="1"):
        self.expect(OK, np_, "run", "f.onnx", "x.h5", "f.h5", "--split", split, "--force", "--quiet")
        return [self.result("f.h5" if k == 0 else f"f.{name}.h5") for k, name in enumerate(names)]

    def test_calls_of_calls_with_attributes(self):
        leaky = onnx.function("leaky", ["a"], ["b"], [onnx.node("LeakyRelu", ["a"], "b", references=[("alpha", "slope")])], defaults={"slope": 0.5})
        twice = onnx.function(
            "twice", ["a", "bias"], ["total", "first"],
            [onnx.node("leaky", ["a"], "first", "local", references=[("slope", "alpha")]), onnx.node("leaky", ["a"], "t", "local"),
             onnx.node("Add", ["first", "t"], "s"), onnx.node("Sub", ["s", "bias"], "total")], attributes=["alpha"])  # fmt: skip
        nodes = [onnx.node("twice", ["x", "w"], ["y", "z"], "local", alpha=0.25), onnx.node("twice", ["z", "w"], ["v", ""], "local", alpha=2.0)]
        self.model(nodes, [twice, leaky], ("y", "v"), weights=[onnx.array("w", np.array([1], "f4"))])

        def by_hand(x, alpha):
            first = np.where(x < 0, alpha * x, x)
            return first + np.where(x < 0, 0.5 * x, x) - 1, first

        y, z = by_hand(X, 0.25)
        for np_, split in ((1, "1"), (3, "h"), (2, "f")):
            found = self.results("y", "v", np_=np_, split=split)
            np.testing.assert_array_equal(found[0], y)
            np.testing.assert_array_equal(found[1], by_hand(z, 2.0)[0])
        self.expect(OK, 0, "inspect", "f.onnx", say="v/first ")

    def test_a_body_has_its_own_operator_set(self):
        """Axes of ReduceMax are an attribute up to operator set 17, and an input later."""
        mine = onnx.function("peak", ["a"], ["b"], [onnx.node("ReduceMax", ["a"], "b", axes=[1])], opset=13)
        nodes = [onnx.node("peak", ["x"], "p", "local"), onnx.node("ReduceMax", ["p", "axes"], "y")]
        self.model(nodes, [mine], opset=18, weights=[onnx.integers("axes", [2])])
        np.testing.assert_array_equal(self.results("y")[0], X.max((1, 2), keepdims=True))

    def test_inputs_handed_through_and_left_out(self):
        same = onnx.function("same", ["a", "lowest", "highest"], ["a", "b"], [onnx.node("Clip", ["a", "lowest", "highest"], "b")])
        nodes = [onnx.node("same", ["x", "", "w"], ["y", "z"], "local")]
        self.model(nodes, [same], ("y", "z"), weights=[onnx.array("w", np.array(2, "f4"))])
        y, z = self.results("y", "z")
        np.testing.assert_array_equal(y, X)
        np.testing.assert_array_equal(z, np.minimum(X, 2))

    def test_operators_that_onnx_defines_by_functions(self):
        self.model([onnx.node("MeanVarianceNormalization", ["x"], "y", axes=[0, 2, 3])], [])
        mean, variance = X.mean((0, 2, 3), keepdims=True), X.var((0, 2, 3), keepdims=True)
        self.expect(OK, 2, "run", "f.onnx", "x.h5", "f.h5", "--split", "h", "--batch", 4, "--micro-batch", 4, "--force", "--quiet")
        np.testing.assert_allclose(self.result("f.h5"), (X - mean) / np.sqrt(variance), rtol=1e-5, atol=1e-6)

    def test_refusals(self):
        call = [onnx.node("f", ["x"], "y", "local")]
        relu, itself = onnx.node("Relu", ["a"], "b"), onnx.node("f", ["a"], "b", "local")
        doubling = [onnx.function("f" if k == 0 else f"f{k}", ["a"], ["b"], [onnx.node(f"f{k + 1}", ["a"], n, "local") for n in "bc"]) for k in range(40)]
        rows = [
            (call, [onnx.function("f", ["a"], ["b"], [itself])], "calls itself"),
            (call, [onnx.function("f", ["a"], ["b"], [onnx.node("g", ["a"], "b", "local")]), onnx.function("g", ["a"], ["b"], [itself])], "calls itself"),
            (call, [onnx.function("f", ["a"], ["b"], [relu])] * 2, "two functions 'f'"),
            (call, [onnx.function("f", ["a"], ["b"], [onnx.node("Relu", ["x"], "b")])], "reads 'y/x'"),
            (call, [*doubling, onnx.function("f40", ["a"], ["b"], [])], "more than 100000 nodes"),
            (call, [], "operator domain 'local' is not supported"),
            ([onnx.node("f", ["x", "x"], "y", "local")], [onnx.function("f", ["a"], ["b"], [relu])], "calls a function of 1 inputs"),
            ([onnx.node("f", ["x"], "y", "local", alpha=1)], [onnx.function("f", ["a"], ["b"], [relu])], "has no attribute alpha"),
        ]  # fmt: skip
        for nodes, functions, say in rows:
            with self.subTest(say=say):
                self.model(nodes, functions)
                self.expect(BAD_DATA, 0, "run", "f.onnx", "x.h5", "f_out.h5", say=say)


if __name__ == "__main__":
    unittest.main()
