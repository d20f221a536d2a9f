# SPDX-License-Identifier: Apache-2.0
"""Checks output files with h5py, xarray and ncdump: hdf5_read_output.py RANKS FILE...

Files are named after their axes ("ncyx") and hold 0, 1, 2, ...
"""
import os
import subprocess
import sys

import h5py
import numpy
import xarray

LAYOUTS = {"ncyx": "NCHW", "nczyx": "NCDHW", "ncx": "NCW", "nc": "NC", "n": "N"}


def links_in_order(file):
    names = []
    file.id.links.iterate(lambda name: names.append(name.decode()), idx_type=h5py.h5.INDEX_CRT_ORDER)
    return names


def check_scales(data, axes):
    for index, (axis, dimension) in enumerate(zip(axes, data.dims)):
        assert len(dimension) == 1 and dimension[0].name == "/output/" + axis, dimension
        assert h5py.h5ds.is_scale(dimension[0].id)
        assert h5py.h5ds.is_attached(data.id, dimension[0].id, index)
        assert (dimension[0][...] == numpy.arange(len(dimension[0]))).all()


def check_provenance(provenance, ranks):
    assert len(provenance) == 10 and provenance["job"] == "model: größe\n", provenance
    assert provenance["mpi_size"] == ranks and provenance["input_path"] == "in.h5:/größe"
    assert provenance["plan_json"] == "p" * 100000 and provenance["libs"] == ""
    assert provenance["started"] == "2024-01-01T00:00:00" and provenance["finished"] == "2024-01-02"


def check_h5py(path, axes, ranks):
    with h5py.File(path, "r") as file:
        assert file.attrs["Conventions"] == "parconv-1", dict(file.attrs)
        assert file.attrs["NX_class"] == "NXroot" and file.attrs["default"] == "output"
        assert links_in_order(file) == ["output", "provenance", "integrity"], links_in_order(file)
        group = file["output"]
        assert group.attrs["NX_class"] == "NXdata"
        assert list(group.attrs["axes"]) == axes, group.attrs["axes"]
        data = group[group.attrs["signal"]]
        assert data.attrs["layout"] == LAYOUTS["".join(axes)], data.attrs["layout"]
        assert data.dtype == numpy.float32 and data.chunks is not None
        values = data[...]
        assert (values == numpy.arange(data.size, dtype=numpy.float32).reshape(data.shape)).all()
        check_scales(data, axes)
        check_provenance(dict(file["provenance"].attrs), ranks)
        assert file["integrity"].attrs["complete"] == 1
        blocks = file["integrity/blocks"]
        assert blocks.dtype.names == ("first", "extent", "xxh64", "state"), blocks.dtype
        assert (blocks["state"] == 1).all() and blocks["extent"].prod(axis=1).sum() == data.size
        return group.attrs["signal"], values


def check_file(path, ranks):
    axes = list(os.path.basename(path))
    name, values = check_h5py(path, axes, ranks)
    with xarray.open_dataset(path, group="output", engine="h5netcdf") as dataset:
        assert dataset[name].dims == tuple(axes), dataset
        assert (dataset[name].values == values).all()
    header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True).stdout
    assert "float %s(%s)" % (name, ", ".join(axes)) in header, header


for argument in sys.argv[2:]:
    check_file(argument, int(sys.argv[1]))
