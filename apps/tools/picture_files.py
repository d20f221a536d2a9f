# SPDX-License-Identifier: Apache-2.0
"""Picture files of common formats, as arrays (channels, height, width) of the file's type."""

from pathlib import Path

import numpy as np
from PIL import Image

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp")
TIFF_SUFFIXES = (".tif", ".tiff")
HAS_16_BITS = 16  # bits per channel in the header of a PNG file


class BadInput(Exception):
    """An unusable file; the message states the problem and a remedy."""


def import_tifffile(path):
    """The TIFF package, imported only on demand."""
    try:
        import tifffile
    except ImportError as error:
        raise BadInput(f"{path}: TIFF needs the Python package tifffile (Debian: python3-tifffile)") from error
    return tifffile


def refuse_16_bit_colour(path):
    """Pillow silently drops the lower 8 bits of such a PNG."""
    with open(path, "rb") as file:
        header = file.read(26)
    is_png = header[:4] == b"\x89PNG"
    if is_png and header[24] == HAS_16_BITS and header[25] in (2, 4, 6):
        raise BadInput(f"{path}: a PNG of 16 bits with colour or alpha is read in 8 bits only; save it as TIFF")


def decoded(picture, keeps_alpha):
    """The pixels of a Pillow picture, (height, width) or (height, width, channels)."""
    has_alpha = keeps_alpha and ("A" in picture.getbands() or "transparency" in picture.info)
    if picture.mode.startswith("I;16") or picture.mode == "I":
        values = np.asarray(picture)
        return values.astype(np.uint16) if values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max else values
    if picture.mode == "F":
        return np.asarray(picture)
    grey = picture.mode in ("1", "L", "LA")
    return np.asarray(picture.convert(("LA" if has_alpha else "L") if grey else ("RGBA" if has_alpha else "RGB")))


def read_picture(path, keeps_alpha=False):
    """(channels, height, width): 1 or 3 channels, plus alpha if kept."""
    if path.suffix.lower() in TIFF_SUFFIXES:
        frames = read_tiff(path, keeps_alpha)
        if len(frames) != 1:
            raise BadInput(f"{path}: {len(frames)} pages, where one picture is needed")
        return frames[0]
    try:
        refuse_16_bit_colour(path)
        with Image.open(path) as picture:
            pixels = decoded(picture, keeps_alpha)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read as a picture ({error})") from error
    return pixels[np.newaxis] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_tiff(path, keeps_alpha=False):
    """The pages of a TIFF file, (pages, channels, height, width)."""
    tifffile = import_tifffile(path)
    try:
        with tifffile.TiffFile(path) as file:
            values, axes = file.series[0].asarray(), file.series[0].axes
    except (OSError, ValueError, IndexError) as error:
        raise BadInput(f"{path}: cannot be read as TIFF ({error})") from error
    return pages_of(values, axes, path, keeps_alpha)


def pages_of(values, axes, path, keeps_alpha):
    """Transposes axes named by tifffile: Y and X, S or C for channels, and at most one other axis of extent above 1."""
    kept = [k for k, name in enumerate(axes) if name in "YX" or values.shape[k] > 1]
    values, axes = values.reshape([values.shape[k] for k in kept]), "".join(axes[k] for k in kept)
    channels = [k for k, name in enumerate(axes) if name in "SC"]
    pages = [k for k, name in enumerate(axes) if name not in "YXSC"]
    if not {"Y", "X"} <= set(axes) or len(channels) > 1 or len(pages) > 1:
        raise BadInput(f"{path}: axes {axes} of {values.shape} are more than pages, channels, rows and columns; save it as .npy")
    ordered = values.transpose(pages + channels + [axes.index("Y"), axes.index("X")])
    ordered = ordered.reshape((ordered.shape[0] if pages else 1, -1) + ordered.shape[-2:])
    has_alpha = "S" in axes and ordered.shape[1] in (2, 4)
    return ordered[:, :-1] if has_alpha and not keeps_alpha else ordered


def write_picture(path, pixels):
    """Writes (channels, height, width) of uint8, or of uint16 for greyscale, in the format of the suffix."""
    if path.suffix.lower() in TIFF_SUFFIXES:
        return write_tiff(path, pixels[np.newaxis])
    if pixels.dtype == np.uint16 and pixels.shape[0] != 1:
        raise BadInput(f"{path}: 16 bits with {pixels.shape[0]} channels can be written as TIFF only")
    try:
        Image.fromarray(pixels[0] if pixels.shape[0] == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(path)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{path}: cannot be written ({error})") from error


def write_tiff(path, frames):
    """Writes (pages, channels, height, width) of any type, with colours interleaved and other channels as planes."""
    tifffile = import_tifffile(path)
    channels = frames.shape[1]
    if channels in (3, 4) and frames.dtype.kind == "u":
        options = {"photometric": "rgb", "metadata": {"axes": "ZYXS"}}
        values = frames.transpose(0, 2, 3, 1)
    else:
        options = {"photometric": "minisblack", "metadata": {"axes": "ZCYX" if channels > 1 else "ZYX"}}
        values = frames if channels > 1 else frames[:, 0]
    try:
        tifffile.imwrite(path, values, **options)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be written ({error})") from error


def natural_key(path):
    """Natural sort key: slice2 before slice10."""
    digits = "".join(c if c.isdigit() else " " for c in path.stem).split()
    return [int(d) for d in digits], path.name


def pictures_in(folder):
    """The picture files of a folder in natural order of their names."""
    found = sorted((p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES + TIFF_SUFFIXES), key=natural_key)
    if not found:
        raise BadInput(f"{folder}: there are no pictures in this folder ({', '.join(PICTURE_SUFFIXES + TIFF_SUFFIXES)})")
    return [Path(p) for p in found]
