# SPDX-License-Identifier: Apache-2.0
"""The C++ files of a checkout: which part of the project each belongs to, and what it includes."""
import os
import re
from pathlib import Path

FOLDERS = ("include", "src", "apps", "tests", "packaging")
SUFFIXES = (".hpp", ".cpp", ".cuh", ".cu", ".h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def files(root):
    """The paths, below `root`, of all C++ and CUDA files, without those that a build made."""
    found = []
    for folder in FOLDERS:
        for parent, children, names in os.walk(Path(root, folder)):
            children[:] = sorted(c for c in children if not c.startswith((".", "build")))
            found += [Path(parent, name).relative_to(root).as_posix() for name in names if name.endswith(SUFFIXES)]
    return sorted(found)


def includes(text):
    """[(line number, is_angled, header)] of the include directives in `text`."""
    return [(text.count("\n", 0, match.start(1)) + 1, match[1] == "<", match[2]) for match in INCLUDE.finditer(text)]


class Place:
    """Where a file belongs: kind is public, private, umbrella, apps, tests or packaging; module is set for the first two."""

    def __init__(self, path):
        self.path, self.module = path, None
        if match := re.search(r"(?:^|/)include/parconv/(?:([^/]+)/)?[^/]+", path):
            self.kind, self.module = ("public", match[1]) if match[1] else ("umbrella", None)
        elif match := re.match(r"src/([^/]+)/", path):
            self.kind, self.module = "private", match[1]
        else:
            self.kind = path.split("/")[0]

    @property
    def test_folder(self):
        """The folder below tests/, which mirrors the module of that name."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "tests" and len(parts) > 2 else None


class Tree:
    """Resolves includes among the files of a checkout."""

    def __init__(self, root):
        self.root = Path(root)
        self.files = files(root)
        self._by_name = {}
        for path in self.files:
            self._by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)

    def text(self, path):
        return Path(self.root, path).read_text(errors="replace")

    def resolve(self, includer, header):
        """The file that `header` names: beside the includer, or else the one with that ending nearest to it. None if there is none."""
        folder = os.path.dirname(includer)
        beside = os.path.normpath(os.path.join(folder, header))
        tail = "/" + re.sub(r"^(\.\./)+", "", header)
        matches = [p for p in self._by_name.get(header.rsplit("/", 1)[-1], []) if p == beside or p.endswith(tail)]
        if beside in matches:
            return beside
        shared = {path: len(os.path.commonprefix([path.split("/"), folder.split("/")])) for path in matches}
        return max(matches, key=lambda path: (shared[path], -len(path)), default=None)
