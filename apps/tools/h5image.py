#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures, volumes and arrays to HDF5 files that parconv reads, and back.

  h5image.py to-h5 photo.jpg input.h5                   one sample (n, c, h, w) of the picture's type, dataset "image"
  h5image.py to-h5 a.png b.png c.png input.h5 --samples three samples
  h5image.py to-h5 slices/ input.h5                     a folder of pictures as the slices of one volume (n, c, d, h, w)
  h5image.py to-h5 stack.tif input.h5                   the pages of a TIFF file as the slices of one volume; 8, 16 bits or float
  h5image.py to-h5 volume.npy input.h5 --layout DHW     an array, its axes named slowest first; a.npz:NAME for one of several

  h5image.py from-h5 output.h5 result.png               values are rounded and clipped to 0..255
  h5image.py from-h5 output.h5 result.tif               all slices, with the values that the file has
  h5image.py from-h5 output.h5 result.npy               the whole dataset as it is
  h5image.py from-h5 output.h5 slices/ --bits 16        one PNG a slice, clipped to 0..65535

  h5image.py noise photo.png noisy.h5 --sigma 25        the picture with noise, which --seed makes the same again
  h5image.py psnr noisy.h5 photo.png                    decibels, of values of 0 to 255
  h5image.py compare input.h5 output.h5 both.png        side by side; pictures and HDF5 files may be mixed

An HDF5 file may be followed by a dataset, as in output.h5:/output/y; without one, the only numeric dataset of rank 3 to 5 is taken.
Alpha is left out unless --alpha is given.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import image_datasets
import image_sources
import picture_files
from picture_files import BadInput

GAP_PIXELS = 8
CAPTION_PIXELS = 24
WHITE = 255
COLOUR_CHANNELS = (1, 2, 3, 4)  # grey, grey with alpha, RGB, RGB with alpha


def to_pixels(values, argument, bits=8, stretch=False):
    """Values as unsigned integers: clipped, or stretched to the full range from black to white."""
    if values.shape[0] not in COLOUR_CHANNELS:
        raise BadInput(f"{argument}: {values.shape[0]} channels are neither grey nor RGB; choose one with --channel")
    white = 2**bits - 1
    if values.dtype == f"uint{bits}" and not stretch:
        return values
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise BadInput(f"{argument}: holds values that are not finite")
    if stretch:
        span = np.ptp(values)
        values = (values - values.min()) * (white / span if span else 0)
    return np.clip(np.rint(values), 0, white).astype(f"uint{bits}")


def load_values(argument, options):
    """(channels, height, width) of a picture file, or of one sample and slice of a dataset."""
    if not Path(image_datasets.split_dataset(argument)[0]).is_file():
        raise BadInput(f"{argument}: there is no such file")
    if not image_datasets.is_hdf5(argument):
        return picture_files.read_picture(Path(argument))
    with image_datasets.open_images(argument) as images:
        return images.frame(options.sample, options.slice, options.channel)


def load_pixels(argument, options):
    return to_pixels(load_values(argument, options), argument, stretch=options.stretch)


def as_rgb(pixels):
    colours = pixels[: 1 if pixels.shape[0] <= 2 else 3]
    return np.repeat(colours, 3, axis=0) if colours.shape[0] == 1 else colours


def side_by_side(pictures):
    """All pictures on a white canvas, aligned at the top with gaps, and the left edge of each."""
    pictures = [as_rgb(pixels) for pixels in pictures]
    widths = [pixels.shape[2] + GAP_PIXELS for pixels in pictures]
    canvas = np.full((3, max(p.shape[1] for p in pictures), sum(widths) - GAP_PIXELS), WHITE, np.uint8)
    lefts = [sum(widths[:k]) for k in range(len(widths))]
    for left, pixels in zip(lefts, pictures):
        canvas[:, : pixels.shape[1], left : left + pixels.shape[2]] = pixels
    return canvas, lefts


