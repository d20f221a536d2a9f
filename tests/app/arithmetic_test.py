# SPDX-License-Identifier: Apache-2.0
"""Recomputes 1,000 elements of a run by the expressions of docs/arithmetic.md, in exact fractions. All bits must agree."""
import random
import unittest
from fractions import Fraction

import arithmetic as page
import numpy as np
import tiny_onnx as onnx
from app_case import OK, UNAVAILABLE, AppCase

SAMPLES = 2


class Layers:
    """One model with a layer per case, each with inputs of its own; and the expression of an element of each output."""

    def __init__(self, seed):
        self.numbers = np.random.default_rng(seed)
        self.nodes, self.inputs, self.outputs, self.weights = [], [], [], []
        self.data, self.cases = {}, []

    def tensor(self, *dims):
        return self.numbers.standard_normal(dims).astype("f4")

    def input(self, *dims):
        name = f"x{len(self.data)}"
        self.data[name] = self.tensor(SAMPLES, *dims)
        self.inputs.append(onnx.value_info(name, ["N", *dims]))
        return name, self.data[name]

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(onnx.tensor(name, array.shape, array.ravel()))
        return name

    def integers(self, *values):
        name = f"w{len(self.weights)}"
        self.weights.append(onnx.integers(name, values))
        return name

    def node(self, op, inputs, count, element, **attributes):
        """`element(at, out_shape)` gives an element, of which `count` are compared."""
        name = f"y{len(self.outputs)}"
        self.nodes.append(onnx.node(op, inputs, name, **attributes))
        self.outputs.append(name)
        self.cases.append((name, op, count, element))

    def conv(self, count, in_dims, oc, kernel, stride=1, pads=(0, 0), dilation=1, groups=1):
        """The same stride and dilation along all axes; a bias."""
        ndims = len(in_dims) - 1
        name, x = self.input(*in_dims)
        w, bias = self.tensor(oc, in_dims[0] // groups, *kernel), self.tensor(oc)
        strides, dilations, low = [stride] * ndims, [dilation] * ndims, [pads[0]] * ndims

        def element(at, _):
            return page.add(page.conv(x, w, at, strides, low, dilations, groups), page.exact(bias[at[1]]))

        self.node("Conv", [name, self.constant(w), self.constant(bias)], count, element, strides=strides,
                  pads=low + [pads[1]] * ndims, dilations=dilations, group=groups, kernel_shape=list(kernel))  # fmt: skip

    def conv_transpose(self, count, in_dims, oc, kernel, stride, pads, dilation=1, groups=1):
        ndims = len(in_dims) - 1
        name, x = self.input(*in_dims)
        w = self.tensor(in_dims[0], oc // groups, *kernel)
        strides, dilations, low = [stride] * ndims, [dilation] * ndims, [pads[0]] * ndims

        def element(at, _):
            return page.conv_transpose(x, w, at, strides, low, dilations, groups)

        self.node("ConvTranspose", [name, self.constant(w)], count, element, strides=strides, dilations=dilations,
                  pads=low + [pads[1]] * ndims, group=groups, kernel_shape=list(kernel))  # fmt: skip

    def gemm(self, count, in_dims, oc):
        """Of flattened samples: a convolution over the full extent."""
        name, x = self.input(*in_dims)
        w, bias = self.tensor(oc, int(np.prod(in_dims))), self.tensor(oc)
        filters = w.reshape(oc, *in_dims)
        self.nodes.append(onnx.node("Flatten", [name], f"{name}_flat"))

        def element(at, _):
            total = page.conv(x, filters, (*at, 0, 0), [1, 1], [0, 0], [1, 1])
            return page.add(total, page.exact(bias[at[1]]))

        self.node("Gemm", [f"{name}_flat", self.constant(w), self.constant(bias)], count, element, transB=1)

    def matmul(self, count, rows, inner, columns):
        (a_name, a), (b_name, b) = self.input(rows, inner), self.input(inner, columns)
        self.node("MatMul", [a_name, b_name], count, lambda at, _: page.matmul(a, b, at))
        constant = self.tensor(1, inner, columns)
        self.node("MatMul", [a_name, self.constant(constant)], count, lambda at, _: page.matmul(a, constant, at))

    def average_pool(self, count, in_dims, kernel, stride, pads, is_padding_counted):
        name, x = self.input(*in_dims)
        both = (pads[: len(kernel)], pads[len(kernel) :])

        def element(at, _):
            return page.average_pool(x, at, kernel, stride, both, is_padding_counted)

        self.node("AveragePool", [name], count, element, kernel_shape=list(kernel), strides=list(stride), pads=list(pads),
                  count_include_pad=int(is_padding_counted))  # fmt: skip

    def lrn(self, count, in_dims, size):
        name, x = self.input(*in_dims)
        alpha, bias = np.float32(0.3), np.float32(1.7)
        self.node("LRN", [name], count, lambda at, _: page.lrn_of_beta_one(x, at, size, alpha, bias),
                  size=size, alpha=float(alpha), beta=1.0, bias=float(bias))  # fmt: skip

    def resize(self, count, in_dims, out_dims, mode, coordinate):
        name, x = self.input(*in_dims)
        scales = [np.float32(out) / np.float32(size) for out, size in zip(out_dims, in_dims[1:])]
        sizes = self.integers(SAMPLES, in_dims[0], *out_dims)
        self.node("Resize", [name, "", "", sizes], count, lambda at, shape: page.linear_resize(x, at, shape, coordinate, scales),
                  mode="linear", coordinate_transformation_mode=mode)  # fmt: skip

    def scale(self, count, in_dims, factors, mode, coordinate):
        name, x = self.input(*in_dims)
        scales = self.constant(np.array([1, 1, *factors], "f4"))
        factors = np.array(factors, "f4")
        self.node("Resize", [name, "", scales], count, lambda at, shape: page.linear_resize(x, at, shape, coordinate, factors),
                  mode="linear", coordinate_transformation_mode=mode)  # fmt: skip

    def reductions(self, count, in_dims, spread):
        """Numbers of very different sizes, half of them cancelled by others."""
        name, x = self.input(*in_dims)
        x *= 2.0 ** self.numbers.integers(-spread, spread + 1, x.shape)
        half = x.shape[3] // 2
        x[..., half : 2 * half] = -x[..., :half] * (1 + 2.0**-20)
        space = in_dims[1] * in_dims[2]
        self.node("GlobalAveragePool", [name], count, lambda at, _: page.exact_sum(x[at[0], at[1]].flat, space))
        self.node("ReduceMean", [name], count, lambda at, _: page.exact_sum(x[at[0], at[1]].flat, space), axes=[2, 3], keepdims=0)
        self.node("ReduceSum", [name, self.integers(3)], count, lambda at, _: page.exact_sum(x[at[:3]]))
        self.node("ReduceSum", [name, self.integers(1, 3)], count, lambda at, _: page.exact_sum(x[at[0], :, at[2]].flat))


def all_layers():
    layers = Layers(seed=20)
    layers.conv(80, (5, 11, 9), 6, (3, 3), stride=2, pads=(1, 2))
    layers.conv(60, (4, 12, 13), 5, (3, 2), pads=(3, 1), dilation=2)
    layers.conv(60, (3, 6, 7, 5), 4, (3, 2, 3), stride=2, pads=(1, 1))
    layers.conv(12, (256, 3, 4), 5, (3, 3), pads=(1, 1))  # four leaves
    layers.conv(20, (200, 4, 3), 3, (3, 2), pads=(1, 1))  # two
    layers.conv(12, (1029, 2, 2), 7, (1, 1))  # two of 514 and 515 channels
    layers.conv(60, (12, 7, 8), 9, (3, 3), pads=(1, 1), groups=3)
    layers.conv(60, (10, 9, 7), 10, (3, 3), pads=(1, 1), groups=10)
    layers.conv_transpose(80, (6, 5, 7), 4, (3, 4), 2, (1, 0), groups=2)
    layers.conv_transpose(60, (4, 3, 4, 3), 3, (3, 2, 3), 2, (1, 1))
    layers.conv_transpose(40, (5, 6, 5), 3, (3, 3), 3, (2, 1), dilation=2)
    layers.conv_transpose(12, (160, 3, 3), 3, (2, 2), 2, (0, 0))  # one leaf
    layers.conv_transpose(12, (160, 3, 3), 3, (3, 3), 2, (1, 0))  # two
    layers.gemm(12, (130, 3, 3), 8)  # two leaves
    layers.matmul(10, 6, 1100, 5)
    layers.matmul(40, 7, 9, 8)
    layers.average_pool(60, (4, 9, 8), (3, 3), (2, 2), (1, 0, 1, 1), is_padding_counted=False)
    layers.average_pool(60, (4, 9, 8), (3, 2), (2, 1), (1, 1, 0, 1), is_padding_counted=True)
    layers.lrn(60, (7, 5, 4), 4)
    layers.resize(60, (3, 5, 7), (11, 9), "half_pixel", page.half_pixel)
    layers.resize(40, (2, 3, 4, 5), (5, 3, 9), "align_corners", page.align_corners)
    layers.scale(40, (2, 7, 5), (0.6, 1.7), "align_corners", page.align_corners)
    layers.reductions(12, (1024, 6, 3), 4)
    layers.reductions(12, (20, 9, 40), 60)
    return layers


class Arithmetic(AppCase):
    """The backends reference and cpu against the page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.layers = all_layers()
        layers = cls.layers
        onnx.write_model(cls.path("layers.onnx"), layers.nodes, layers.inputs, layers.outputs, layers.weights)
        cls.write("layers.h5", **layers.data)

    def check_elements(self, computed, op, count, element, choice):
        for position in choice.sample(range(computed.size), count):
            at = tuple(int(k) for k in np.unravel_index(position, computed.shape))
            expected = np.float32(float(element(at, computed.shape)))
            found = computed[at]
            self.assertEqual(found.tobytes(), expected.tobytes(), f"{op} at {at}: {found}, expected {expected}")

    def check_backend(self, backend, **environment):
        self.expect(OK, 0, "run", "layers.onnx", "layers.h5", "out.h5", "--backend", backend, "--force", "--quiet", **environment)
        choice = random.Random(7)
        for name, op, count, element in self.layers.cases:
            with self.subTest(backend=backend, output=name, operator=op, **environment):
                file = "out.h5" if name == self.layers.outputs[0] else f"out.{name}.h5"
                self.check_elements(self.result(file), op, count, element, choice)

    def test_a_thousand_elements_of_the_reference_equal_the_page(self):
        self.assertGreaterEqual(sum(count for _, _, count, _ in self.layers.cases), 1000)
        self.check_backend("reference")

    def test_a_thousand_elements_of_the_backend_cpu_equal_the_page(self):
        self.check_backend("cpu")
        self.check_backend("cpu", PARCONV_ISA="portable")

    def test_an_unknown_backend_is_refused(self):
        for more in ([], ["--dry-run", "--ranks", 2]):
            self.run_small(0, "none.h5", "--backend", "abacus", *more, code=UNAVAILABLE, say='this build has no backend "abacus" for CPUs')
        self.assertEqual(self.leftovers("none.h5"), [])

    def test_rounding_is_that_of_ieee_754(self):
        numbers = np.random.default_rng(3)
        doubles = np.concatenate([numbers.standard_normal(200), 1 + np.arange(8) * 2.0**-25, numbers.standard_normal(50) * 1e-42])
        for number in doubles:
            self.assertEqual(page.rounded(Fraction(float(number))), Fraction(float(np.float32(number))))

    def test_order_shows(self):
        """The sums of the test depend on leaves: another order has other bits."""
        x, w = self.layers.tensor(1, 256, 1, 1), self.layers.tensor(1, 256, 3, 3)
        padded = np.zeros((1, 256, 3, 3), "f4") + x
        ones = [1, 1]
        in_leaves = page.conv(padded, w, (0, 0, 0, 0), ones, [0, 0], ones)
        in_one_chain = page.chain((padded[0, c, h, v], w[0, c, h, v]) for h in range(3) for v in range(3) for c in range(256))
        self.assertNotEqual(in_leaves, in_one_chain)


if __name__ == "__main__":
    unittest.main()
