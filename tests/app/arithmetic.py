# SPDX-License-Identifier: Apache-2.0
"""docs/arithmetic.md in exact fractions: every function returns one element, rounded to f32 where the page says so. Tensors are
NumPy arrays of f32 in ONNX order, elements are Fractions. Zeros are +0: the tests avoid sums of products that are -0."""
import itertools
from fractions import Fraction

LEAST_EXPONENT = -149  # of the smallest subnormal number


def rounded(number):
    """To the nearest f32, ties to even. No number of the tests overflows."""
    above, below = number.numerator, number.denominator
    exponent = abs(above).bit_length() - below.bit_length()
    if abs(above) << max(-exponent, 0) < below << max(exponent, 0):
        exponent -= 1  # now 2^exponent <= |number| < 2^(exponent + 1), unless it is 0
    unit = max(exponent - 23, LEAST_EXPONENT)
    above, below = above << max(-unit, 0), below << max(unit, 0)
    whole, rest = divmod(above, below)
    whole += 2 * rest > below or (2 * rest == below and whole % 2 == 1)
    return Fraction(whole << max(unit, 0), 1 << max(-unit, 0))


def fma(a, b, c):
    return rounded(a * b + c)


def add(a, b):
    return rounded(a + b)


def divide(a, b):
    return rounded(a / b)


def exact(number):
    return Fraction(float(number))


def chain(products):
    total = Fraction(0)
    for a, b in products:
        total = fma(exact(a), exact(b), total)
    return total


def running_sum(terms):
    total = Fraction(0)
    for term in terms:
        total = add(total, term)
    return total


def coarse_leaves(channels, taps):
    limit = min(8, channels // 64, channels * taps // 512)
    count = 1
    while 2 * count <= limit:
        count *= 2
    return [range(k * channels // count, (k + 1) * channels // count) for k in range(count)]


def tree(sums):
    if len(sums) == 1:
        return sums[0]
    front = (len(sums) + 1) // 2
    return add(tree(sums[:front]), tree(sums[front:]))


def sum_of_products(channels, taps, products_of):
    """`products_of(leaf)` yields the products of the channels in `leaf`, in order."""
    return tree([chain(products_of(leaf)) for leaf in coarse_leaves(channels, taps)])


def taps_of(kernel):
    return list(itertools.product(*(range(k) for k in kernel)))


def is_inside(place, size):
    return all(0 <= p < s for p, s in zip(place, size))


def conv(x, w, at, stride, pad, dilation, groups=1):
    """Without the epilogue. `pad` is that of the low ends."""
    n, oc, *out = at
    ic, kernel = w.shape[1], w.shape[2:]
    first = oc // (w.shape[0] // groups) * ic

    def products(leaf):
        for tap in taps_of(kernel):
            place = [o * s - p + t * d for o, s, p, t, d in zip(out, stride, pad, tap, dilation)]
            if is_inside(place, x.shape[2:]):
                for c in leaf:
                    yield x[(n, first + c, *place)], w[(oc, c, *tap)]

    return sum_of_products(ic, len(taps_of(kernel)), products)


def conv_transpose(x, w, at, stride, pad, dilation, groups=1):
    n, oc, *out = at
    ic, group_oc, kernel = x.shape[1] // groups, w.shape[1], w.shape[2:]
    first = oc // group_oc * ic

    def products(leaf):
        for tap in taps_of(kernel):
            places = [o + p - t * d for o, p, t, d in zip(out, pad, tap, dilation)]
            if any(place % s for place, s in zip(places, stride)):
                continue
            place = [p // s for p, s in zip(places, stride)]
            if is_inside(place, x.shape[2:]):
                for c in leaf:
                    yield x[(n, first + c, *place)], w[(first + c, oc % group_oc, *tap)]

    return sum_of_products(ic, len(taps_of(kernel)), products)


def matmul(a, b, at):
    *batch, row, column = at
    inner = a.shape[-1]
    left, right = ([0 if size == 1 else k for k, size in zip(batch, side.shape)] for side in (a, b))
    return sum_of_products(inner, 1, lambda leaf: ((a[(*left, row, k)], b[(*right, k, column)]) for k in leaf))


def average_pool(x, at, kernel, stride, pad, is_padding_counted):
    """`pad` is (low ends, high ends)."""
    n, c, *out = at
    terms, divisor = [], 0
    for tap in taps_of(kernel):
        place = [o * s - p + t for o, s, p, t in zip(out, stride, pad[0], tap)]
        inside = is_inside(place, x.shape[2:])
        padded = all(-lo <= p < s + hi for p, s, lo, hi in zip(place, x.shape[2:], *pad))
        divisor += padded if is_padding_counted else inside
        if inside:
            terms.append(exact(x[(n, c, *place)]))
    return divide(running_sum(terms), Fraction(divisor))


def lrn_of_beta_one(x, at, size, alpha, bias):
    n, c, *place = at
    channels = range(max(c - (size - 1) // 2, 0), min(c + size // 2, x.shape[1] - 1) + 1)
    squares = running_sum(rounded(exact(x[(n, k, *place)]) ** 2) for k in channels)
    base = add(exact(bias), rounded(divide(exact(alpha), Fraction(size)) * squares))
    return divide(exact(x[at]), base)


def half_pixel(out, _out_size, scale, _in_size):
    return add(divide(add(Fraction(out), Fraction(1, 2)), scale), Fraction(-1, 2))


def align_corners(out, out_size, scale, in_size):
    is_by_size = scale == divide(Fraction(out_size), Fraction(in_size))
    size = Fraction(out_size) if is_by_size else rounded(in_size * scale)
    return divide(rounded(Fraction(out * (in_size - 1))), add(size, Fraction(-1)))


def linear_resize(x, at, out_shape, coordinate, scales):
    """Along d, then h, then w."""
    weights = []
    for out, out_size, in_size, scale in zip(at[2:], out_shape[2:], x.shape[2:], scales):
        place = min(max(coordinate(out, out_size, exact(scale), in_size), Fraction(0)), Fraction(in_size - 1))
        lo = int(place)
        weights.append((lo, rounded(place - lo) if lo + 1 < in_size else Fraction(0)))

    def value(place, axis):
        if axis < 0:
            return exact(x[(*at[:2], *place)])
        lo, weight = weights[axis]
        before = value((lo, *place), axis - 1)
        if weight == 0:
            return before
        return add(before, rounded(weight * add(value((lo + 1, *place), axis - 1), -before)))

    return value((), len(weights) - 1)


def exact_sum(numbers, count=1):
    """Rounded once, then divided."""
    return divide(rounded(sum((exact(number) for number in numbers), Fraction(0))), Fraction(count))
