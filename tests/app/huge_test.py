# SPDX-License-Identifier: Apache-2.0
"""Denoises a picture of 8192 x 8192: four ranks hold a quarter each, bitwise equal to one rank. Slow; needs 10 GB."""

import os
import re
import subprocess
import sys
import unittest

import h5py
import numpy as np
from app_case import OK, AppCase

EXAMPLES = os.environ["PARCONV_EXAMPLES"]
SIZE = int(os.environ.get("PARCONV_HUGE_SIZE", 8192))
NEEDED_BYTES = 150 * SIZE**2  # one rank: two values of 16 channels, the input and the output, all f32
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def available_bytes():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("MemAvailable"))


class Huge(AppCase):
    def peak_bytes(self, ranks, split, output):
        """Runs and returns the maximum resident memory over ranks, as reported by the system."""
        model = os.path.join(EXAMPLES, "denoiser.onnx")
        done = self.expect(OK, ranks, "run", model, "huge.h5", output, "--split", split, "--timeout", 0, seconds=1500)
        print(done.stdout, file=sys.stderr)
        number, unit = re.search(r"([0-9.]+) ([KMG]iB) in all", done.stdout).groups()
        return float(number) * UNITS[unit]

    def expect_same_bits(self, one, other):
        with h5py.File(self.path(one)) as a, h5py.File(self.path(other)) as b:
            first, second = a["output/denoised"], b["output/denoised"]
            self.assertEqual(first.shape, (1, 3, SIZE, SIZE))
            for row in range(0, SIZE, 512):
                self.assertTrue(np.array_equal(first[:, :, row : row + 512], second[:, :, row : row + 512]), f"rows from {row}")

    def test_four_ranks_hold_a_quarter_each(self):
        if available_bytes() < 1.2 * NEEDED_BYTES:
            self.skipTest(f"one rank needs {NEEDED_BYTES / 1e9:.0f} GB")
        script = os.path.join(EXAMPLES, "make_huge.py")
        subprocess.run([sys.executable, script, "picture", str(SIZE), self.path("huge.h5")], check=True)
        one = self.peak_bytes(1, "1", "one.h5")
        four = self.peak_bytes(4, "h=4", "four.h5")
        self.assertLess(four, 0.28 * one)
        self.expect_same_bits("one.h5", "four.h5")


if __name__ == "__main__":
    unittest.main()
