# SPDX-License-Identifier: Apache-2.0
"""Operators on constants, evaluated while a model is read: NumPy is the oracle."""
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, OK, AppCase

f4, f8, i4, i8, u1, b1 = np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_
RNG = np.random.default_rng(5)


def ints(*shape, low=-9, high=10):
    return RNG.integers(low, high, shape).astype(i8)


def floats(*shape):
    return RNG.standard_normal(shape).astype(f4)


def lists(*values):
    return np.array(values, i8)


def scatter_nd(data, indices, updates):
    result = data.copy()
    for place in np.ndindex(indices.shape[:-1]):
        result[tuple(indices[place])] = updates[place]
    return result


def standardised(x, scale, bias, epsilon):
    axes = tuple(k for k in range(x.ndim) if k != 1)
    shape = [-1 if k == 1 else 1 for k in range(x.ndim)]
    x = x.astype(f8)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * scale.reshape(shape) + bias.reshape(shape)


class Case:
    def __init__(self, op, inputs, expected, **attributes):
        self.op, self.inputs, self.attributes = op, inputs, attributes
        self.expected = np.asarray(expected)


def elementwise_cases():
    a, b, m, n = floats(2, 3, 4), floats(3, 1), ints(2, 3), ints(3)
    n[n == 0] = 2
    yield from (Case(op, [a, b], f(a, b)) for op, f in (("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Div", np.divide)))
    yield from (Case(op, [m, n], f(m, n)) for op, f in (("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Max", np.maximum), ("Min", np.minimum)))
    yield Case("Div", [m, n], np.trunc(m / n).astype(i8))
    yield Case("Mod", [m, n], np.mod(m, n), fmod=0)
    yield Case("Mod", [m, n], np.fmod(m, n), fmod=1)
    yield Case("Mod", [a, b], np.fmod(a, b), fmod=1)
    yield Case("Max", [a, b, a + 1], np.maximum(a + 1, b))
    yield Case("Pow", [np.abs(a), b], np.power(np.abs(a), b))
    yield Case("Pow", [m, lists(3)], m**3)
    yield Case("Pow", [a, lists(2)], a * a)
    for op, f in (("Equal", np.equal), ("Greater", np.greater), ("Less", np.less), ("GreaterOrEqual", np.greater_equal), ("LessOrEqual", np.less_equal)):
        yield Case(op, [m, n], f(m, n))
        yield Case(op, [a, a.round(1)], f(a, a.round(1)))
    p, q = m > 0, np.array([True, False, True])
    yield from (Case(op, [p, q], f(p, q)) for op, f in (("And", np.logical_and), ("Or", np.logical_or), ("Xor", np.logical_xor)))
    yield Case("Not", [p], ~p)
    yield Case("Where", [p, m, n], np.where(p, m, n))
    yield Case("Where", [p, m.astype(f4), f4(0.5)], np.where(p, m.astype(f4), f4(0.5)))
    for op, f in (("Neg", np.negative), ("Abs", np.abs), ("Sign", np.sign)):
        yield Case(op, [m], f(m))
        yield Case(op, [a], f(a))
    for op, f in (("Exp", np.exp), ("Floor", np.floor), ("Ceil", np.ceil), ("Round", np.round), ("Sin", np.sin), ("Cos", np.cos), ("Tanh", np.tanh)):
        yield Case(op, [a * 3], f(a * 3))
    for op, f in (("Sqrt", np.sqrt), ("Log", np.log), ("Reciprocal", np.reciprocal)):
        yield Case(op, [np.abs(a)], f(np.abs(a)))
    yield Case("Clip", [a, f4(-0.5), f4(0.25)], np.clip(a, f4(-0.5), f4(0.25)))
    yield Case("Clip", [m, i8(-2)], np.maximum(m, -2))
    yield Case("Cast", [a * 100], (a * 100).astype(i8), to=7)
    yield Case("Cast", [m], m != 0, to=9)
    yield Case("Cast", [a], a.astype(np.float16), to=10)
    yield Case("IsNaN", [np.array([1, np.nan, np.inf], f4)], [False, True, False])
    # Neither f32 nor f64 holds these.
    big = lists(2**53 + 1, 2**62 + 3)
    yield Case("Sub", [big, lists(2**53, 2**62)], lists(1, 3))
    yield Case("Equal", [big, big - 1], [False, False])
    tiny = np.array([1e-12], f8)
    yield Case("Cast", [tiny], tiny.astype(f4), to=1)
    yield Case("Sub", [tiny + 1, np.array([1.0], f8)], (tiny + 1) - 1)


