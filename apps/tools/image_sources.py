# SPDX-License-Identifier: Apache-2.0
"""Sources of an HDF5 dataset: pictures, stacks, folders of slices and NumPy arrays, read block by block."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import numpy as np

from picture_files import TIFF_SUFFIXES, BadInput, pictures_in, read_picture, read_tiff

NUMPY_SUFFIXES = (".npy", ".npz")
READABLE_TYPES = ("float32", "float64", "float16", "uint8", "int8", "uint16", "int16")  # supported by parconv_app
LAYOUT_BY_RANK = {2: "HW", 4: "NCHW", 5: "NCDHW"}


@dataclass
class Source:
    """A future dataset of samples, channels, slices (of a volume), rows and columns; `blocks` yields blocks with their index."""

    shape: tuple
    dtype: np.dtype
    blocks: Callable[[], Iterator[tuple]]

    @property
    def layout(self):
        return "NCDHW" if len(self.shape) == 5 else "NCHW"


def from_frames(shape, dtype, frames, are_samples):
    """`frames` yields arrays (channels, height, width) one at a time, as samples or as slices of one volume."""
    count, frame_shape = shape[0], shape[1:]

    def blocks():
        for k, frame in enumerate(frames()):
            if frame.shape != frame_shape:
                raise BadInput(
                    f"picture {k} is {frame.shape}, the first one {frame_shape} (channels, height, width); all have to be alike"
                )
            yield ((k,) if are_samples else (0, slice(None), k)), frame

    whole = shape if are_samples else (1, frame_shape[0], count) + frame_shape[1:]
    return Source(whole, dtype, blocks)


def from_pictures(paths, options):
    """One sample of one picture; several pictures are samples or slices."""
    first = read_picture(paths[0], options.alpha)
    are_samples = options.samples or len(paths) == 1
    frames = lambda: (read_picture(path, options.alpha) for path in paths)  # lazily, one in memory at a time
    return from_frames((len(paths),) + first.shape, first.dtype, frames, are_samples)


def from_tiff(path, options):
    pages = read_tiff(path, options.alpha)
    return from_frames(pages.shape, pages.dtype, lambda: iter(pages), options.samples or len(pages) == 1)


def load_array(argument):
    """ "a.npy", "a.npz", or "a.npz:name" if there are several arrays. Memory-mapped if possible."""
    path, separator, name = argument.rpartition(":") if ".npz:" in argument else (argument, "", "")
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        names = list(loaded.files)
        if not separator and len(names) == 1:
            name = names[0]
        if name not in names:
            raise BadInput(f"{path}: holds the arrays {', '.join(names) or 'none'}; name one as {path}:NAME")
        return loaded[name]
    except (OSError, ValueError) as error:
        raise BadInput(f"{argument}: cannot be read as NumPy's ({error})") from error


def check_array_layout(array, argument, layout):
    layout = layout or LAYOUT_BY_RANK.get(array.ndim)
    if layout is None:
        raise BadInput(
            f"{argument}: say with --layout what the {array.ndim} axes of {array.shape} are, for example CHW, HWC or DHW"
        )
    if len(layout) != array.ndim or len(set(layout)) != len(layout) or not set("HW") <= set(layout) <= set("NCDHW"):
        raise BadInput(
            f"{argument}: layout {layout} does not fit {array.shape}: one letter of N, C, D, H, W per axis, H and W among them"
        )
    return layout


def from_array(argument, options):
    """Transposes the axes to file order; absent axes get extent 1. One sample is in memory at a time."""
    array = load_array(argument)
    layout = check_array_layout(array, argument, options.layout)
    wanted = "NCDHW" if "D" in layout else "NCHW"
    ordered = array.transpose([layout.index(a) for a in wanted if a in layout])
    ordered = ordered[tuple(slice(None) if a in layout else np.newaxis for a in wanted)]
    return Source(ordered.shape, ordered.dtype, lambda: (((k,), sample) for k, sample in enumerate(ordered)))


def is_array(argument):
    return argument.endswith(NUMPY_SUFFIXES) or ".npz:" in argument


def open_source(arguments, options):
    """One file or folder, or several pictures."""
    if len(arguments) == 1 and is_array(arguments[0]):
        return from_array(arguments[0], options)
    if options.layout:
        raise BadInput("--layout is for .npy and .npz; the axes of pictures are known")
    paths = [Path(argument) for argument in arguments]
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path}: there is no such file or folder")
    if len(paths) > 1:
        return from_pictures(paths, options)
    if paths[0].is_dir():
        return from_pictures(pictures_in(paths[0]), options)
    if paths[0].suffix.lower() in TIFF_SUFFIXES:
        return from_tiff(paths[0], options)
    return from_pictures(paths, options)


def check_type(dtype, wanted):
    """The type to store."""
    if wanted:
        return np.dtype(wanted)
    if dtype.name not in READABLE_TYPES:
        raise BadInput(
            f"{dtype.name} is not among the types that parconv_app reads ({', '.join(READABLE_TYPES)}); choose one with --type"
        )
    return dtype
