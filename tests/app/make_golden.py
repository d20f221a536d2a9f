#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_golden.py FILE: writes golden.json, what the example networks make of a fixed input, by an implementation of its own.

Every operator is a plain loop in double precision, written from the ONNX specification. Needs the Python packages onnx and numpy;
where onnxruntime is installed too, its results are compared. The test reads the committed file and needs neither.
"""
import json
import os
import sys

import numpy as np

SHAPE = (1, 3, 11, 13)
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "apps", "examples")
NETWORKS = ("denoiser", "filters")


def fixed_input(shape=SHAPE):
    """Quarters of [0, 252], exact in every type that holds f32, in no order that a filter could favour."""
    return (np.arange(np.prod(shape)) * 7919 % 1009 / 4).astype("f4").reshape(shape)


def conv(x, weights, bias=None, group=1, pads=(0, 0, 0, 0), **others):
    assert all(set(values) == {1} for name, values in others.items() if name in ("strides", "dilations")), others
    samples, _, height, width = x.shape
    outputs, inputs, rows, columns = weights.shape
    result = np.zeros((samples, outputs, height + pads[0] + pads[2] - rows + 1, width + pads[1] + pads[3] - columns + 1))
    for n, o, h, w in np.ndindex(result.shape):
        first = o // (outputs // group) * inputs
        total = 0.0 if bias is None else float(bias[o])
        for i, r, c in np.ndindex(inputs, rows, columns):
            row, column = h + r - pads[0], w + c - pads[1]
            if 0 <= row < height and 0 <= column < width:
                total += float(x[n, first + i, row, column]) * float(weights[o, i, r, c])
        result[n, o, h, w] = total
    return result


OPERATORS = {
    "Conv": conv,
    "Relu": lambda x: np.maximum(x, 0),
    "Add": lambda a, b: a + b,
    "Clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}


def evaluate(model, x):
    from onnx import helper, numpy_helper

    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    values[model.graph.input[0].name] = x
    for node in model.graph.node:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        attributes.pop("kernel_shape", None)  # that of the weights
        values[node.output[0]] = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
    return values[model.graph.output[0].name]


def compare_with_onnxruntime(path, x, expected):
    try:
        import onnxruntime
    except ImportError:
        return
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: x})[0]
    worst = np.abs(found - expected).max() / np.abs(expected).max()
    print(f"{os.path.basename(path)}: ONNX Runtime {onnxruntime.__version__} differs by at most {worst:.1e} of the largest value")
    assert worst < 1e-5


def main():
    import onnx

    golden = {}
    for name in NETWORKS:
        path = os.path.join(EXAMPLES, name + ".onnx")
        output = evaluate(onnx.load(path), fixed_input())
        compare_with_onnxruntime(path, fixed_input(), output)
        golden[name] = {"shape": output.shape, "values": [float(f"{value:.9g}") for value in output.ravel()]}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
