# SPDX-License-Identifier: Apache-2.0
"""Base of the end-to-end tests: temporary folder, data, and runs of the program on any number of ranks."""
import os
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

APP = os.environ["PARCONV_APP"]
MAKE_MODELS = os.environ["PARCONV_MAKE_MODELS"]
MPIEXEC = os.environ["PARCONV_MPIEXEC"]

# Documented exit codes.
OK, USAGE, BAD_DATA, INPUT_MISSING, UNAVAILABLE, BUG = 0, 2, 65, 66, 69, 70
OUT_OF_MEMORY, CANNOT_CREATE, IO, STOPPED, COMMUNICATION, CONFIG = 71, 73, 74, 75, 76, 78
# Of a job whose rank was killed, as the launcher reports it.
KILLED = int(os.environ["PARCONV_KILLED_STATUS"])
ERROR = "parconv_app: error:"


class AppCase(unittest.TestCase):
    """Each class has one folder with a model "small.onnx" and its input "in.h5" of 5 samples."""

    program = [APP]

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="parconv_app_test.")
        subprocess.run([MAKE_MODELS, "small", cls.path("small.onnx")], check=True)
        numbers = np.random.default_rng(1)
        cls.write("in.h5", x=numbers.standard_normal((5, 3, 21, 19)).astype("f4"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def write(cls, name, **datasets):
        with h5py.File(cls.path(name), "w") as file:
            for key, array in datasets.items():
                file[key] = array
        return cls.path(name)

    @staticmethod
    def launcher(np_):
        return [MPIEXEC, "-np", str(np_)] if np_ else []

    def start(self, np_, *arguments, seconds=60, prefix=(), **environment):
        """Runs parconv_app and returns the completed process; np_ = 0 runs without mpirun."""
        return subprocess.run(
            [*prefix, *self.launcher(np_), *self.program, *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            errors="replace",  # names in damaged files
            timeout=seconds,
        )

    def expect(self, code, np_, *arguments, say="", **options):
        """Runs the program and checks the exit code and that the output contains `say`. An error must be printed exactly once."""
        done = self.start(np_, *arguments, **options)
        output = f"{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, code, output)
        self.assertIn(say, output)
        if code not in (OK, USAGE):
            self.assertEqual(output.count(ERROR), 1, output)
        return done

    def run_small(self, np_, output, *options, code=OK, **more):
        return self.expect(code, np_, "run", "small.onnx", "in.h5", output, *options, **more)

    def has_onednn(self):
        done = self.start(0, "run", "small.onnx", "in.h5", "none.h5", "--backend", "abacus")
        return "onednn" in done.stderr

    def result(self, name):
        """The only numeric dataset in /output that is not a scale."""
        with h5py.File(self.path(name)) as file:
            return file["output"][file["output"].attrs["signal"]][...]

    def leftovers(self, output):
        return [name for name in os.listdir(self.folder) if name.startswith(output)]