def move_cases():
    x, m = floats(2, 3, 4, 5), ints(2, 3, 4)
    yield Case("Transpose", [x], x.transpose(2, 0, 3, 1), perm=[2, 0, 3, 1])
    yield Case("Transpose", [m], m.T)
    yield Case("Expand", [m, lists(5, 1, 1, 1)], np.broadcast_to(m, (5, 2, 3, 4)))
    yield Case("Tile", [m, lists(1, 2, 3)], np.tile(m, (1, 2, 3)))
    yield Case("Concat", [m, np.zeros((2, 0, 4), i8), m], np.concatenate([m, m], 1), axis=1)
    yield Case("Concat", [x, x], np.concatenate([x, x], -1), axis=-1)
    yield Case("Slice", [x, lists(-1, 0), lists(-(2**63), 3), lists(3, 1), lists(-2, 2)], x[:, 0:3:2, :, ::-2])
    yield Case("Slice", [m, lists(1), lists(2**63 - 1), lists(2)], m[:, :, 1:])
    yield Case("Slice", [m, lists(3), lists(1), lists(1)], m[:, 3:1])
    for mode in ("constant", "edge", "reflect", "wrap"):
        pads = lists(0, 1, 3, 0, 2, 1)
        yield Case("Pad", [m, pads], np.pad(m, [(0, 0), (1, 2), (3, 1)], mode), mode=mode)
    yield Case("Pad", [x, lists(1, 2), f4(7), lists(-1)], np.pad(x, [(0, 0)] * 3 + [(1, 2)], constant_values=7))
    yield Case("Pad", [x, lists(0, 0, 0, -1, 0, 0, 0, -2)], x[..., 1:-2])
    yield Case("Trilu", [x, i8(1)], np.triu(x, 1))
    yield Case("Trilu", [x], np.tril(x), upper=0)


def index_cases():
    x, m = floats(3, 4, 5), ints(3, 4)
    yield Case("Gather", [x, lists(-1, 0, 2)], x.take([-1, 0, 2], 1), axis=1)
    yield Case("Gather", [m, np.array([[1, -4], [2, 3]], i4)], m.take([[1, -4], [2, 3]], -1), axis=-1)
    yield Case("Gather", [m, i8(2)], m[2])
    table, places = ints(2000, 3), ints(40, 40, low=0, high=2000)
    yield Case("Gather", [table, places], table[places])
    along = ints(3, 2, 5, low=-4, high=4)
    yield Case("GatherElements", [x, along], np.take_along_axis(x, along % 4, 1), axis=1)
    yield Case("GatherND", [x, lists([2, -1], [0, 1])], x[[2, 0], [-1, 1]])
    yield Case("GatherND", [x, lists([1], [0], [3])], np.stack([x[0, 1], x[1, 0], x[2, 3]]), batch_dims=1)
    updates = ints(2, 4)
    yield Case("ScatterND", [m, lists([2], [0]), updates], scatter_nd(m, lists([2], [0]), updates))
    yield Case("ScatterND", [x, lists([0, 1], [2, 3]), floats(2, 5) * 0], scatter_nd(x, lists([0, 1], [2, 3]), np.zeros((2, 5), f4)))
    scattered = m.copy()
    np.put_along_axis(scattered, lists([3], [0], [1]), lists([70], [71], [72]), 1)
    yield Case("ScatterElements", [m, lists([3], [0], [1]), lists([70], [71], [72])], scattered, axis=1)
    yield Case("OneHot", [lists(1, -1, 0), i8(3), np.array([0.5, 2], f4)], np.array([[0.5, 2, 0.5], [0.5, 0.5, 2], [2, 0.5, 0.5]], f4))
    yield Case("OneHot", [lists(1, 0), i8(2), lists(0, 1)], lists([0, 1], [1, 0]), axis=0)
    sparse = np.where(m > 3, m, 0)
    yield Case("NonZero", [sparse], np.array(np.nonzero(sparse)))


def generator_cases():
    yield Case("Range", [i8(3), i8(20), i8(4)], np.arange(3, 20, 4))
    yield Case("Range", [i4(5), i4(-3), i4(-2)], np.arange(5, -3, -2))
    yield Case("Range", [f4(0), f4(1), f4(0.25)], np.arange(0, 1, 0.25))
    yield Case("ConstantOfShape", [lists(2, 3)], np.zeros((2, 3)))
    yield Case("Shape", [floats(2, 0, 3)], lists(2, 0, 3))
    yield Case("Size", [floats(2, 5, 3)], i8(30))
    yield Case("EyeLike", [ints(3, 4)], np.eye(3, 4, 1), k=1)


