# SPDX-License-Identifier: Apache-2.0
"""Digests of the outputs of twelve jobs: the same on every CPU, with every instruction set, under every split, and of the reference."""
import hashlib
import json
import os
import subprocess
import unittest
from dataclasses import dataclass

import numpy as np
import tiny_onnx as onnx
from app_case import MAKE_MODELS, OK, UNAVAILABLE, AppCase
from make_golden import EXAMPLES

DIGESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digests.json")
INSTRUCTION_SETS = ("avx512", "avx2", "portable")


def numbers(seed, *shape):
    """Numbers of [-1, 1) with 24 bits, the same on every machine: the finaliser of MurmurHash3 (Appleby, 2011) on integers."""
    x = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(seed << 32)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        x = (x ^ (x >> np.uint64(33))) * np.uint64(factor)
    return ((x >> np.uint64(40)).astype("f4") / np.float32(2**23) - np.float32(1)).reshape(shape)


class Chain:
    """A model whose nodes follow one another, or name their inputs."""

    def __init__(self):
        self.nodes, self.weights, self.last = [], [], "x"

    def add(self, op, *constants, inputs=None, **attributes):
        """`constants` follow the inputs: arrays of f32, or lists of integers."""
        names = list(inputs or [self.last])
        for constant in constants:
            names.append(f"w{len(self.weights)}")
            encoded = onnx.integers(names[-1], constant) if isinstance(constant, list) else onnx.tensor(names[-1], constant.shape, constant.ravel())
            self.weights.append(encoded)
        self.last = f"y{len(self.nodes)}"
        self.nodes.append(onnx.node(op, names, self.last, **attributes))
        return self.last

    def conv(self, op, *shape, bias=None, **attributes):
        """Weights that keep the magnitude of activations; the bias has as many elements as there are output channels."""
        scale = 2.0 ** -(int(np.prod(shape[1:])).bit_length() // 2)
        weights = numbers(len(self.nodes), *shape) * np.float32(scale)
        more = [] if bias is None else [numbers(len(self.nodes) + 1000, bias)]
        return self.add(op, weights, *more, kernel_shape=list(shape[2:]), **attributes)

    def write(self, path, *dims):
        onnx.write_model(path, self.nodes, [onnx.value_info("x", ["N", *dims])], [self.last], self.weights, opset=20)


def operators():
    """Windows of all kinds, the functions, reductions and normalisations, for images of 8 channels of 17 x 14 pixels."""
    net = Chain()
    net.conv("Conv", 40, 8, 3, 3, bias=40, pads=[1, 1, 1, 1])
    net.add("Gelu")
    net.conv("Conv", 36, 10, 3, 2, bias=36, group=4, dilations=[2, 1], pads=[2, 0, 2, 1])
    net.add("LRN", size=5, alpha=0.3, beta=0.75, bias=1.5)
    net.add("Elu")
    net.conv("ConvTranspose", 36, 24, 3, 2, bias=24, strides=[2, 3], pads=[1, 0, 0, 1])
    net.add("InstanceNormalization", numbers(50, 24) + np.float32(1.5), numbers(51, 24))
    net.add("Mish")
    net.conv("Conv", 24, 1, 5, 3, group=24, strides=[1, 2], pads=[2, 1, 2, 1])
    net.add("Softplus")
    net.add("AveragePool", kernel_shape=[3, 3], strides=[2, 1], pads=[1, 1, 1, 1], count_include_pad=0)
    wide = net.add("Resize", np.zeros(0, "f4"), np.array([1, 1, 1.5, 1.25], "f4"), mode="linear")
    net.add("GlobalAveragePool")
    net.conv("Conv", 24, 24, 1, 1)
    net.add("Sigmoid")
    net.add("Mul", inputs=[wide, net.last])
    net.add("Sin")
    net.add("Softmax", axis=1)
    net.add("Pow", np.array([0.7], "f4"))
    net.add("MatMul", numbers(52, 25, 31))
    net.add("LayerNormalization", numbers(53, 31), numbers(54, 31), axis=-1)
    net.add("Erf")
    joined = net.last
    net.add("ReduceLogSumExp", [1], keepdims=1)
    net.add("Tanh", inputs=[net.last])
    net.add("Concat", inputs=[joined, net.last], axis=1)
    return net


def leaves():
    """Sums over channels of two, four and eight leaves, for 256 channels of 6 x 5 pixels."""
    net = Chain()
    first = net.conv("Conv", 256, 256, 3, 3, bias=256, pads=[1, 1, 1, 1])
    net.add("Relu")
    net.conv("Conv", 256, 256, 3, 3, pads=[1, 1, 1, 1])
    net.add("Add", inputs=[first, net.last])
    net.conv("ConvTranspose", 256, 160, 2, 2, bias=160, strides=[2, 2])
    net.conv("Conv", 640, 160, 3, 3, strides=[2, 2], pads=[1, 1, 0, 1])
    net.conv("Conv", 64, 640, 3, 3, bias=64, dilations=[2, 2], pads=[2, 2, 2, 2])
    return net


@dataclass(frozen=True)
class Job:
    """A model, the shape of its input, and ranks and splits under which the bits are the same."""

    model: str
    shape: tuple
    dtype: str = "f32"
    splits: tuple = ()


PICTURE, VOLUME = (1, 3, 37, 45), (1, 4, 32, 40, 33)
JOBS = {
    "denoiser f32": Job("denoiser", PICTURE, splits=((2, "h"),)),
    "denoiser bf16": Job("denoiser", PICTURE, "bf16", splits=((2, "w"),)),
    "denoiser f16": Job("denoiser", PICTURE, "f16"),
    "filters f32": Job("filters", PICTURE),
    "resnet50 f32": Job("resnet50", (2, 3, 64, 80), splits=((2, "f"),)),
    "resnet50 bf16": Job("resnet50", (2, 3, 64, 80), "bf16"),
    "unet f32": Job("unet", (1, 1, 48, 64)),
    "unet f16": Job("unet", (1, 1, 48, 64), "f16", splits=((2, "f"),)),
    "net3d f32": Job("net3d", VOLUME, splits=((2, "d"),)),
    "operators f32": Job("operators", (2, 8, 17, 14), splits=((2, "h"),)),
    "operators bf16": Job("operators", (2, 8, 17, 14), "bf16"),
    "leaves f32": Job("leaves", (1, 256, 6, 5), splits=((2, "c"), (2, "stages"))),
}
MADE_HERE = {"resnet50": "64x80", "unet": "any", "net3d": "32x40x33"}


class Digests(AppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, size in MADE_HERE.items():
            subprocess.run([MAKE_MODELS, name, cls.path(f"{name}.onnx"), "--size", size], check=True)
        for make in (operators, leaves):
            make().write(cls.path(f"{make.__name__}.onnx"), *JOBS[f"{make.__name__} f32"].shape[1:])
        for shape in {job.shape for job in JOBS.values()}:
            cls.write(cls.input_of(shape), x=numbers(7, *shape) * np.float32(128))

    @staticmethod
    def input_of(shape):
        return "x".join(map(str, shape)) + ".h5"

    def instruction_sets(self):
        """Those that this CPU has."""
        found = []
        for name in INSTRUCTION_SETS:
            done = self.start(0, "run", "small.onnx", "in.h5", "none.h5", "--force", "--quiet", PARCONV_ISA=name)
            self.assertIn(done.returncode, (OK, UNAVAILABLE), done.stderr)
            if done.returncode == OK:
                found.append(name)
        self.assertIn("portable", found)
        return found

    def digest(self, job, isa, ranks=0, split="1", backend="cpu"):
        """Of the output of a job; ranks = 0: without mpirun."""
        own = self.path(f"{job.model}.onnx")
        model = own if os.path.exists(own) else os.path.join(EXAMPLES, f"{job.model}.onnx")
        self.expect(OK, ranks, "run", model, self.input_of(job.shape), "out.h5", "--split", split, "--dtype", job.dtype, "--backend", backend,
                    "--threads", 1, "--force", "--quiet", PARCONV_ISA=isa)  # fmt: skip
        result = self.result("out.h5").astype("<f4")
        self.assertTrue(np.isfinite(result).all())
        self.assertGreater(np.unique(result).size, min(result.size, 1000) // 2)
        return hashlib.sha256(result.tobytes()).hexdigest()

    def test_twelve_outputs(self):
        with open(DIGESTS, encoding="utf-8") as file:
            expected = json.load(file)["digests"]
        self.assertEqual(list(expected), list(JOBS))
        for isa in self.instruction_sets():
            for name, job in JOBS.items():
                with self.subTest(job=name, isa=isa):
                    self.assertEqual(self.digest(job, isa), expected[name])
        for name, job in JOBS.items():
            with self.subTest(job=name, backend="reference"):
                self.assertEqual(self.digest(job, "", backend="reference"), expected[name])
            for ranks, split in job.splits:
                with self.subTest(job=name, ranks=ranks, split=split):
                    self.assertEqual(self.digest(job, "", ranks, split), expected[name])

    def test_the_numbers_are_those_of_the_formula(self):
        """In integers of Python, which have no width."""
        for at, found in enumerate(numbers(3, 50)):
            x = at + (3 << 32)
            for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
                x = (x ^ x >> 33) * factor % 2**64
            self.assertEqual(float(found), (x >> 40) / 2**23 - 1)


if __name__ == "__main__":
    unittest.main()
