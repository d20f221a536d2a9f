# SPDX-License-Identifier: Apache-2.0
"""At least 300 faults of files: operations x kinds x calls x ranks x files. PARCONV_POINTS=NAME,... runs these alone, and
PARCONV_ALL_POINTS=1 all of the table, of which otherwise a sample is drawn."""
import os
import random
import unittest
from itertools import product

from file_fault_case import FileFaultCase, Point

LEAST = 300
SEED = 11
ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EFBIG", "ESTALE")

# Operation, kinds, file, calls, ranks.
TABLE = [
    ("write", (*ERRORS, "lost", "flipped", "short", "slow", "hanging", "EINTR"), "partial", (0, 1, 2, 4, 8, 16), (0, 1)),
    ("write", (*ERRORS, "lost", "flipped", "short", "slow", "hanging"), "record", (0, 1, 2, 3), (0,)),
    ("write", (*ERRORS, "lost", "flipped", "short", "hanging"), "report", (0,), (0,)),
    ("fsync", ("EIO", "ENOSPC", "EDQUOT", "lost", "slow", "hanging"), "partial", (0, 1, 2, 3), (0, 1)),
    ("fsync", ("EIO", "ENOSPC", "lost", "hanging"), "record", (0, 1, 2, 3), (0,)),
    ("fsync", ("EIO", "lost", "hanging"), "folder", (0, 1), (0,)),
    ("rename", ("EIO", "EACCES", "ENOSPC", "ESTALE", "lost", "slow", "hanging"), "final", (0,), (0,)),
    ("open", ("EACCES", "EMFILE", "EIO", "ESTALE", "hanging"), "partial", (0, 1, 2, 3, 5), (0, 1)),
    ("open", ("EACCES", "EMFILE", "EIO"), "record", (0, 1), (0, 1)),
    ("open", ("EACCES", "EMFILE", "EIO"), "report", (0, 1), (0,)),
    *(("open", ("EACCES", "EMFILE", "EIO", "ESTALE", "hanging"), file, (0, 1, 2), (0, 1)) for file in ("input", "model", "weights")),
    ("read", ("EIO", "ESTALE", "short", "slow", "hanging"), "input", (0, 1, 2, 4, 8, 16, 24), (0, 1)),
    ("read", ("EIO", "ESTALE", "short", "slow", "hanging"), "chunked", (0, 1, 2, 4, 8, 12, 16), (0, 1)),
    *(("read", ("EIO", "ESTALE", "short", "hanging"), file, (0, 1, 2), (0, 1)) for file in ("model", "weights")),
    ("read", ("lost",), "weights", (0, 1), (0, 1)),
    ("read", ("EIO", "ESTALE", "flipped", "short", "hanging"), "partial", (0, 1, 2, 4, 8, 16), (0, 1)),
    ("close", ("EIO", "ENOSPC", "EDQUOT", "lost", "hanging"), "partial", (0, 1, 2, 3, 4), (0, 1)),
    ("close", ("EIO", "ENOSPC"), "report", (0, 2), (0,)),  # 1 and 3: of reading it back
    ("truncate", (*ERRORS, "lost", "hanging"), "partial", (0, 1, 2), (0,)),
    ("allocate", (*ERRORS, "lost", "slow", "hanging"), "partial", (0, 1), (0,)),
]


def all_points():
    points = []
    for op, kinds, file, calls, ranks in TABLE:
        points += [Point(op, kind, file, nth, rank) for kind, nth, rank in product(kinds, calls, ranks)]
        if op in ("read", "write"):
            permanent = [kind for kind in kinds if kind not in ("slow", "hanging", "lost", "flipped", "EINTR")]
            points += [Point(op, kind, file, nth, rank, True) for kind, nth, rank in product(permanent, calls[:2], ranks)]
    return points


class ManyFileFaults(FileFaultCase):
    def test_each_is_reported_or_without_effect(self):
        points = all_points()
        self.assertEqual(len(set(map(str, points))), len(points))
        if "PARCONV_ALL_POINTS" not in os.environ and "PARCONV_POINTS" not in os.environ:
            points = random.Random(SEED).sample(points, 450)
        fired = self.inject_all(points)
        if "PARCONV_POINTS" not in os.environ:
            self.assertGreaterEqual(fired, LEAST)


if __name__ == "__main__":
    unittest.main()