def with_captions(canvas, lefts, captions):
    """The canvas with a line of text below each picture."""
    image = Image.new("RGB", (canvas.shape[2], canvas.shape[1] + CAPTION_PIXELS), "white")
    image.paste(Image.fromarray(np.ascontiguousarray(canvas.transpose(1, 2, 0))))
    draw = ImageDraw.Draw(image)
    for left, caption in zip(lefts, captions):
        draw.text((left + 4, canvas.shape[1] + CAPTION_PIXELS // 4), caption, fill="black", font=ImageFont.load_default())
    return np.asarray(image).transpose(2, 0, 1)


def add_noise(values, sigma, seed):
    """Values rounded, clipped and converted to an integer type, as in a picture file."""
    if values.dtype.kind == "f":
        return (values + np.random.default_rng(seed).normal(0, sigma, values.shape)).astype(values.dtype)
    limits = np.iinfo(values.dtype)
    noisy = values + np.random.default_rng(seed).normal(0, sigma, values.shape)
    return np.clip(np.rint(noisy), limits.min, limits.max).astype(values.dtype)


def psnr(pixels, clean):
    """PSNR in decibels of two uint8 arrays; infinite if they are equal."""
    error = np.mean((pixels.astype(np.float64) - clean) ** 2)
    return 10 * np.log10(WHITE**2 / error) if error else np.inf


def run_to_h5(options):
    source = image_sources.open_source(options.sources, options)
    dtype = image_sources.check_type(source.dtype, options.type)
    image_datasets.write_dataset(options.file, options.dataset, source, dtype)


def write_folder(images, folder, options):
    """Writes one PNG per slice of a volume, or per sample."""
    folder.mkdir(parents=True, exist_ok=True)
    count = images.slices if "D" in images.layout else images.samples
    for k in range(count):
        where = (options.sample, k) if "D" in images.layout else (k, 0)
        pixels = to_pixels(images.frame(*where, options.channel), images.name, options.bits, options.stretch)
        picture_files.write_picture(folder / f"{k:0{len(str(count - 1))}}.png", pixels)


def write_stack(images, path, options):
    """A TIFF file keeps the values unless pixels are requested."""
    values = images.volume(options.sample, options.channel)
    if options.stretch or options.bits_asked:
        values = to_pixels(values.swapaxes(0, 1), images.name, options.bits, options.stretch).swapaxes(0, 1)
    picture_files.write_tiff(path, values)


def write_array(images, path):
    values = images.dataset[()]
    try:
        np.savez(path, **{images.dataset.name.rsplit("/", 1)[-1]: values}) if path.suffix == ".npz" else np.save(path, values)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error})") from error


def run_from_h5(options):
    if not Path(image_datasets.split_dataset(options.file)[0]).is_file():
        raise BadInput(f"{options.file}: there is no such file")
    path = Path(options.result)
    options.bits_asked, options.bits = options.bits is not None, options.bits or 8
    with image_datasets.open_images(options.file) as images:
        if path.suffix in image_sources.NUMPY_SUFFIXES:
            return write_array(images, path)
        if path.suffix.lower() in picture_files.TIFF_SUFFIXES:
            return write_stack(images, path, options)
        if options.result.endswith("/") or path.is_dir() or not path.suffix:
            return write_folder(images, path, options)
        values = images.frame(options.sample, options.slice, options.channel)
        picture_files.write_picture(path, to_pixels(values, images.name, options.bits, options.stretch))


def run_noise(options):
    source = image_sources.open_source([options.picture], options)
    noisy = lambda: (
        (index, add_noise(block, options.sigma, options.seed + k)) for k, (index, block) in enumerate(source.blocks())
    )
    image_datasets.write_dataset(
        options.file, options.dataset, image_sources.Source(source.shape, source.dtype, noisy), source.dtype
    )


