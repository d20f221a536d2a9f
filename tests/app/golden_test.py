# SPDX-License-Identifier: Apache-2.0
"""The example networks against values that another implementation computed once (make_golden.py)."""
import json
import os
import unittest

import numpy as np
from app_case import OK, AppCase
from make_golden import EXAMPLES, NETWORKS, fixed_input

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json")


class Golden(AppCase):
    def test_example_networks(self):
        with open(GOLDEN, encoding="utf-8") as file:
            golden = json.load(file)
        self.assertEqual(sorted(golden), sorted(NETWORKS))
        self.write("fixed.h5", x=fixed_input())
        for name in NETWORKS:
            expected = np.array(golden[name]["values"]).reshape(golden[name]["shape"])
            self.assertGreater(np.ptp(expected), 100, "values of a picture")
            for ranks, split in ((1, "1"), (3, "h"), (4, "h=2,w"), (3, "c")):
                model = os.path.join(EXAMPLES, name + ".onnx")
                self.expect(OK, ranks, "run", model, "fixed.h5", "out.h5", "--split", split, "--force", "--quiet")
                found = self.result("out.h5")
                self.assertEqual(found.shape, expected.shape)
                worst = np.abs(found - expected).max() / np.abs(expected).max()
                self.assertLess(worst, 1e-5, f"{name} under split {split}")


if __name__ == "__main__":
    unittest.main()
