# SPDX-License-Identifier: Apache-2.0
"""The shipped denoiser: removes noise from pictures of any size, bitwise equal on any number of ranks."""

import os
import re
import subprocess
import unittest

import numpy as np
from app_case import OK, AppCase
from PIL import Image

EXAMPLES = os.environ["PARCONV_EXAMPLES"]
DENOISER = os.path.join(EXAMPLES, "denoiser.onnx")


class Denoiser(AppCase):
    def decibels(self, word, text):
        found = re.search(rf"^{word} +([0-9.]+) dB$", text, re.MULTILINE)
        self.assertIsNotNone(found, text)
        return float(found.group(1))

    def test_the_script_of_the_quickstart(self):
        script = os.path.join(EXAMPLES, "denoise_photo.sh")
        photo = os.path.join(EXAMPLES, "photo.png")
        done = subprocess.run(["bash", script, photo, self.folder], capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        noisy, denoised = (self.decibels(word, done.stdout) for word in ("noisy", "denoised"))
        self.assertAlmostEqual(noisy, 20.2, delta=0.3)  # 20 log10(255 / 25), and slightly more by clipping
        self.assertGreater(denoised, noisy + 10)
        with Image.open(photo) as clean, Image.open(self.path("before_after.png")) as shown:
            self.assertEqual(shown.width, 3 * clean.width + 16)
            self.assertGreater(shown.height, clean.height)

    def test_any_size_and_any_number_of_ranks(self):
        numbers = np.random.default_rng(3)
        for shape in ((2, 3, 37, 53), (1, 3, 3, 5)):
            self.write("noisy.h5", image=numbers.integers(0, 256, shape).astype("u1"))
            self.expect(OK, 1, "run", DENOISER, "noisy.h5", "one.h5", "--force", "--quiet")
            self.assertEqual(self.result("one.h5").shape, shape)
            for ranks, split in ((3, "h"), (4, "auto"), (4, "stages=2,h")):
                self.expect(OK, ranks, "run", DENOISER, "noisy.h5", "many.h5", "--split", split, "--force", "--quiet")
                self.assertLess(np.abs(self.result("one.h5") - self.result("many.h5")).max(), 1e-3, split)  # of values up to 255
                if split != "auto":  # auto may split columns
                    self.assertEqual(self.result("one.h5").tobytes(), self.result("many.h5").tobytes(), (shape, split))


if __name__ == "__main__":
    unittest.main()
