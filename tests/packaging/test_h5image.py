# SPDX-License-Identifier: Apache-2.0
"""Tests of apps/tools/h5image.py. Arguments: TOOL PICTURE. Exit status 77 means skipped."""

import importlib.util
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import h5py
    import numpy as np
    from PIL import Image
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TOOL, PICTURE = sys.argv[1:3]


def run(*arguments):
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, check=False)


class ToolCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def succeed(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def refuse(self, expected, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn(expected, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def write_h5(self, name, **datasets):
        path = self.folder / name
        with h5py.File(path, "w") as file:
            for key, value in datasets.items():
                file[key] = value
        return path


class Pictures(ToolCase):
    def test_writes_one_sample_in_nchw(self):
        path = self.folder / "a.h5"
        self.succeed("to-h5", PICTURE, path)
        pixels = np.asarray(Image.open(PICTURE))
        with h5py.File(path) as file:
            self.assertEqual(list(file), ["image"])
            self.assertEqual(file["image"].dtype, np.uint8)
            self.assertEqual(file["image"].attrs["layout"], "NCHW")
            np.testing.assert_array_equal(file["image"][0, 2], pixels[:, :, 2])
            self.assertEqual(file["image"].shape, (1, 3, *pixels.shape[:2]))

    def test_round_trip_keeps_every_pixel(self):
        self.succeed("to-h5", PICTURE, self.folder / "a.h5")
        self.succeed("to-png", self.folder / "a.h5", self.folder / "b.png")
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "b.png")), np.asarray(Image.open(PICTURE)))

    def test_grey_round_trip(self):
        grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
        Image.fromarray(grey).save(self.folder / "grey.png")
        self.succeed("to-h5", self.folder / "grey.png", self.folder / "a.h5")
        self.succeed("to-png", self.folder / "a.h5", self.folder / "b.png")
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "b.png")), grey)

    def test_rounds_and_clips(self):
        path = self.write_h5("a.h5", y=np.array([[[[-5, 0.4, 0.6, 254.6, 300]]]], np.float32), scale=np.arange(5.0))
        self.succeed("to-png", path, self.folder / "b.png")
        self.assertEqual(np.asarray(Image.open(self.folder / "b.png")).tolist(), [[0, 0, 1, 255, 255]])

    def test_stretches_one_channel_of_one_sample(self):
        values = np.zeros((2, 5, 1, 3), np.float32)
        values[1, 4, 0] = [-1, 0, 1]
        path = self.write_h5("a.h5", y=values)
        self.succeed("to-png", path, self.folder / "b.png", "--sample", 1, "--channel", 4, "--stretch")
        self.assertEqual(np.asarray(Image.open(self.folder / "b.png")).tolist(), [[0, 128, 255]])

    def test_compares_pictures_of_different_size(self):
        left = self.write_h5("left.h5", y=np.full((1, 1, 2, 3), 10, np.uint8))
        right = self.write_h5("right.h5", y=np.full((1, 3, 4, 5), 20, np.uint8))
        self.succeed("compare", left, f"{right}:/y", self.folder / "both.png")
        both = np.asarray(Image.open(self.folder / "both.png"))
        self.assertEqual(both.shape, (4, 3 + 8 + 5, 3))
        self.assertEqual(both[1, 2].tolist(), [10, 10, 10])
        self.assertEqual(both[2, 2].tolist(), [255, 255, 255])
        self.assertEqual(both[3, 11].tolist(), [20, 20, 20])

    def test_refuses_what_it_cannot_show(self):
        two = self.write_h5("two.h5", a=np.zeros((1, 1, 2, 2)), b=np.zeros((1, 7, 2, 2)))
        out = self.folder / "out.png"
        self.refuse("found /a, /b", "to-png", two, out)
        self.refuse("7 channels", "to-png", f"{two}:/b", out)
        self.refuse("no dataset /c", "to-png", f"{two}:/c", out)
        self.refuse("sample 1 was asked, it has 1", "to-png", f"{two}:/a", out, "--sample", 1)
        self.refuse("channel 7 was asked, it has 7", "to-png", f"{two}:/b", out, "--channel", 7)
        self.refuse("no such file", "to-png", self.folder / "absent.h5", out)
        self.refuse("cannot be read as a picture", "to-h5", two, self.folder / "x.h5")
        self.refuse("cannot be written", "to-h5", PICTURE, self.folder / "absent" / "x.h5")
        self.assertFalse(out.exists())

    def test_refuses_values_that_are_not_finite_and_foreign_layouts(self):
        path = self.write_h5("nan.h5", y=np.full((1, 1, 2, 2), np.nan))
        self.refuse("not finite", "to-png", path, self.folder / "out.png")
        with h5py.File(path, "a") as file:
            file["y"].attrs["layout"] = "NHWC"
        self.refuse("layout NHWC", "to-png", path, self.folder / "out.png")


def has_tifffile():
    return importlib.util.find_spec("tifffile") is not None


