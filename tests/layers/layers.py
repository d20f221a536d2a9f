#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes what: python3 layers.py [--root FOLDER] [--modules FILE] [--json].

Kinds of violations:
  upward       a public header of a module that the includer's module does not link, or a file of apps or tests seen from a module
  private      a private header of another module, or of any module in a public header
  third-party  a header of a library outside the wrapper made for it, or of a library that is not listed here
  missing      a quoted header that is nowhere in the tree
  order        a module that links one declared below it
--known N tolerates N violations. --modules names CMake code with the parconv_module() calls that the configured build has; they must be those of the tree.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import modules as module_graph
from tree import Place, Tree, includes

# Modules of pure functions and values: no MPI, HDF5, ONNX, oneDNN, CUDA, and nothing of the operating system.
PURE = ("core", "geometry", "model", "plan", "program", "predict")

# Library, its headers, and the paths of the files that may include them. None may appear in a public header.
LIBRARIES = (
    ("MPI", r"mpi(-ext)?\.h", r"src/comm/|tests/(comm|benchmarks|support)/"),
    ("HDF5", r"hdf5(_hl)?\.h|H5\w+\.h", r"src/io/hdf5|tests/(io|benchmarks)/"),
    ("ONNX", r"onnx/.*|google/protobuf/.*", r"src/io/(onnx|constants)|tests/(io|tools|fuzz|conformance)/"),
    ("oneDNN", r"(oneapi/dnnl/|dnnl).*", r"src/compute/onednn|tests/benchmarks/"),
    ("CUDA", r"cuda\w*\.h|(driver|vector)_types\.h|nvtx3/.*", r"src/(.*/)?(cuda|cudnn|nccl)/|tests/(emulator|benchmarks|device|comm|compute)/"),
    ("cuDNN", r"cudnn\w*\.h(pp)?|cudnn_frontend.*", r"src/compute/cudnn|tests/(emulator|compute)/"),
    ("NCCL", r"nccl\w*\.h", r"src/comm/nccl|tests/(emulator|comm)/"),
    ("xxHash", r"xxh\w*\.h", r"src/io/|tests/io/"),
    ("nlohmann-json", r"nlohmann/.*", r"src/(json|io/json|engine/algorithms|report)/|tests/"),
    ("fmt", r"fmt/.*", r"src/(core|program|report|session)/|apps/|tests/"),
    ("CLI11", r"CLI/.*", r"apps/"),
    ("spdlog", r"spdlog/.*", r"apps/"),
    ("OpenSSL", r"openssl/.*", r"(.*/)?(sha256|digest)[^/]*$"),
    ("GoogleTest", r"g(test|mock)/.*", r"tests/"),
)
SYSTEM = re.compile(r"(sys|arpa|net|netinet)/\w+\.h|(unistd|dlfcn|poll|fcntl|time|stdlib|sched|pthread|cxxabi|signal|ifaddrs|malloc|emmintrin|immintrin|cpuid|features)\.h")
STANDARD = re.compile(r"[a-z0-9_]+")
GENERATED = ("git_revision.hpp",)

# Folders of tests that see private headers of modules with other names, and why.
PRIVATE_USES = {
    "emulator": ("compute", "cuda"),  # compiles the kernels of these modules for the host
    "benchmarks": ("compute", "cuda"),  # measures single calls below the backends
    "conformance": ("io",),  # reads the tensors of the suite
    "fuzz": ("io",),  # entries of records with right hashes
    "engine": ("compute",),  # agreement on convolution algorithms
    "model": ("compute",),  # whole operators, computed by single calls
    "support": ("comm",),  # the main function of tests under MPI
}


class Violation:
    def __init__(self, kind, path, line, message):
        self.kind, self.path, self.line, self.message = kind, path, line, message

    def __str__(self):
        return f"{self.path}:{self.line}: {self.kind}: {self.message}"


def library_of(header):
    """(name, pattern of the paths) of the library that `header` belongs to, or None."""
    return next(((name, paths) for name, headers, paths in LIBRARIES if re.fullmatch(headers, header)), None)


