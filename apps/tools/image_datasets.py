# SPDX-License-Identifier: Apache-2.0
"""Datasets of pictures and volumes in HDF5 files, as parconv_app reads and writes them."""

from contextlib import contextmanager

import h5py
import numpy as np

from picture_files import BadInput

LAYOUTS = {3: ("CHW",), 4: ("NCHW", "CDHW"), 5: ("NCDHW",)}


def split_dataset(argument):
    """ "a.h5:/x/y" -> ("a.h5", "/x/y"); "a.h5" -> ("a.h5", None)."""
    path, separator, dataset = argument.rpartition(":/")
    return (path, "/" + dataset) if separator else (argument, None)


def is_hdf5(argument):
    path, name = split_dataset(argument)
    return name is not None or h5py.is_hdf5(path)


def image_datasets(file):
    """Names of the numeric datasets of rank 3 to 5."""
    names = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.ndim in LAYOUTS and item.dtype.kind in "fiu":
            names.append("/" + name)

    file.visititems(visit)
    return names


def choose_dataset(file, path, name):
    if name is None:
        found = image_datasets(file)
        if len(found) != 1:
            listed = ", ".join(found) if found else "none"
            raise BadInput(f"{path}: expected one numeric dataset of rank 3 to 5, found {listed}; name one as {path}:/dataset")
        name = found[0]
    if name not in file or not isinstance(file[name], h5py.Dataset):
        raise BadInput(f"{path}: there is no dataset {name}")
    dataset = file[name]
    if dataset.ndim not in LAYOUTS or dataset.dtype.kind not in "fiu":
        raise BadInput(f"{path}:{name}: {dataset.dtype} of shape {dataset.shape} is not a picture; rank 3 to 5 is needed")
    return dataset


def layout_of(dataset, path):
    """Layout with one letter per axis, from the attribute or by the number of axes."""
    known = LAYOUTS[dataset.ndim]
    layout = dataset.attrs.get("layout", known[0])
    layout = layout.decode() if isinstance(layout, bytes) else str(layout)
    if layout not in known:
        raise BadInput(f"{path}:{dataset.name}: layout {layout} is not supported, only {' and '.join(sum(LAYOUTS.values(), ()))}")
    return layout


class Images:
    """An open dataset as samples of channels, slices, rows and columns; a picture has one slice."""

    def __init__(self, dataset, path):
        self.name = f"{path}:{dataset.name}"
        self.layout = layout_of(dataset, path)
        self.dataset = dataset
        extents = dict(zip(self.layout, dataset.shape))
        self.samples, self.slices = extents.get("N", 1), extents.get("D", 1)
        self.dtype = dataset.dtype

    def check(self, what, index, count):
        if not 0 <= index < count:
            raise BadInput(f"{self.name}: {what} {index} was asked, it has {count} (counted from 0)")

    def frame(self, sample, slice_index, channel=None):
        """(channels, height, width) in the file's type, or a single channel. Reads only the selection."""
        self.check("sample", sample, self.samples)
        self.check("slice", slice_index, self.slices)
        chosen = slice(None)
        if channel is not None:
            self.check("channel", channel, self.dataset.shape[self.layout.index("C")])
            chosen = slice(channel, channel + 1)
        index = {"N": sample, "C": chosen, "D": slice_index, "H": slice(None), "W": slice(None)}
        return self.dataset[tuple(index[axis] for axis in self.layout)]

    def volume(self, sample, channel=None):
        """(slices, channels, height, width)."""
        return np.stack([self.frame(sample, k, channel) for k in range(self.slices)])


@contextmanager
def open_images(argument):
    """Opens the dataset of an argument FILE.h5[:/dataset]."""
    path, name = split_dataset(argument)
    try:
        with h5py.File(path, "r") as file:
            yield Images(choose_dataset(file, path, name), path)
    except FileNotFoundError as error:
        raise BadInput(f"{path}: there is no such file") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read as HDF5 ({error})") from error


def write_dataset(path, name, source, dtype):
    """Creates a file with one dataset, written block by block."""
    try:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset(name, source.shape, dtype)
            dataset.attrs["layout"] = source.layout
            for index, block in source.blocks():
                dataset[index] = block
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be written ({error})") from error
