# SPDX-License-Identifier: Apache-2.0
"""Synthetic input samples for the example networks."""

import numpy as np


def stretch(values, axis, extent):
    """Linear interpolation to `extent` values along one axis."""
    size = values.shape[axis]
    positions = np.linspace(0, size - 1, extent)
    low = np.minimum(positions.astype(int), size - 2)
    part = (positions - low).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    return values.take(low, axis) * (1 - part) + values.take(low + 1, axis) * part


def smooth_noise(random, shape, size):
    """Noise with `size` random values along each spatial axis, interpolated to the full extent."""
    values = random.standard_normal(shape[:1] + (size,) * (len(shape) - 1))
    for axis, extent in enumerate(shape[1:], 1):
        values = stretch(values, axis, extent)
    return values


def make_samples(count, shape, seed):
    """Samples (count, *shape) of f32 with the statistics of normalised pictures: smooth blobs of several sizes and some noise."""
    random = np.random.default_rng(seed)
    samples = np.empty((count, *shape), np.float32)
    for sample in samples:
        sample[...] = 0.1 * random.standard_normal(shape)
        for size in (3, 9, 30):
            sample += smooth_noise(random, shape, size)
    return samples
