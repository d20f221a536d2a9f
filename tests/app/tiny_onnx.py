# SPDX-License-Identifier: Apache-2.0
"""Encodes small ONNX models byte by byte, including malformed ones."""
import struct

FLOAT, INT64 = 1, 7


def varint(number):
    number &= (1 << 64) - 1
    result = b""
    while number > 127:
        result += bytes([number & 127 | 128])
        number >>= 7
    return result + bytes([number])


def integer(field, number):
    return varint(field << 3) + varint(number)


def data(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, value):
    """Attributes from integers, lists of integers, floats and strings."""
    if isinstance(value, float):
        return data(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + integer(20, 1)
    if isinstance(value, str):
        return data(1, name) + data(4, value) + integer(20, 3)
    if isinstance(value, list):
        return data(1, name) + b"".join(integer(8, v) for v in value) + integer(20, 7)
    return data(1, name) + integer(3, value) + integer(20, 2)


def node(op, inputs, output, domain="", references=(), **attributes):
    """`references`: pairs of an attribute and that of the function that gives its value, in a body."""
    outputs = [output] if isinstance(output, str) else output
    return (
        b"".join(data(1, name) for name in inputs)
        + b"".join(data(2, name) for name in outputs)
        + data(3, outputs[0])
        + data(4, op)
        + b"".join(data(5, attribute(name, value)) for name, value in attributes.items())
        + b"".join(data(5, data(1, name) + data(21, of) + integer(20, 1)) for name, of in references)
        + (data(7, domain) if domain else b"")
    )


def function(name, inputs, outputs, nodes, attributes=(), defaults=None, opset=13, domain="local"):
    """A function of a model, for write_model; `attributes` have no default."""
    return (
        data(1, name)
        + b"".join(data(4, i) for i in inputs)
        + b"".join(data(5, o) for o in outputs)
        + b"".join(data(6, a) for a in attributes)
        + b"".join(data(7, n) for n in nodes)
        + data(9, integer(2, opset))
        + data(10, domain)
        + b"".join(data(11, attribute(key, value)) for key, value in (defaults or {}).items())
    )


def tensor(name, dims, values=None):
    raw = struct.pack(f"<{len(values)}f", *values) if values is not None else b""
    return b"".join(integer(1, d) for d in dims) + integer(2, FLOAT) + data(8, name) + data(9, raw)


def integers(name, values):
    """A list of 64-bit integers."""
    return integer(1, len(values)) + integer(2, INT64) + data(8, name) + data(9, struct.pack(f"<{len(values)}q", *values))


def value_info(name, dims, element_type=FLOAT):
    """Dimensions are sizes or symbols."""
    shape = b"".join(data(1, integer(1, d) if isinstance(d, int) else data(2, d)) for d in dims)
    return data(1, name) + data(2, data(1, integer(1, element_type) + data(2, shape)))


def external_tensor(name, dims, location):
    """External data of floats."""
    entry = data(1, "location") + data(2, location)
    return b"".join(integer(1, d) for d in dims) + integer(2, FLOAT) + data(8, name) + data(13, entry) + integer(14, 1)


def write_model(path, nodes, inputs, outputs, weights=(), opset=13, ir_version=8, functions=()):
    graph = (
        b"".join(data(1, n) for n in nodes)
        + data(2, "test")
        + b"".join(data(5, w) for w in weights)
        + b"".join(data(11, i) for i in inputs)
        + b"".join(data(12, value_info(o, [])) for o in outputs)
    )
    with open(path, "wb") as file:
        file.write(integer(1, ir_version) + data(7, graph) + data(8, integer(2, opset)) + b"".join(data(25, f) for f in functions))


TYPES = {"float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}


def array(name, values):
    """A tensor of the type of a NumPy array."""
    dims = b"".join(integer(1, d) for d in values.shape)
    return dims + integer(2, TYPES[values.dtype.name]) + data(8, name) + data(9, values.tobytes())