def reduction_cases():
    x, m = floats(2, 3, 4), ints(2, 3, 4)
    for op, f in (("ReduceMax", np.max), ("ReduceMin", np.min), ("ReduceMean", np.mean), ("ReduceProd", np.prod)):
        yield Case(op, [x], f(x, (0, 2), keepdims=True), axes=[0, 2])
        yield Case(op, [x], f(x, 1), axes=[1], keepdims=0)
    yield Case("ReduceSum", [x, lists(-1)], x.sum(-1, keepdims=True))
    yield Case("ReduceSum", [m], m.sum(), keepdims=0)
    yield Case("ReduceSum", [m], m, noop_with_empty_axes=1)
    yield Case("ReduceMax", [m], m.max(1), axes=[1], keepdims=0)
    yield Case("ReduceL2", [x], np.sqrt((x.astype(f8) ** 2).sum(2)), axes=[2], keepdims=0)
    yield Case("ArgMax", [m], m.argmax(1), axis=1, keepdims=0)
    yield Case("ArgMin", [m], np.expand_dims(m.argmin(2), 2), axis=2)
    yield Case("ArgMax", [lists(1, 5, 5, 2)], lists(2), select_last_index=1)
    yield Case("CumSum", [m, i8(1)], m.cumsum(1))
    yield Case("CumSum", [m, i8(-1)], np.flip(np.flip(m, -1).cumsum(-1), -1), reverse=1)
    yield Case("CumSum", [m, i8(0)], np.stack([m[0] * 0, m[0]]), exclusive=1)
    yield Case("TopK", [x, lists(2)], np.flip(np.sort(x, -1), -1)[..., :2])
    yield Case("TopK", [x, lists(2)], np.sort(x, 1)[:, :2], axis=1, largest=0)
    a, b, v = floats(2, 1, 3, 4), floats(5, 4, 2), floats(4)
    yield Case("MatMul", [a, b], a.astype(f8) @ b)
    yield Case("MatMul", [a, v], a.astype(f8) @ v)
    yield Case("MatMul", [v, b], v.astype(f8) @ b)
    w, scale, bias = floats(1, 3, 20), floats(3), floats(3)
    yield Case("BatchNormalization", [w, scale, bias, bias, scale], standardised(w, scale, bias, 1e-5), training_mode=1)


class Constants(AppCase):
    """All cases of a kind are one model: its output is x plus the results, one after another."""

    def write_cases(self, name, cases):
        nodes, weights = [], [onnx.integers("flat", [-1])]
        for k, case in enumerate(cases):
            for j, value in enumerate(case.inputs):
                weights.append(onnx.array(f"c{k}.{j}", np.asarray(value)))
            inputs = [f"c{k}.{j}" for j in range(len(case.inputs))]
            nodes.append(onnx.node(case.op, inputs, f"r{k}", **case.attributes))
            nodes.append(onnx.node("Cast", [f"r{k}"], f"f{k}", to=onnx.FLOAT))
            nodes.append(onnx.node("Reshape", [f"f{k}", "flat"], f"l{k}"))
        nodes.append(onnx.node("Concat", [f"l{k}" for k in range(len(cases))], "all", axis=0))
        nodes.append(onnx.node("Add", ["x", "all"], "y"))
        onnx.write_model(self.path(name), nodes, [onnx.value_info("x", [1, 1])], ["y"], weights, opset=17)

    def check(self, cases):
        cases = list(cases)
        self.write_cases("c.onnx", cases)
        self.write("c.h5", x=np.zeros((1, 1), f4))
        self.expect(OK, 0, "run", "c.onnx", "c.h5", "c_out.h5", "--force", "--quiet")
        result = self.result("c_out.h5").ravel()
        for case in cases:
            expected = case.expected.astype(f4).ravel()
            found, result = result[: expected.size], result[expected.size :]
            with self.subTest(op=case.op, attributes=case.attributes):
                np.testing.assert_allclose(found, expected, rtol=3e-7, atol=1e-7, err_msg=case.op)
        self.assertEqual(result.size, 0)

    def test_elementwise(self):
        self.check(elementwise_cases())

    def test_moves(self):
        self.check(move_cases())

    def test_indices(self):
        self.check(index_cases())

    def test_generators(self):
        self.check(generator_cases())

    def test_reductions(self):
        self.check(reduction_cases())

    def test_impossible_constants_are_refused(self):
        wrong = [
            (Case("Gather", [lists(1, 2), lists(2)], 0), "index 2 is out of range for 2"),
            (Case("Div", [lists(1), lists(0)], 0), "divides by zero"),
            (Case("Add", [lists(2**63 - 1), lists(1)], 0), "does not fit in 64 bits"),
            (Case("Add", [np.array([2**31 - 1], i4), np.array([1], i4)], 0), "2147483648, which int32 cannot hold"),
            (Case("CumSum", [lists(2**63 - 1, 1), i8(0)], 0), "does not fit in 64 bits"),
            (Case("CumSum", [np.array([2**31 - 1, 1], i4), i8(0)], 0), "2147483648, which int32 cannot hold"),
            (Case("ReduceSum", [np.array([2**31 - 1, 1], i4)], 0), "2147483648, which int32 cannot hold"),
            (Case("ScatterND", [lists(2**62), lists([0]), lists(4)], 0, reduction="mul"), "does not fit in 64 bits"),
            (Case("Cast", [f4(300)], 0, to=2), "300, which uint8 cannot hold"),
            (Case("Add", [lists(1, 2), lists(1, 2, 3)], 0), "cannot broadcast constants of [2] and [3]"),
            (Case("Range", [i8(0), i8(2**40), i8(1)], 0), "elements"),
            (Case("Expand", [f4(1), lists(2**30)], 0), "more than 2^24 elements"),
            (Case("ScatterND", [lists(1, 2), lists([5]), lists(1)], 0), "index 5 is out of range for 2"),
        ]
        self.write("c.h5", x=np.zeros((1, 1), f4))
        for case, message in wrong:
            self.write_cases("w.onnx", [case])
            self.expect(BAD_DATA, 0, "run", "w.onnx", "c.h5", "w_out.h5", say=message)


if __name__ == "__main__":
    unittest.main()