class OtherFormats(ToolCase):
    def round_trip(self, values, name, *options):
        """Round trip of `values` as an array through HDF5 and `name`."""
        np.save(self.folder / "in.npy", values)
        self.succeed("to-h5", self.folder / "in.npy", self.folder / "a.h5", *options)
        self.succeed("from-h5", self.folder / "a.h5", self.folder / name)
        self.succeed("to-h5", self.folder / name, self.folder / "b.h5")
        self.succeed("from-h5", self.folder / "b.h5", self.folder / "out.npy")
        return np.load(self.folder / "out.npy")

    def random(self, shape, dtype):
        return np.random.default_rng(3).integers(0, 200, shape).astype(dtype)

    def dataset(self, name):
        with h5py.File(self.folder / name) as file:
            return file["image"][()], file["image"].attrs["layout"]

    def test_arrays_of_every_layout_come_into_order(self):
        values = self.random((2, 3, 4, 5, 6), np.float32)  # n c d h w
        for layout in ("NCDHW", "NDHWC", "DHWNC"):
            np.save(self.folder / "a.npy", values.transpose(["NCDHW".index(a) for a in layout]))
            self.succeed("to-h5", self.folder / "a.npy", self.folder / "a.h5", "--layout", layout)
            stored, name = self.dataset("a.h5")
            self.assertEqual(name, "NCDHW")
            np.testing.assert_array_equal(stored, values)

    def test_axes_that_an_array_lacks_have_extent_1(self):
        for layout, shape, expected in (
            ("HW", (4, 5), (1, 1, 4, 5)),
            ("HWC", (4, 5, 3), (1, 3, 4, 5)),
            ("DHW", (2, 4, 5), (1, 1, 2, 4, 5)),
        ):
            np.save(self.folder / "a.npy", self.random(shape, np.int16))
            self.succeed("to-h5", self.folder / "a.npy", self.folder / "a.h5", "--layout", layout)
            self.assertEqual(self.dataset("a.h5")[0].shape, expected)

    def test_chooses_an_array_of_npz_and_writes_one(self):
        np.savez(self.folder / "two.npz", a=self.random((2, 3), np.uint8), b=self.random((4, 5), np.uint8))
        self.refuse("a, b", "to-h5", self.folder / "two.npz", self.folder / "a.h5")
        self.succeed("to-h5", f"{self.folder}/two.npz:b", self.folder / "a.h5")
        self.succeed("from-h5", self.folder / "a.h5", self.folder / "one.npz")
        self.assertEqual(np.load(self.folder / "one.npz")["image"].shape, (1, 1, 4, 5))

    def test_a_folder_of_slices_is_a_volume_in_the_order_of_its_numbers(self):
        values = self.random((12, 4, 5), np.uint8)
        (self.folder / "in").mkdir()
        for k, slice_values in enumerate(values):
            Image.fromarray(slice_values).save(self.folder / "in" / f"slice{k}.png")
        self.succeed("to-h5", self.folder / "in", self.folder / "a.h5")
        stored, layout = self.dataset("a.h5")
        self.assertEqual((layout, stored.shape), ("NCDHW", (1, 1, 12, 4, 5)))
        np.testing.assert_array_equal(stored[0, 0], values)
        self.succeed("from-h5", self.folder / "a.h5", f"{self.folder}/back/")
        self.assertEqual(sorted(p.name for p in (self.folder / "back").iterdir())[:2], ["00.png", "01.png"])
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "back" / "11.png")), values[11])
        self.succeed("from-h5", self.folder / "a.h5", self.folder / "one.png", "--slice", 7)
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "one.png")), values[7])

    def test_several_pictures_are_samples_if_asked(self):
        for k in range(3):
            Image.fromarray(np.full((4, 5, 3), k, np.uint8)).save(self.folder / f"{k}.png")
        pictures = [self.folder / f"{k}.png" for k in range(3)]
        self.succeed("to-h5", *pictures, self.folder / "a.h5", "--samples")
        stored, layout = self.dataset("a.h5")
        self.assertEqual((layout, stored.shape, stored[2].max()), ("NCHW", (3, 3, 4, 5), 2))
        self.succeed("to-h5", *pictures, self.folder / "a.h5")
        self.assertEqual(self.dataset("a.h5")[0].shape, (1, 3, 3, 4, 5))
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(pictures[1])
        self.refuse("all have to be alike", "to-h5", *pictures, self.folder / "b.h5")

    def test_sixteen_bits_of_grey(self):
        values = np.array([[0, 300], [40000, 65535]], np.uint16)
        Image.fromarray(values).save(self.folder / "a.png")
        self.succeed("to-h5", self.folder / "a.png", self.folder / "a.h5")
        stored, _ = self.dataset("a.h5")
        self.assertEqual(stored.dtype, np.uint16)
        np.testing.assert_array_equal(stored[0, 0], values)
        self.succeed("from-h5", self.folder / "a.h5", self.folder / "b.png", "--bits", 16)
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "b.png")), values)

    def test_refuses_colour_of_16_bits_that_would_lose_half(self):
        header = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\0\1\0\0\0\1" + bytes([16, 2, 0, 0, 0])
        (self.folder / "deep.png").write_bytes(header + b"\0" * 40)
        self.refuse("save it as TIFF", "to-h5", self.folder / "deep.png", self.folder / "a.h5")

    def test_alpha_is_kept_only_if_asked(self):
        values = self.random((4, 5, 4), np.uint8)
        Image.fromarray(values).save(self.folder / "a.png")
        self.succeed("to-h5", self.folder / "a.png", self.folder / "a.h5")
        self.assertEqual(self.dataset("a.h5")[0].shape, (1, 3, 4, 5))
        self.succeed("to-h5", self.folder / "a.png", self.folder / "a.h5", "--alpha")
        self.succeed("from-h5", self.folder / "a.h5", self.folder / "b.png")
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "b.png")), values)

    def test_jpeg_both_ways(self):
        self.succeed("to-h5", PICTURE, self.folder / "a.h5")
        self.succeed("from-h5", self.folder / "a.h5", self.folder / "b.jpg")
        self.succeed("to-h5", self.folder / "b.jpg", self.folder / "c.h5")
        both = [self.dataset(name)[0].astype(float) for name in ("a.h5", "c.h5")]
        self.assertLess(np.abs(both[0] - both[1]).mean(), 10)

    @unittest.skipUnless(has_tifffile(), "tifffile is not installed")
    def test_tiff_stacks_keep_type_and_values(self):
        cases = (
            (np.uint8, (7, 3, 4, 5), "DCHW"),  # colour
            (np.uint16, (7, 4, 5), "DHW"),
            (np.float32, (7, 2, 4, 5), "DCHW"),
            (np.uint16, (3, 4, 5), "CHW"),
            (np.float32, (4, 5), "HW"),
        )
        for dtype, shape, layout in cases:
            with self.subTest(dtype=dtype, layout=layout):
                values = self.random(shape, dtype)
                back = self.round_trip(values, "stack.tif", "--layout", layout)
                self.assertEqual(back.dtype, dtype)
                wanted = values.swapaxes(0, 1) if layout == "DCHW" else values
                np.testing.assert_array_equal(back.reshape(wanted.shape), wanted)

    @unittest.skipIf(has_tifffile(), "tifffile is installed")
    def test_reports_what_tiff_requires(self):
        (self.folder / "a.tif").write_bytes(b"II*\0")
        self.refuse("python3-tifffile", "to-h5", self.folder / "a.tif", self.folder / "a.h5")

    def test_refuses_what_it_does_not_understand(self):
        np.save(self.folder / "a.npy", self.random((3, 4, 5), np.int64))
        out = self.folder / "a.h5"
        self.refuse("say with --layout", "to-h5", self.folder / "a.npy", out)
        self.refuse("does not fit", "to-h5", self.folder / "a.npy", out, "--layout", "HWX")
        self.refuse("choose one with --type", "to-h5", self.folder / "a.npy", out, "--layout", "CHW")
        self.succeed("to-h5", self.folder / "a.npy", out, "--layout", "CHW", "--type", "float32")
        self.refuse("--layout is for .npy", "to-h5", PICTURE, out, "--layout", "CHW")
        self.refuse("there are no pictures", "to-h5", self.make_folder("empty"), out)
        self.refuse("no such file", "to-h5", self.folder / "absent.png", out)
        self.refuse("slice 1 was asked", "from-h5", out, self.folder / "b.png", "--slice", 1)

    def make_folder(self, name):
        (self.folder / name).mkdir()
        return self.folder / name


