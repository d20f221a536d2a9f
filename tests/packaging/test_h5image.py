"""Tests of apps/tools/h5image.py: TOOL PICTURE as arguments; 77 means skipped."""
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


class H5Image(unittest.TestCase):
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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
