# SPDX-License-Identifier: Apache-2.0
"""Faults of files: forty that are injected, a limit of file sizes, and inputs that other programs have open."""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import unittest

import h5py
import numpy as np
from app_case import BAD_DATA, IO, OK, AppCase
from file_fault_case import FileFaultCase, Point

POINTS = [
    *(Point("write", kind, "partial", nth, rank) for kind in ("ENOSPC", "lost", "flipped") for nth, rank in ((0, 0), (3, 0), (1, 1))),
    Point("write", "EDQUOT", "partial", 2, 1),
    Point("write", "EFBIG", "partial", 1, 0),
    Point("write", "EIO", "partial", 0, 1, permanent=True),
    Point("write", "short", "partial", 0, 0, permanent=True),
    Point("write", "short", "partial", 0, 1, permanent=True),
    Point("write", "EINTR", "partial", 1, 1),
    Point("write", "hanging", "partial", 2, 1),
    Point("write", "ENOSPC", "record", 1),
    Point("write", "EIO", "report"),
    Point("write", "lost", "report"),
    Point("fsync", "EIO", "partial", 0, 0),
    Point("fsync", "EIO", "partial", 0, 1),
    Point("fsync", "EIO", "record"),
    Point("fsync", "EIO", "folder", 1),
    Point("rename", "EIO", "final"),
    Point("rename", "lost", "final"),
    Point("open", "EACCES", "partial", 0, 0),
    Point("open", "EMFILE", "partial", 0, 1),
    Point("open", "EACCES", "weights", 0, 1),
    Point("close", "EIO", "partial", 0, 1),
    Point("truncate", "EIO", "partial"),
    Point("truncate", "lost", "partial"),
    Point("allocate", "ENOSPC", "partial"),
    Point("allocate", "EDQUOT", "partial", 1),
    Point("read", "EIO", "input", 0, 1),
    Point("read", "EIO", "input", 12, 1),
    Point("read", "ESTALE", "chunked", 10, 0),
    Point("read", "short", "input", 0, 0, permanent=True),
    Point("read", "EIO", "model", 0, 1),
    Point("read", "EIO", "weights", 0, 0),
    Point("read", "lost", "weights", 0, 1),
    Point("read", "flipped", "partial", 12, 0),
    Point("read", "hanging", "input", 8, 0),
]


class FileFaults(FileFaultCase):
    def test_each_is_reported_or_without_effect(self):
        fired = self.inject_all(POINTS)
        if "PARCONV_POINTS" not in os.environ:
            self.assertGreaterEqual(fired, len(POINTS) - 2, "the fault was not injected")

    def test_a_limit_of_file_sizes(self):
        limit = ["bash", "-c", 'ulimit -f 8; exec "$@"', "bash"]
        done = self.expect(IO, 2, "run", "ext.onnx", "in.h5", "limit.h5", say="File too large; ulimit -f allows 8192 bytes", prefix=limit)
        self.assertIn("needed", done.stderr)
        self.assertEqual(self.leftovers("limit.h5"), [])


WRITER = """
import h5py, os, signal, sys
file = h5py.File(sys.argv[1], sys.argv[2], libver="latest")
if sys.argv[3] == "swmr":
    file.swmr_mode = True
file.flush()
print("open", flush=True)
if sys.argv[3] == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


class FilesInUse(AppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with h5py.File(cls.path("used.h5"), "w", libver="latest") as file:
            file.create_dataset("x", data=np.ones((2, 3, 8, 8), "f4"), chunks=(1, 3, 8, 8), maxshape=(None, 3, 8, 8))

    def make_anew(self):
        if os.path.exists(self.path("there.h5")):
            os.unlink(self.path("there.h5"))
        shutil.copy(self.path("used.h5"), self.path("there.h5"))

    def open_elsewhere(self, mode, manner="stays"):
        self.make_anew()
        process = subprocess.Popen([sys.executable, "-c", WRITER, self.path("there.h5"), mode, manner], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, env={**os.environ, "HDF5_USE_FILE_LOCKING": "TRUE"}, text=True)  # fmt: skip
        self.addCleanup(process.communicate)
        self.assertEqual(process.stdout.readline(), "open\n")
        return process

    def refuse(self, say, **environment):
        done = self.expect(BAD_DATA, 2, "run", "small.onnx", "there.h5", "out.h5", say=say, **environment)
        self.assertIn("HDF5_USE_FILE_LOCKING", done.stderr)
        self.assertEqual(self.leftovers("out.h5"), [])
        return done.stderr

    def accept(self, **environment):
        self.expect(OK, 2, "run", "small.onnx", "there.h5", "out.h5", "--quiet", "--force", **environment)
        os.unlink(self.path("out.h5"))

    def test_a_writer_has_it_open(self):
        for manner in ("stays", "swmr"):
            self.open_elsewhere("r+", manner)
            self.assertIn("h5clear", self.refuse("there.h5 is marked as open for writing"))

    def test_a_writer_has_died(self):
        process = self.open_elsewhere("r+", "dies")
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertIn("h5clear -s there.h5", self.refuse("there.h5 is marked as open for writing"))
        if shutil.which("h5clear"):
            subprocess.run(["h5clear", "-s", self.path("there.h5")], check=True)
            self.accept()

    def test_it_is_locked(self):
        self.make_anew()
        with open(self.path("there.h5"), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.refuse("there.h5 is locked by another program", HDF5_USE_FILE_LOCKING="TRUE")
            self.accept()

    def test_a_reader_has_it_open(self):
        self.open_elsewhere("r")
        self.accept()


if __name__ == "__main__":
    unittest.main()