class Measures(ToolCase):
    def test_noise_is_the_same_for_the_same_seed(self):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            self.succeed("noise", PICTURE, self.folder / f"{name}.h5", "--sigma", 25, "--seed", seed)
        a, b, c = (h5py.File(self.folder / f"{name}.h5")["image"][()] for name in "abc")
        np.testing.assert_array_equal(a, b)
        self.assertEqual(a.dtype, np.uint8)
        self.assertGreater(np.abs(a.astype(float) - c).mean(), 10)
        clean = np.asarray(Image.open(PICTURE)).transpose(2, 0, 1)
        self.assertAlmostEqual((a[0] - clean.astype(float)).std(), 25, delta=1)

    def test_psnr_of_a_constant_error(self):
        one = self.write_h5("one.h5", y=np.full((1, 1, 4, 5), 100, np.uint8))
        two = self.write_h5("two.h5", y=np.full((1, 1, 4, 5), 110.2, np.float32))
        done = run("psnr", one, two)
        self.assertEqual(done.stdout, "28.13 dB\n")  # 20 log10(255 / 10)
        self.refuse("(channels, height, width)", "psnr", one, PICTURE)

    def test_captions_below_three_pictures(self):
        paths = [self.write_h5(f"{k}.h5", y=np.full((1, 1, 10, 60), 40 * k, np.uint8)) for k in range(3)]
        out = self.folder / "three.png"
        self.succeed("compare", *paths, out, "--captions", "noisy", "denoised", "clean")
        pixels = np.asarray(Image.open(out))
        self.assertEqual(pixels.shape, (10 + 24, 3 * 60 + 2 * 8, 3))
        for left in (0, 68, 136):
            self.assertLess(pixels[10:, left : left + 60].min(), 60)  # text below each
        self.refuse("1 captions for 3", "compare", *paths, out, "--captions", "noisy")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
