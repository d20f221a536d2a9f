#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an input too large for one small machine, block by block, for docs/huge-samples.md.

make_huge.py picture 8192 noisy.h5      u8, 3 channels, the example photograph tiled, with noise
make_huge.py volume 256 volume.h5       f32, 1 channel, smooth blobs with some noise
"""

import argparse
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

SIGMA = 25
ROWS = 256  # per block of a picture
PHOTO = Path(__file__).with_name("photo.png")


def mirrored_rows(photo, first, count, size):
    """Rows of an infinite mirrored tiling of the photograph, (3, count, size)."""
    tile = np.concatenate((photo, photo[:, ::-1]), axis=1)
    tile = np.concatenate((tile, tile[:, :, ::-1]), axis=2)
    rows = np.arange(first, first + count) % tile.shape[1]
    return tile[:, rows][:, :, np.arange(size) % tile.shape[2]]


def write_picture(path, size, seed):
    photo = np.asarray(Image.open(PHOTO).convert("RGB")).transpose(2, 0, 1)
    random = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("image", (1, 3, size, size), "u1")
        dataset.attrs["layout"] = "NCHW"
        for first in range(0, size, ROWS):
            count = min(ROWS, size - first)
            clean = mirrored_rows(photo, first, count, size)
            noisy = clean + SIGMA * random.standard_normal(clean.shape, np.float32)
            dataset[0, :, first : first + count] = np.clip(np.rint(noisy), 0, 255)


def write_volume(path, size, seed):
    random = np.random.default_rng(seed)
    waves = random.uniform(5, 40, (3, 3)) / size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("volume", (1, 1, size, size, size), "f4")
        dataset.attrs["layout"] = "NCDHW"
        for z in range(size):
            blots = sum(np.sin(np.float32(a * z) + np.float32(b) * y + np.float32(c) * x) for a, b, c in waves)
            dataset[0, 0, z] = blots + 0.1 * random.standard_normal((size, size), np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("picture", "volume"))
    parser.add_argument("size", type=int, help="pixels along each axis")
    parser.add_argument("file", help="HDF5 file to write; replaced if it exists")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    {"picture": write_picture, "volume": write_volume}[options.kind](options.file, options.size, options.seed)


if __name__ == "__main__":
    main()
