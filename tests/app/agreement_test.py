# SPDX-License-Identifier: Apache-2.0
"""Ranks that were started with other options, models or data end at once, and name what differs."""
import os
import shutil
import subprocess
import threading
import time
import unittest

import h5py
import numpy as np

from app_case import BAD_DATA, CONFIG, ERROR, MPIEXEC, OK, AppCase


class Agreement(AppCase):
    def start_two(self, first, second):
        """Two ranks with arguments of their own."""
        command = [MPIEXEC, "-np", "1", *self.program, *first, ":", "-np", "1", *self.program, *second]
        return subprocess.run(command, cwd=self.folder, env=os.environ, capture_output=True, text=True, timeout=60)

    def expect_refusal(self, first, second, say):
        done = self.start_two(first, second)
        output = f"{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, CONFIG, output)
        self.assertEqual(output.count(ERROR), 1, output)
        self.assertIn(f"the ranks of the job differ in {say}", output)
        self.assertIn("on rank 1", output)
        self.assertEqual(self.leftovers("out"), [])

    def expect_other_option(self, option, *value, base=()):
        run = ["run", "small.onnx", "in.h5", "out.h5", "--split", "h", *base]
        self.expect_refusal(run, [*run, option, *value], option)

    def test_options_that_change_numbers(self):
        for option, value in (("--scale", "0.5"), ("--mean", "1"), ("--std", "2"), ("--dtype", "bf16"), ("--reduce", "ordered")):
            self.expect_other_option(option, value)
        self.expect_other_option("--backend", "reference")

    def test_options_that_change_messages(self):
        for option, value in (("--overlap", "on"), ("--batch", "2"), ("--micro-batch", "1"), ("--timeout", "7")):
            self.expect_other_option(option, value)
        self.expect_other_option("--verify")
        self.expect_other_option("--bind-report")
        run = ["run", "small.onnx", "in.h5", "out.h5", "--split"]
        self.expect_refusal([*run, "h"], [*run, "w"], "--split: h on rank 0, w")

    def test_commands(self):
        run = ["run", "small.onnx", "in.h5", "out.h5"]
        self.expect_refusal(run, [*run, "--dry-run"], "the command: run on rank 0, run --dry-run")
        self.expect_refusal([], run, "the command: the demonstration on rank 0, run")

    def test_outputs(self):
        run = ["run", "small.onnx", "in.h5"]
        self.expect_refusal([*run, "out1.h5"], [*run, "out2.h5"], "OUTPUT: out1.h5 on rank 0, out2.h5")

    def test_weights(self):
        with open(self.path("small.onnx"), "rb") as file:
            model = bytearray(file.read())
        model[len(model) // 2] ^= 1
        with open(self.path("stale.onnx"), "wb") as file:
            file.write(model)
        run = ["in.h5", "out.h5", "--split", "h"]
        self.expect_refusal(["run", "small.onnx", *run], ["run", "stale.onnx", *run], "the contents of the model")

    def test_data(self):
        with h5py.File(self.path("in.h5")) as file:
            numbers = file["x"][...]
        self.write("smaller.h5", x=numbers[:, :, :20])
        self.write("doubles.h5", x=numbers.astype("f8"))
        changed = numbers.copy()
        changed[0, 0, 0, 0] += 1
        self.write("changed.h5", x=changed)
        for name, say in (("smaller", "the shape of the input"), ("doubles", "the shape of"), ("changed", "the contents of")):
            run = ["run", "small.onnx"]
            self.expect_refusal([*run, "in.h5", "out.h5"], [*run, f"{name}.h5", "out.h5"], say)

    def test_copies_of_the_same_bytes_are_right(self):
        self.run_small(1, "one.h5")
        os.mkdir(self.path("node1"))
        for name in ("small.onnx", "in.h5"):
            with open(self.path(name), "rb") as file, open(self.path(f"node1/{name}"), "wb") as copy:
                copy.write(file.read())
        options = ["staged.h5", "--split", "h"]
        done = self.start_two(["run", "small.onnx", "in.h5", *options], ["run", "node1/small.onnx", "node1/in.h5", *options])
        self.assertEqual(done.returncode, OK, done.stderr)
        np.testing.assert_array_equal(self.result("staged.h5"), self.result("one.h5"))


class Launchers(AppCase):
    """Processes that MPI does not join would each compute the whole job."""

    def test_an_unknown_launcher_is_refused(self):
        several = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}
        for arguments in (["run", "small.onnx", "in.h5", "out.h5"], []):
            self.expect(CONFIG, 0, *arguments, say="started 4 processes (SLURM_STEP_NUM_TASKS)", **several)
        silent = self.start(0, "run", "small.onnx", "in.h5", "out.h5", **{**several, "SLURM_PROCID": "1"})
        self.assertEqual((silent.returncode, silent.stdout, silent.stderr), (CONFIG, "", ""))
        self.assertEqual(self.leftovers("out"), [])

    def test_other_starts_are_right(self):
        self.run_small(0, "alone.h5", SLURM_STEP_NUM_TASKS="1", SLURM_PROCID="0")
        self.run_small(1, "one.h5", SLURM_STEP_NUM_TASKS="4")  # mpirun -np 1 in a step of four tasks
        self.run_small(2, "two.h5", SLURM_STEP_NUM_TASKS="4")
        self.run_small(0, "dry.h5", "--dry-run", SLURM_STEP_NUM_TASKS="4", SLURM_PROCID="0")


class ChangedFiles(AppCase):
    """Files that change while they are read: nothing is published."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        numbers = np.random.default_rng(2).standard_normal((1500, 3, 21, 19)).astype("f4")
        cls.write("long.h5", x=numbers)

    def run_and(self, change, code, say=""):
        """Calls change(path of the input) as soon as the output is being written; the run takes seconds."""
        shutil.copy(self.path("long.h5"), self.path("read.h5"))
        time.sleep(0.02)  # for a new timestamp
        done = []

        def change_later():
            while not any("out.h5.partial" in name for name in os.listdir(self.folder)) and thread.is_alive():
                time.sleep(0.002)
            change(self.path("read.h5"))

        def run():
            done.append(self.start(2, "run", "small.onnx", "read.h5", "out.h5", "--force", "--micro-batch", "1", "--backend",
                                   "reference", "--split", "h"))

        thread = threading.Thread(target=run)
        thread.start()
        change_later()
        thread.join()
        output = f"{done[0].stdout}\n{done[0].stderr}"
        self.assertEqual(done[0].returncode, code, output)
        self.assertIn(say, output)
        if code != OK:
            self.assertEqual(output.count(ERROR), 1, output)
            self.assertEqual(self.leftovers("out"), [])

    def test_written_input(self):
        def scribble(path):
            with open(path, "r+b") as file:
                file.seek(-4, os.SEEK_END)
                file.write(b"1234")

        self.run_and(scribble, BAD_DATA, "changed during the run: read.h5")

    def test_cut_input(self):
        self.run_and(lambda path: os.truncate(path, os.path.getsize(path) // 2), BAD_DATA)

    def test_replaced_and_removed_inputs_are_right(self):
        self.run_small(1, "one.h5")
        for change in (lambda path: os.replace(shutil.copy(self.path("in.h5"), path + ".new"), path), os.remove):
            self.run_and(change, OK)
            with h5py.File(self.path("out.h5")) as file:
                self.assertEqual(file["output"][file["output"].attrs["signal"]].shape[0], 1500)
            os.remove(self.path("out.h5"))


if __name__ == "__main__":
    unittest.main()