def run_psnr(options):
    pixels, clean = load_pixels(options.file, options), load_pixels(options.clean, options)
    if pixels.shape != clean.shape:
        raise BadInput(f"{options.file} is {pixels.shape}, {options.clean} is {clean.shape} (channels, height, width)")
    print(f"{psnr(pixels, clean):.2f} dB")


def run_compare(options):
    canvas, lefts = side_by_side([load_pixels(argument, options) for argument in options.files])
    if options.captions:
        if len(options.captions) != len(options.files):
            raise BadInput(f"{len(options.captions)} captions for {len(options.files)} pictures")
        canvas = with_captions(canvas, lefts, options.captions)
    picture_files.write_picture(Path(options.picture), canvas)


def add_frame_options(command):
    command.add_argument("--sample", type=int, default=0, metavar="N", help="sample to show, counted from 0 (default 0)")
    command.add_argument("--slice", type=int, default=0, metavar="D", help="slice of a volume to show (default 0)")
    command.add_argument("--channel", type=int, metavar="C", help="show one channel in grey")
    command.add_argument("--stretch", action="store_true", help="smallest value black, largest white, instead of clipping")


def add_source_options(command):
    command.add_argument("--dataset", default="image", help='name of the dataset (default "image")')
    command.add_argument("--alpha", action="store_true", help="keep alpha as the last channel")
    command.add_argument("--samples", action="store_true", help="several pictures are samples, not the slices of a volume")
    command.add_argument("--layout", metavar="AXES", help="of an array: one letter of N, C, D, H, W per axis, slowest first")


def add_to_h5(commands):
    command = commands.add_parser("to-h5", help="pictures, volumes and arrays to HDF5")
    command.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="picture, TIFF stack, .npy, .npz[:NAME], folder of slices, or several pictures",
    )
    command.add_argument("file", help="HDF5 file to write; replaced if it exists")
    add_source_options(command)
    command.add_argument("--type", choices=image_sources.READABLE_TYPES, help="type to store (default: that of the source)")
    command.set_defaults(run=run_to_h5)


def add_from_h5(commands):
    command = commands.add_parser("from-h5", aliases=["to-png"], help="HDF5 to a picture, TIFF stack, array or folder of slices")
    command.add_argument("file", metavar="FILE.h5[:/dataset]")
    command.add_argument("result", help="picture, .tif, .npy, .npz or folder to write")
    command.add_argument("--bits", type=int, choices=(8, 16), help="of a pixel's channel (default 8; TIFF: the type of the file)")
    add_frame_options(command)
    command.set_defaults(run=run_from_h5)


def add_measures(commands):
    noise = commands.add_parser("noise", help="adds Gaussian noise to pictures")
    noise.add_argument("picture", help="whatever to-h5 takes")
    noise.add_argument("file", help="HDF5 file to write; replaced if it exists")
    noise.add_argument("--sigma", type=float, default=25, help="standard deviation (default 25)")
    noise.add_argument("--seed", type=int, default=0, help="the same noise for the same number (default 0)")
    add_source_options(noise)
    noise.set_defaults(run=run_noise)

    ratio = commands.add_parser("psnr", help="peak signal-to-noise ratio of 8-bit pictures")
    ratio.add_argument("file", metavar="FILE[:/dataset]")
    ratio.add_argument("clean", metavar="CLEAN[:/dataset]")
    add_frame_options(ratio)
    ratio.set_defaults(run=run_psnr)


def add_compare(commands):
    command = commands.add_parser("compare", help="pictures or HDF5 files side by side")
    command.add_argument("files", nargs="+", metavar="FILE[:/dataset]")
    command.add_argument("picture", help="picture to write")
    command.add_argument("--captions", nargs="+", metavar="TEXT", help="one line below each")
    add_frame_options(command)
    command.set_defaults(run=run_compare)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_to_h5, add_from_h5, add_measures, add_compare):
        add(commands)
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
