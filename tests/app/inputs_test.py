# SPDX-License-Identifier: Apache-2.0
"""Models with several inputs (an image, a mask of half its resolution, a vector), selected by name and by file, and refusals."""
import json
import unittest

import h5py
import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, BUG, INPUT_MISSING, OK, USAGE, AppCase


class SeveralInputs(AppCase):
    """out = image * upsampled mask + vector."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        nodes = [
            onnx.node("ConvTranspose", ["mask", "w"], "large", strides=[2, 2]),
            onnx.node("Mul", ["image", "large"], "product"),
            onnx.node("Reshape", ["vector", "dims"], "columns"),
            onnx.node("Add", ["product", "columns"], "out"),
        ]
        inputs = [
            onnx.value_info("image", ["N", 3, "H", "W"]),
            onnx.value_info("mask", ["N", 1, "h", "w"]),
            onnx.value_info("vector", ["N", 3]),
        ]
        weights = [onnx.tensor("w", [1, 1, 2, 2], [1.0] * 4), onnx.integers("dims", [0, 3, 1, 1])]
        onnx.write_model(cls.path("three.onnx"), nodes, inputs, ["out"], weights)
        numbers = np.random.default_rng(5)
        cls.image = numbers.integers(-4, 5, (5, 3, 14, 10)).astype("f4")
        cls.mask = numbers.integers(0, 3, (5, 1, 7, 5)).astype("u1")
        cls.vector = numbers.integers(-4, 5, (5, 3)).astype("f4")
        cls.write("all.h5", image=cls.image, mask=cls.mask, vector=cls.vector, other=cls.vector)
        cls.write("image.h5", x=cls.image)
        cls.write("mask.h5", **{"deep/m": cls.mask, "wide": cls.mask.transpose(0, 2, 3, 1)})
        cls.write("vector.h5", v=cls.vector)

    @classmethod
    def expected(cls, mask=None, vector=None):
        mask = cls.mask if mask is None else mask
        vector = cls.vector if vector is None else vector
        return cls.image * np.kron(mask, np.ones((2, 2), "f4")) + vector[:, :, None, None]

    def run_three(self, np_, *arguments, code=OK, say="", **more):
        return self.expect(code, np_, "run", "three.onnx", *arguments, say=say, **more)

    def files(self, **changes):
        names = {"image": "image.h5", "mask": "mask.h5:/deep/m", "vector": "vector.h5", **changes}
        return [word for name, file in names.items() for word in ("--input", f"{name}={file}")]

    def refuse(self, code, arguments, say):
        self.run_three(2, *arguments, code=code, say=say)
        self.assertEqual(self.leftovers("out.h5"), [])

    def test_data_sets_of_one_file_are_found_by_name(self):
        for ranks, split in ((1, "1"), (2, "h"), (3, "n"), (4, "h=2,w=2"), (3, "f"), (4, "auto")):
            self.run_three(ranks, "all.h5", "by_name.h5", "--split", split, "--force", "--quiet")
            np.testing.assert_array_equal(self.result("by_name.h5"), self.expected(), f"{ranks} ranks, {split}")

    def test_one_file_for_each_input(self):
        done = self.run_three(3, "files.h5", *self.files(), "--split", "h", "--batch", 2)
        np.testing.assert_array_equal(self.result("files.h5"), self.expected())
        names = "image=image.h5:/x, mask=mask.h5:/deep/m, vector=vector.h5:/v"
        self.assertIn(names, done.stdout)
        with h5py.File(self.path("files.h5")) as file:
            self.assertEqual(file["provenance"].attrs["input_path"], names)

    def test_the_file_on_the_line_is_that_of_the_first_input_without_another(self):
        named = ["--input", "mask=mask.h5:/deep/m", "--input", "vector=vector.h5"]
        self.run_three(2, "image.h5", "mixed.h5", *named, "--quiet")
        np.testing.assert_array_equal(self.result("mixed.h5"), self.expected())
        named = ["--input", "image=image.h5", "--input", "vector=all.h5:/vector"]
        self.run_three(2, "mask.h5:/deep/m", "mixed.h5", *named, "--quiet", "--force")
        np.testing.assert_array_equal(self.result("mixed.h5"), self.expected())

    def test_options_of_one_input(self):
        options = ["--layout", "mask=NHWC", "--scale", "mask=2", "--mean", "mask=1", "--mean", "vector=1,2,3"]
        self.run_three(2, "options.h5", *self.files(mask="mask.h5:/wide"), *options, "--quiet")
        expected = self.expected(self.mask.astype("f4") * 2 - 1, self.vector - np.array([1, 2, 3], "f4"))
        np.testing.assert_array_equal(self.result("options.h5"), expected)

    def test_verification_report_and_dry_run(self):
        self.run_three(3, "all.h5", "v.h5", "--verify=full", "--split", "h", "--report", "v.jsonl", say="verified 3 layers")
        with open(self.path("v.jsonl"), encoding="utf-8") as file:
            run = json.loads(file.readline())
        self.assertEqual(run["input"], "image=all.h5:/image, mask=all.h5:/mask, vector=all.h5:/vector")
        self.run_three(2, "all.h5", "wrong.h5", "--verify", code=BUG, PARCONV_FAULT="rank=1,phase=verify,kind=wrong")
        self.run_three(0, "all.h5", "dry.h5", "--dry-run", "--ranks", 16, "--split", "h=4,w=4", say="layers on 16 ranks")

    def test_data_that_is_missing(self):
        self.refuse(BAD_DATA, ["image.h5", "out.h5"], "input 'mask' of the model has no data: image.h5 has no data set '/mask'")
        self.refuse(BAD_DATA, ["image.h5:/x", "out.h5"], "image.h5:/x is the data of another input")
        self.refuse(BAD_DATA, ["out.h5", *self.files()[:4]], "input 'vector' of the model has no data: no file is given")
        self.refuse(INPUT_MISSING, ["out.h5", *self.files(mask="gone.h5")], "gone.h5")
        self.refuse(BAD_DATA, ["out.h5", *self.files(mask="mask.h5:/gone")], "mask.h5:/gone")

    def test_data_that_does_not_fit(self):
        self.write("few.h5", m=self.mask[:3])
        self.refuse(BAD_DATA, ["out.h5", *self.files(mask="few.h5")], "input 'mask' has 3 samples (few.h5:/m), but input 'image' has 5")
        self.write("small.h5", m=self.mask[:, :, :6])
        self.refuse(BAD_DATA, ["out.h5", *self.files(mask="small.h5")], "product")
        self.write("deep.h5", m=np.zeros((5, 2, 7, 5), "u1"))
        self.refuse(BAD_DATA, ["out.h5", *self.files(mask="deep.h5")], "input 'mask' has dimensions [N, 1, h, w] in the model")
        self.refuse(BAD_DATA, ["out.h5", *self.files(vector="image.h5")], "input 'vector' has dimensions [N, 3] in the model")

    def test_names_that_are_wrong(self):
        refusals = [
            (["all.h5", "out.h5", "--input", "masc=mask.h5"], "--input names 'masc', but the inputs of the model are 'image', 'mask', 'vector'"),
            (["all.h5", "out.h5", "--mean", "masc=1"], "--mean names 'masc'"),
            (["all.h5", "out.h5", "--scale", "2", "--scale", "image=2"], "--scale is given twice for the input 'image'"),
            (["out.h5", *self.files(), "--input", "mask=all.h5:/mask"], "--input is given twice for the input 'mask'"),
            (["all.h5", "out.h5", *self.files()], "INPUT all.h5 is not needed"),
        ]
        for arguments, say in refusals:
            self.refuse(USAGE, arguments, say)
        for arguments, say in (
            (["all.h5", "out.h5", "--input", "mask.h5"], "NAME=FILE"),
            (["all.h5", "out.h5", "--mean", "1,b"], "list of numbers"),
            (["all.h5", "out.h5", "--scale", "mask=1,2"], "one number"),
            (["all.h5"], "OUTPUT is required"),
        ):
            self.run_three(0, *arguments, code=USAGE, say=say)


if __name__ == "__main__":
    unittest.main()
