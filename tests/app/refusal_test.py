# SPDX-License-Identifier: Apache-2.0
"""Invalid models, data, outputs and disks: the documented exit code, a single error, no output file."""
import os
import random
import stat
import subprocess
import unittest

import h5py
import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, CANNOT_CREATE, ERROR, INPUT_MISSING, IO, OK, USAGE, AppCase


class BadData(AppCase):
    def refuse(self, code, model, data, say):
        self.expect(code, 2, "run", model, data, "out.h5", say=say)
        self.assertEqual(self.leftovers("out.h5"), [])

    def test_missing_files(self):
        self.refuse(INPUT_MISSING, "gone.onnx", "in.h5", "gone.onnx")
        self.refuse(INPUT_MISSING, "small.onnx", "gone.h5", "gone.h5")

    def test_truncated_files(self):
        for name in ("small.onnx", "in.h5"):
            with open(self.path(name), "rb") as whole, open(self.path("cut_" + name), "wb") as cut:
                cut.write(whole.read()[: os.path.getsize(self.path(name)) // 2])
        self.refuse(BAD_DATA, "cut_small.onnx", "in.h5", "cut_small.onnx")
        self.refuse(BAD_DATA, "small.onnx", "cut_in.h5", "cut_in.h5")

    def undamaged(self):
        with h5py.File(self.path("undamaged.h5"), "w") as file:
            for name, values in (("x", np.ones((2, 3, 4, 5), "f4")), ("group/y", np.ones((2, 2)))):
                file.create_dataset(name, data=values, track_times=False)  # the same bytes each time
            file["x"].attrs["layout"] = "NCHW"
        with open(self.path("undamaged.h5"), "rb") as file:
            return file.read()

    def damaged(self, good, seed):
        """Flipped bits, overwritten numbers, and bytes copied to other places."""
        numbers, data = random.Random(seed), bytearray(good)
        for _ in range(numbers.randint(1, 4)):
            kind, at = numbers.randrange(3), numbers.randrange(len(data) - 64)
            if kind == 0:
                data[at] ^= 1 << numbers.randrange(8)
            elif kind == 1:
                data[at : at + 8] = bytes(numbers.choice((0, 255, 1, 127)) for _ in range(8))
            else:
                to, size = numbers.randrange(len(data) - 64), numbers.randint(1, 64)
                data[to : to + size] = data[at : at + size]
        return bytes(data)

    def test_damaged_files_end_with_one_error(self):
        """HDF5 itself crashes on some of them."""
        good = self.undamaged()
        for seed in (*range(60), 2089):  # HDF5 1.10.8 crashes on the last one
            with open(self.path("bad.h5"), "wb") as file:
                file.write(self.damaged(good, seed))
            done = self.start(0, "inspect", "bad.h5")
            self.assertIn(done.returncode, (OK, BAD_DATA, IO), f"{seed}: {done.stderr}")
            self.assertEqual(done.stderr.count(ERROR), int(bool(done.stderr)), f"{seed}: {done.stderr}")

    def test_text_instead_of_data(self):
        with open(self.path("text.h5"), "w", encoding="utf-8") as file:
            file.write("not a file of numbers\n" * 100)
        self.refuse(BAD_DATA, "small.onnx", "text.h5", "text.h5")
        self.refuse(BAD_DATA, "text.h5", "in.h5", "text.h5")

    def test_wrong_rank_type_and_shape(self):
        self.write("flat.h5", x=np.zeros(7, "f4"))
        self.refuse(BAD_DATA, "small.onnx", "flat.h5", "flat.h5")
        self.write("volume.h5", x=np.zeros((1, 3, 4, 8, 8), "f4"))
        self.refuse(BAD_DATA, "small.onnx", "volume.h5", "input")
        with h5py.File(self.path("words.h5"), "w") as file:
            file["x"] = np.array([[["a", "b"]]], dtype="S1")
        self.refuse(BAD_DATA, "small.onnx", "words.h5", "words.h5")
        self.write("four.h5", x=np.zeros((1, 4, 8, 8), "f4"))
        self.refuse(BAD_DATA, "small.onnx", "four.h5", "3")
        self.write("none.h5", x=np.zeros((0, 3, 8, 8), "f4"))
        self.refuse(BAD_DATA, "small.onnx", "none.h5", "none.h5")
        self.write("both.h5", a=np.zeros((1, 3, 8, 8), "f4"), b=np.zeros((1, 3, 8, 8), "f4"))
        self.refuse(BAD_DATA, "small.onnx", "both.h5", "/a")

    def convolution(self, dims=(1, 3, 3, 3), **attributes):
        count = int(np.prod(dims)) if max(dims) < 1000 else 0
        onnx.write_model(
            self.path("conv.onnx"),
            [onnx.node("Conv", ["x", "w"], "y", **attributes)],
            [onnx.value_info("x", ["N", 3, "H", "W"])],
            ["y"],
            [onnx.tensor("w", dims, [0.5] * count)],
        )
        return "conv.onnx"

    def test_the_convolution_of_these_tests_is_good(self):
        self.expect(0, 2, "run", self.convolution(), "in.h5", "good.h5", "--quiet")
        self.assertEqual(self.result("good.h5").shape, (5, 1, 19, 17))

    def test_models_that_cannot_be(self):
        self.refuse(BAD_DATA, self.convolution((1, 4, 3, 3)), "in.h5", "y")
        self.refuse(BAD_DATA, self.convolution(strides=[0, 1]), "in.h5", "stride")
        self.refuse(BAD_DATA, self.convolution((1 << 62, 3, 3, 3)), "in.h5", "w")
        self.refuse(BAD_DATA, self.convolution((1, 3, -3, 3)), "in.h5", "w")
        self.refuse(BAD_DATA, self.convolution(group=0), "in.h5", "group")

    def hostile(self, nodes, outputs=("y",), weights=(), **versions):
        onnx.write_model(self.path("hostile.onnx"), nodes, [onnx.value_info("x", ["N", 3, "H", "W"])], outputs, weights, **versions)
        return "hostile.onnx"

    def test_models_made_to_do_harm(self):
        relu = onnx.node("Relu", ["x"], "y")
        pads = lambda last: [onnx.integers("p", [0, 0, 0, 0, 0, 0, 0, last])]
        add = [onnx.node("Add", ["x", "w"], "y")]
        cases = [
            (lambda: self.hostile([onnx.node("Add", ["x", "y"], "y")]), "node 'y' (Add) is part of a cycle"),
            (lambda: self.hostile([relu, relu]), "has the output 'y', which is also an output of node 'y' (Relu)"),
            (lambda: self.hostile([onnx.node("Relu", ["ghost"], "y")]), "reads 'ghost'"),
            (lambda: self.hostile([relu], ["y", "y"]), "output 'y' is listed twice"),
            (lambda: self.hostile([relu], []), "the model has no outputs"),
            (lambda: self.hostile([]), "output 'y' is not the output of any node"),
            (lambda: self.hostile([relu], opset=99), "operator set 99"),
            (lambda: self.hostile([relu], ir_version=99), "IR version 99"),
            (lambda: self.hostile([onnx.node("If", ["x"], "y")]), "operator If"),
            (lambda: self.hostile([onnx.node("x" * 5000, ["x"], "y")]), "a string of 5000 bytes"),
            (lambda: self.hostile([onnx.node("MaxPool", ["x"], "y", kernel_shape=[1 << 40, 1])]), "attribute kernel_shape is [1099511627776, 1]"),
            (lambda: self.hostile([onnx.node("Pad", ["x", "p"], "y")], weights=pads(-(1 << 63))), "impossibly large pads"),
            (lambda: self.hostile(add, weights=[onnx.external_tensor("w", [3, 1, 1], "../w.bin")]), "'../w.bin'"),
            (lambda: self.hostile(add, weights=[onnx.external_tensor("w", [3, 1, 1], "/dev/zero")]), "'/dev/zero'"),
        ]
        for write, say in cases:
            self.refuse(BAD_DATA, write(), "in.h5", say)
        self.refuse(INPUT_MISSING, self.hostile(add, weights=[onnx.external_tensor("w", [3, 1, 1], "gone.bin")]), "in.h5", "gone.bin")
        os.mkfifo(self.path("pipe.onnx"))
        self.refuse(INPUT_MISSING, "pipe.onnx", "in.h5", "pipe.onnx")

    def test_unsupported_operators_are_all_named(self):
        nodes = [onnx.node("LSTM", ["x"], "a"), onnx.node("NonMaxSuppression", ["a"], "b"), onnx.node("Relu", ["b"], "y")]
        onnx.write_model(self.path("odd.onnx"), nodes, [onnx.value_info("x", ["N", 3, "H", "W"])], ["y"])
        self.refuse(BAD_DATA, "odd.onnx", "in.h5", "LSTM")
        self.refuse(BAD_DATA, "odd.onnx", "in.h5", "NonMaxSuppression")
        done = self.start(0, "inspect", "odd.onnx")
        self.assertEqual(done.returncode, BAD_DATA, done.stdout)
        self.assertEqual(done.stdout.count("not supported:"), 2)

    def test_several_inputs(self):
        inputs = [onnx.value_info(name, [5, 3, 21, 19]) for name in ("x", "second")]
        onnx.write_model(self.path("sum.onnx"), [onnx.node("Add", ["x", "second"], "y")], inputs, ["y"])
        self.refuse(BAD_DATA, "sum.onnx", "in.h5", "input 'second' of the model has no data: in.h5 has no data set '/second'")

    def test_wrong_channel_numbers(self):
        self.expect(BAD_DATA, 2, "run", "small.onnx", "in.h5", "out.h5", "--mean", "1,2", say="mean")


class BadOutput(AppCase):
    def test_existing_output(self):
        self.run_small(2, "there.h5", "--quiet")
        before = os.stat(self.path("there.h5"))
        self.run_small(2, "there.h5", code=CANNOT_CREATE, say="there.h5")
        self.assertEqual(os.stat(self.path("there.h5")).st_mtime_ns, before.st_mtime_ns)
        self.run_small(2, "there.h5", "--force", "--quiet")
        self.assertNotEqual(os.stat(self.path("there.h5")).st_ino, before.st_ino)
        self.assertEqual(self.leftovers("there.h5"), ["there.h5"])

    def test_folder_that_is_not_there_or_not_writable(self):
        self.run_small(2, "nowhere/out.h5", code=CANNOT_CREATE, say="nowhere")
        self.run_small(2, "/proc/out.h5", code=CANNOT_CREATE, say="/proc/out.h5")

    def test_report_that_cannot_be_written(self):
        self.run_small(2, "report.h5", "--report", "nowhere/r.jsonl", code=CANNOT_CREATE, say="nowhere/r.jsonl")
        self.assertEqual(self.leftovers("report.h5"), [])

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def refuse_the_same(self, *options, output="apart.h5", np_=2):
        """Nothing is written; the message names both roles."""
        names = ["in.h5", "small.onnx"]
        before = [self.bytes_of(name) for name in names]
        self.run_small(np_, output, *options, code=USAGE, say="is the same file as")
        self.assertEqual([self.bytes_of(name) for name in names], before)
        self.assertEqual(self.leftovers("apart"), [])

    def test_written_files_are_apart_from_those_that_are_read(self):
        os.link(self.path("in.h5"), self.path("hard.h5"))
        os.symlink("small.onnx", self.path("soft"))
        for option in ("--report", "--trace"):
            for victim in ("in.h5", "./small.onnx", "hard.h5", "soft"):
                self.refuse_the_same(option, victim)
        for victim in ("in.h5", "hard.h5", "soft"):
            self.refuse_the_same("--force", output=victim)
        self.refuse_the_same("--dry-run", "--ranks", "2", "--plan-out", "in.h5", np_=0)

    def test_written_files_are_apart_from_each_other(self):
        self.refuse_the_same("--report", "apart.h5")
        self.refuse_the_same("--report", "apart.jsonl", "--trace", "./apart.jsonl")

    def test_colons_in_output_names(self):
        self.run_small(1, "plain.h5")
        os.mkdir(self.path("run_12:30:05"))
        for name in ("2026-11-29T19:24:54.h5", "run_12:30:05/out.h5", "./ufs:o.h5", self.path("run_12:30:05/a:b.h5")):
            self.run_small(2, name, "--split", "h")
            self.assertEqual(self.result(name).tobytes(), self.result("plain.h5").tobytes())
        self.assertEqual(sorted(os.listdir(self.path("run_12:30:05"))), ["a:b.h5", "out.h5"])

    def test_links_keep_their_place(self):
        os.mkdir(self.path("elsewhere"))
        os.symlink("elsewhere/there.h5", self.path("linked.h5"))
        for force in ([], ["--force"]):
            self.run_small(2, "linked.h5", *force)
            self.assertTrue(os.path.islink(self.path("linked.h5")))
            self.assertEqual(os.listdir(self.path("elsewhere")), ["there.h5"])
        self.assertEqual(self.result("linked.h5").shape[0], 5)

    def test_only_regular_files_are_replaced(self):
        os.mkfifo(self.path("pipe.h5"))
        for options in (["pipe.h5"], ["apart.h5", "--report", "pipe.h5"]):
            self.run_small(2, *options, "--force", code=CANNOT_CREATE, say="is not a regular file")
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe.h5")).st_mode))

    def test_full_disk(self):
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no right to mount a small disk")
        os.mkdir(self.path("disk"))
        onnx.write_model(self.path("copy.onnx"), [onnx.node("Relu", ["x"], "y")], [onnx.value_info("x", ["N", 1, "H", "W"])], ["y"])
        self.write("large.h5", x=np.ones((2, 1, 1024, 1024), "u1"))
        mount = f'mount -t tmpfs -o size=2m parconv "{self.path("disk")}" || exit 99; exec "$@"'
        prefix = ["unshare", "-m", "sh", "-c", mount, "sh"]
        done = self.start(2, "run", "copy.onnx", "large.h5", "disk/out.h5", prefix=prefix)
        if done.returncode == 99:
            self.skipTest("no right to mount a small disk")
        self.assertEqual(done.returncode, IO, done.stderr)
        self.assertEqual(done.stderr.count("parconv_app: error:"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