def problem_with_library(place, header, library):
    name, paths = library
    if place.kind in ("public", "umbrella"):
        return f"<{header}> of {name} in a public header"
    if place.module in PURE and name != "fmt":
        return f"<{header}> of {name} in the pure module {place.module}"
    if not re.match(paths, place.path):
        return f"<{header}> of {name} outside its wrapper; tests/layers/layers.py lists who may include it"
    return None


def problem_with_angled(place, header):
    if STANDARD.fullmatch(header):
        return None
    if SYSTEM.fullmatch(header):
        in_pure = place.module in PURE or place.kind in ("public", "umbrella")
        return f"<{header}> of the operating system in a pure module or a public header" if in_pure else None
    return f"<{header}> is of no library in tests/layers/layers.py"


def problem_with_private(graph, place, target):
    """Why `place` may not include the private header `target`, or None."""
    if place.kind == "private" and place.module == target.module:
        return None
    is_internal = target.module in graph and graph[target.module].is_internal
    if place.kind == "private" and is_internal and target.module in module_graph.seen_by_sources(graph, place.module):
        return None
    if place.kind == "tests" and target.module in (place.test_folder, *PRIVATE_USES.get(place.test_folder, ())):
        return None
    return f"{target.path} is private to {target.module}"


def problem_with_public(graph, place, target):
    """Why `place` may not include the public header `target`, or None."""
    if place.module is None:
        return None
    if place.module not in graph or target.module not in graph:
        return f"{place.module if place.module not in graph else target.module} is no module in src/CMakeLists.txt"
    seen = module_graph.seen_by_headers if place.kind == "public" else module_graph.seen_by_sources
    if target.module in seen(graph, place.module):
        return None
    return f"{place.module} does not link {target.module} ({target.path})"


def problem(graph, tree, place, is_angled, header):
    """(kind, message) of what is wrong with an include, or None."""
    path = tree.resolve(place.path, header) if not is_angled or header.startswith("parconv/") else None
    if path is None:
        if library := library_of(header):
            message = problem_with_library(place, header, library)
            return message and ("third-party", message)
        if is_angled:
            message = problem_with_angled(place, header)
            return message and ("third-party", message)
        return None if header in GENERATED else ("missing", f'"{header}" is nowhere in the tree')
    target = Place(path)
    if target.kind == "private":
        message = problem_with_private(graph, place, target)
        return message and ("private", message)
    if target.kind == "public":
        message = problem_with_public(graph, place, target)
        return message and ("upward", message)
    if place.module is not None:
        return "upward", f"{path} from a module"
    return None


def violations(root):
    """All violations in the checkout at `root`."""
    tree, graph = Tree(root), module_graph.read(root)
    found = [
        Violation("order", "src/CMakeLists.txt", 1, f"{name} links {used}, which is declared below it")
        for name, used in module_graph.links_below(graph)
    ]
    for path in tree.files:
        place = Place(path)
        for line, is_angled, header in includes(tree.text(path)):
            if wrong := problem(graph, tree, place, is_angled, header):
                found.append(Violation(wrong[0], path, line, wrong[1]))
    return found


def expect_same_graph(root, file):
    """Exits if the build has other modules or links than the CMake files below src/ seem to state."""
    written, built = module_graph.read(root), module_graph.parse(Path(file).read_text())
    written = module_graph.without(written, {"cuda"} - built.keys())  # builds without CUDA
    if written != built:
        sys.exit(f"the modules of the build are not those read from src/CMakeLists.txt:\n{built}\n{written}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=Path(__file__).resolve().parents[2])
    parser.add_argument("--modules")
    parser.add_argument("--known", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.modules:
        expect_same_graph(options.root, options.modules)
    if not module_graph.read(options.root):
        sys.exit(f"no parconv_module() in the CMake files below {options.root}/src")
    found = violations(options.root)
    if options.json:
        print(json.dumps([vars(violation) for violation in found], indent=1))
    else:
        print("\n".join(map(str, found)), f"{len(found)} violations, {options.known} known", sep="\n")
    return len(found) > options.known


if __name__ == "__main__":
    sys.exit(main())
