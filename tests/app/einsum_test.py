# SPDX-License-Identifier: Apache-2.0
"""Einsum of data, and of data and constants, under several splits: NumPy is the oracle."""
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, OK, AppCase

SHAPES = {"n": 4, "h": 2, "i": 5, "j": 6, "d": 3, "o": 7}
RNG = np.random.default_rng(11)


def operand(labels):
    return RNG.integers(-3, 4, [SHAPES[label] for label in labels]).astype("f4")


class Einsum(AppCase):
    def model(self, equation):
        """The first operand is data; a second one is data if it has the label n, else a constant."""
        left = equation.split("->")[0].replace(" ", "").split(",")
        values = {f"x{k}": operand(labels) for k, labels in enumerate(left)}
        data = {name: value for (name, value), labels in zip(values.items(), left) if "n" in labels}
        inputs = [onnx.value_info(name, value.shape) for name, value in data.items()]
        weights = [onnx.array(name, value) for name, value in values.items() if name not in data]
        onnx.write_model(self.path("e.onnx"), [onnx.node("Einsum", list(values), "y", equation=equation)], inputs, ["y"], weights)
        self.write("e.h5", **data)
        return np.einsum(equation.replace(" ", ""), *values.values())

    def test_products_and_sums(self):
        equations = (
            "nhid,nhjd->nhij", "nhij,nhjd->nhid", "nij,njd -> nid", "nihd,njhd->nhij", "nhid,od->nhio", "nhid,hdo->nio",
            "nhij,nij->nhj", "nid->ndi", "nhid->nd", "nhij,nhij->nh", "nhid,nhjd", "nij,dj->ndi", "nhid,hi->nd",
        )  # fmt: skip
        for k, equation in enumerate(equations):
            expected = self.model(equation)
            for np_, split in ((1, "1"), ((3, "auto"), (2, "n"))[k % 2]):
                with self.subTest(equation=equation, split=split):
                    self.expect(OK, np_, "run", "e.onnx", "e.h5", "e_out.h5", "--split", split, "--force", "--quiet")
                    np.testing.assert_array_equal(self.result("e_out.h5").reshape(expected.shape), expected)

    def test_refusals(self):
        for equation, say in (("n...->n", "'.'"), ("nii->ni", "diagonal"), ("nij->nk", "label k"), ("nij,nj,nj->n", "more than two operands")):
            shapes = {"x0": [4, 5, 5]} if equation != "nij,nj,nj->n" else {"x0": [4, 5, 5], "x1": [4, 5], "x2": [4, 5]}
            onnx.write_model(self.path("e.onnx"), [onnx.node("Einsum", list(shapes), "y", equation=equation)],
                             [onnx.value_info(name, shape) for name, shape in shapes.items()], ["y"])  # fmt: skip
            self.write("e.h5", **{name: np.zeros(shape, "f4") for name, shape in shapes.items()})
            self.expect(BAD_DATA, 0, "run", "e.onnx", "e.h5", "e_out.h5", say=say)


if __name__ == "__main__":
    unittest.main()
