#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer check sees each kind of violation in trees made for it, and nothing in a tree without one."""
import tempfile
import unittest
from pathlib import Path

import modules as module_graph
from layers import violations

CMAKE = """
parconv_module(core)
parconv_module(model PUBLIC parconv_core)
parconv_module(comm PUBLIC parconv_core PRIVATE MPI::MPI_C)
parconv_module(compute PUBLIC parconv_model PRIVATE parconv_comm parconv_onednn)
# parconv_module(old PUBLIC parconv_none)
parconv_module(engine
               PUBLIC parconv_compute CUDA CUDA::cudart)
"""

# A tree without violations; each row below adds one file to it.
CLEAN = {
    "src/CMakeLists.txt": CMAKE,
    "include/parconv/core/types.hpp": "#pragma once\n#include <vector>\n",
    "include/parconv/model/network.hpp": '#include "parconv/core/types.hpp"\n',
    "include/parconv/comm/communicator.hpp": '#include "parconv/core/types.hpp"\n',
    "include/parconv/compute/backend.hpp": '#include "parconv/model/network.hpp"\n#include "parconv/core/types.hpp"\n',
    "include/parconv/engine/engine.hpp": '#include "parconv/compute/backend.hpp"\n',
    "include/parconv/parconv.hpp": '#include "parconv/engine/engine.hpp"\n#include "parconv/comm/communicator.hpp"\n',
    "src/comm/mpi/mpi_check.hpp": "#include <mpi.h>\n",
    "src/comm/mpi/mpi_check.cpp": '#include "comm/mpi/mpi_check.hpp"\n#include <unistd.h>\n',
    "src/compute/conv/taps.hpp": "#include <span>\n",
    "src/compute/conv/conv.cpp": '#include "taps.hpp"\n#include "parconv/comm/communicator.hpp"\n',
    "src/compute/onednn/dnnl_api.hpp": "#include <oneapi/dnnl/dnnl.hpp>\n",
    "src/compute/conv/strided.cpp": '#include "dnnl_api.hpp"\n',  # named as headers of the library are, but ours
    "src/compute/onednn/conv.cpp": '#include "compute/conv/taps.hpp"\n#include <oneapi/dnnl/dnnl.hpp>\n',
    "apps/main.cpp": '#include "parconv/parconv.hpp"\n#include <fmt/format.h>\n#include "git_revision.hpp"\n',
    "tests/compute/conv_test.cpp": '#include <gtest/gtest.h>\n#include "compute/conv/taps.hpp"\n#include "support/random.hpp"\n',
    "tests/support/random.hpp": "#include <random>\n",
}

# Name, path, content, kind of the violation, part of its message.
ROWS = (
    ("an upward link of sources", "src/model/a.cpp", '#include "parconv/comm/communicator.hpp"', "upward", "model does not link comm"),
    ("a private link in a public header", "include/parconv/compute/a.hpp", '#include "parconv/comm/communicator.hpp"', "upward",
     "compute does not link comm"),
    ("a private link of a linked module", "src/engine/a.cpp", '#include "parconv/comm/communicator.hpp"', "upward",
     "engine does not link comm"),
    ("an angled public header", "src/core/a.cpp", "#include <parconv/model/network.hpp>", "upward", "core does not link model"),
    ("a folder that is no module", "src/extra/a.cpp", '#include "parconv/core/types.hpp"', "upward", "extra is no module"),
    ("tests seen from a module", "src/core/a.cpp", '#include "support/random.hpp"', "upward", "tests/support/random.hpp"),
    ("the umbrella seen from a module", "src/core/a.cpp", '#include "parconv/parconv.hpp"', "upward", "from a module"),
    ("another module's private header", "src/engine/a.cpp", '#include "compute/conv/taps.hpp"', "private", "private to compute"),
    ("the same by a relative path", "src/engine/a.cpp", '#include "../compute/conv/taps.hpp"', "private", "private to compute"),
    ("an own private header in a public one", "include/parconv/compute/a.hpp", '#include "compute/conv/taps.hpp"', "private", "compute"),
    ("a private header in an application", "apps/a.cpp", '#include "compute/conv/taps.hpp"', "private", "private to compute"),
    ("a private header in another module's test", "tests/comm/a.cpp", '#include "compute/conv/taps.hpp"', "private", "compute"),
    ("MPI outside its wrapper", "src/engine/a.cpp", "#  include <mpi.h>", "third-party", "outside its wrapper"),
    ("MPI in a pure module", "src/model/a.cpp", "#include <mpi.h>", "third-party", "pure module model"),
    ("HDF5 in an application", "apps/a.cpp", "#include <hdf5.h>", "third-party", "HDF5"),
    ("CUDA in a pure module", "src/core/cuda/a.cpp", "#include <cuda_fp16.h>", "third-party", "pure module core"),
    ("CUDA outside its folder", "src/compute/conv/a.cpp", "#include <cuda_runtime_api.h>", "third-party", "CUDA"),
    ("ONNX, quoted", "src/engine/a.cpp", '#include "onnx/onnx_pb.h"', "third-party", "ONNX"),
    ("a library in a public header", "include/parconv/comm/a.hpp", "#include <mpi.h>", "third-party", "public header"),
    ("CUDA in a public header", "include/parconv/compute/cuda/a.hpp", "#include <cuda_fp16.h>", "third-party", "public header"),
    ("oneDNN in the umbrella", "include/parconv/all.hpp", "#include <oneapi/dnnl/dnnl.hpp>", "third-party", "public header"),
    ("an unlisted library", "src/comm/a.cpp", "#include <boost/mpi.hpp>", "third-party", "no library"),
    ("the operating system in a pure module", "src/model/a.cpp", "#include <unistd.h>", "third-party", "operating system"),
    ("a header that does not exist", "src/model/a.cpp", '#include "model/none.hpp"', "missing", "nowhere"),
)


def found_in(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            Path(root, path).parent.mkdir(parents=True, exist_ok=True)
            Path(root, path).write_text(text + "\n")
        return violations(root)


class Layers(unittest.TestCase):
    def test_nothing_is_found_in_a_clean_tree(self):
        self.assertEqual([str(v) for v in found_in(CLEAN)], [])

    def test_each_violation_is_found(self):
        for name, path, text, kind, message in ROWS:
            with self.subTest(name):
                found = found_in({**CLEAN, path: "// one line above\n" + text})
                self.assertEqual([(v.kind, v.path, v.line) for v in found], [(kind, path, 2)])
                self.assertIn(message, found[0].message)

    def test_a_link_to_a_module_below_is_found(self):
        upward = CMAKE.replace("parconv_module(core)", "parconv_module(core PRIVATE parconv_comm)")
        self.assertEqual([v.kind for v in found_in({**CLEAN, "src/CMakeLists.txt": upward})], ["order"])

    def test_links_are_read_from_cmake(self):
        graph = module_graph.parse(CMAKE)
        self.assertEqual(list(graph), ["core", "model", "comm", "compute", "engine"])
        self.assertEqual((graph["compute"].public, graph["compute"].private), ({"model"}, {"comm"}))
        self.assertEqual(module_graph.seen_by_headers(graph, "compute"), {"core", "model", "compute"})
        self.assertEqual(module_graph.seen_by_sources(graph, "compute"), {"core", "model", "compute", "comm"})
        self.assertEqual(module_graph.seen_by_sources(graph, "engine"), {"core", "model", "compute", "engine"})


if __name__ == "__main__":
    unittest.main()
