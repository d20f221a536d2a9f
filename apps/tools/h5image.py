#!/usr/bin/env python3
"""Pictures to HDF5 files that parconv reads, and back.

  h5image.py to-h5 photo.png input.h5            uint8, one sample, layout NCHW, dataset "image"
  h5image.py to-png output.h5 result.png         values are rounded and clipped to 0..255
  h5image.py compare input.h5 output.h5 both.png side by side; pictures and HDF5 files may be mixed

An HDF5 file may be followed by a dataset, as in output.h5:/output/y; without one, the only numeric dataset of rank 3 or 4 is taken.
"""
import argparse
import sys
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

GAP_PIXELS = 8
WHITE = 255


class BadInput(Exception):
    """A file that cannot be used as it is; the message says what was found and what to do."""


def read_picture(path):
    """The picture as a uint8 array of shape (channels, height, width), 1 or 3 channels."""
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read as a picture ({error})") from error
    return pixels[np.newaxis] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def write_picture(path, pixels):
    """Writes a uint8 array of shape (channels, height, width)."""
    mode_pixels = pixels[0] if pixels.shape[0] == 1 else pixels.transpose(1, 2, 0)
    try:
        Image.fromarray(mode_pixels).save(path)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be written ({error})") from error


def split_dataset(argument):
    """ "a.h5:/x/y" -> ("a.h5", "/x/y"); "a.h5" -> ("a.h5", None)."""
    path, separator, dataset = argument.rpartition(":/")
    return (path, "/" + dataset) if separator else (argument, None)


def image_datasets(file):
    """Names of the numeric datasets of rank 3 or 4."""
    names = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.ndim in (3, 4) and item.dtype.kind in "fiu":
            names.append("/" + name)

    file.visititems(visit)
    return names


def choose_dataset(file, path, name):
    if name is None:
        found = image_datasets(file)
        if len(found) != 1:
            listed = ", ".join(found) if found else "none"
            raise BadInput(f"{path}: expected one numeric dataset of rank 3 or 4, found {listed}; name one as {path}:/dataset")
        name = found[0]
    if name not in file or not isinstance(file[name], h5py.Dataset):
        raise BadInput(f"{path}: there is no dataset {name}")
    dataset = file[name]
    if dataset.ndim not in (3, 4) or dataset.dtype.kind not in "fiu":
        raise BadInput(f"{path}:{name}: {dataset.dtype} of shape {dataset.shape} is not a picture; rank 3 or 4 is needed")
    return dataset


def check_layout(dataset, path):
    layout = dataset.attrs.get("layout", "NCHW")
    layout = layout.decode() if isinstance(layout, bytes) else str(layout)
    if layout not in ("NCHW", "CHW"):
        raise BadInput(f"{path}:{dataset.name}: layout {layout} is not supported, only NCHW (rank 4) and CHW (rank 3)")


def read_values(argument, sample):
    """One sample of a dataset, shape (channels, height, width), in the file's type."""
    path, name = split_dataset(argument)
    try:
        with h5py.File(path, "r") as file:
            dataset = choose_dataset(file, path, name)
            check_layout(dataset, path)
            if dataset.ndim == 3:
                return dataset[()]
            if not 0 <= sample < dataset.shape[0]:
                raise BadInput(f"{path}:{dataset.name}: sample {sample} was asked, it has {dataset.shape[0]} (counted from 0)")
            return dataset[sample]
    except OSError as error:
        raise BadInput(f"{path}: cannot be read as HDF5 ({error})") from error


def to_pixels(values, argument, channel, stretch):
    """Values of any type as uint8: clipped to 0..255, or stretched so that the smallest is black and the largest white."""
    if channel is not None:
        if not 0 <= channel < values.shape[0]:
            raise BadInput(f"{argument}: channel {channel} was asked, it has {values.shape[0]} (counted from 0)")
        values = values[channel : channel + 1]
    if values.shape[0] not in (1, 3):
        raise BadInput(f"{argument}: {values.shape[0]} channels are neither grey nor RGB; choose one with --channel")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise BadInput(f"{argument}: holds values that are not finite")
    if stretch:
        span = np.ptp(values)
        values = (values - values.min()) * (WHITE / span if span else 0)
    return np.clip(np.rint(values), 0, WHITE).astype(np.uint8)


def is_hdf5(argument):
    path, name = split_dataset(argument)
    return name is not None or h5py.is_hdf5(path)


def load_pixels(argument, options):
    if not Path(split_dataset(argument)[0]).is_file():
        raise BadInput(f"{argument}: there is no such file")
    if is_hdf5(argument):
        return to_pixels(read_values(argument, options.sample), argument, options.channel, options.stretch)
    return read_picture(argument)


def as_rgb(pixels):
    return np.repeat(pixels, 3, axis=0) if pixels.shape[0] == 1 else pixels


def side_by_side(left, right):
    """Both pictures on white, aligned at the top, with a gap between."""
    left, right = as_rgb(left), as_rgb(right)
    height = max(left.shape[1], right.shape[1])
    canvas = np.full((3, height, left.shape[2] + GAP_PIXELS + right.shape[2]), WHITE, np.uint8)
    canvas[:, : left.shape[1], : left.shape[2]] = left
    canvas[:, : right.shape[1], left.shape[2] + GAP_PIXELS :] = right
    return canvas


def run_to_h5(options):
    pixels = read_picture(options.picture)
    try:
        with h5py.File(options.file, "w") as file:
            dataset = file.create_dataset(options.dataset, data=pixels[np.newaxis])
            dataset.attrs["layout"] = "NCHW"
    except (OSError, ValueError) as error:
        raise BadInput(f"{options.file}: cannot be written ({error})") from error


def run_to_png(options):
    write_picture(options.picture, load_pixels(options.file, options))


def run_compare(options):
    write_picture(options.picture, side_by_side(load_pixels(options.left, options), load_pixels(options.right, options)))


def add_pixel_options(command):
    command.add_argument("--sample", type=int, default=0, metavar="N", help="sample to show, counted from 0 (default 0)")
    command.add_argument("--channel", type=int, metavar="C", help="show one channel in grey")
    command.add_argument("--stretch", action="store_true", help="smallest value black, largest white, instead of clipping")


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    to_h5 = commands.add_parser("to-h5", help="picture to HDF5")
    to_h5.add_argument("picture", help="PNG or JPEG, grey or colour")
    to_h5.add_argument("file", help="HDF5 file to write; replaced if it exists")
    to_h5.add_argument("--dataset", default="image", help='name of the dataset (default "image")')
    to_h5.set_defaults(run=run_to_h5)

    to_png = commands.add_parser("to-png", help="HDF5 to picture")
    to_png.add_argument("file", metavar="FILE.h5[:/dataset]")
    to_png.add_argument("picture", help="picture to write")
    add_pixel_options(to_png)
    to_png.set_defaults(run=run_to_png)

    compare = commands.add_parser("compare", help="two pictures or HDF5 files side by side")
    compare.add_argument("left", metavar="LEFT[:/dataset]")
    compare.add_argument("right", metavar="RIGHT[:/dataset]")
    compare.add_argument("picture", help="picture to write")
    add_pixel_options(compare)
    compare.set_defaults(run=run_compare)
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        options.run(options)
    except BadInput as error:
        print(f"h5image: {error}", file=sys.stderr)
        return 65
    return 0


if __name__ == "__main__":
    sys.exit(main())
