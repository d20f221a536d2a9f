# SPDX-License-Identifier: Apache-2.0
"""The modules of the project and their links, as the parconv_module() calls of CMake state them."""
import re
from pathlib import Path

KEYWORDS = ("PUBLIC", "PRIVATE", "CUDA")


class Module:
    """A module with the modules that its headers (public) and its sources (private) use directly.

    The headers of an internal module are in src/; the modules that link it see them."""

    def __init__(self, name, public, private, is_internal=False):
        self.name, self.public, self.private = name, frozenset(public), frozenset(private)
        self.is_internal = is_internal

    def __eq__(self, other):
        return (self.name, self.public, self.private) == (other.name, other.public, other.private)

    def __repr__(self):
        return f"{self.name} PUBLIC {sorted(self.public)} PRIVATE {sorted(self.private)}"


def _module(words):
    links = {keyword: [] for keyword in KEYWORDS}
    keyword = None
    for word in words[1:]:
        if word in KEYWORDS:
            keyword = word
        elif match := re.fullmatch(r"parconv(?:_|::)(\w+)", word):
            links[keyword].append(match[1])
    return Module(words[0], links["PUBLIC"], links["PRIVATE"] + links["CUDA"], "INTERNAL" in words)


def parse(text):
    """{name: Module} of the parconv_module() calls in CMake code. Links to what is no module are dropped."""
    calls = re.findall(r"^\s*parconv_module\(([^)]*)\)", re.sub(r"#.*", "", text), re.MULTILINE)
    modules = {module.name: module for module in (_module(call.split()) for call in calls)}
    return {
        name: Module(name, module.public & modules.keys(), module.private & modules.keys(), module.is_internal)
        for name, module in modules.items()
    }


def without(modules, names):
    """`modules` less those of `names`, and no links to them."""
    return {
        name: Module(name, module.public - names, module.private - names, module.is_internal)
        for name, module in modules.items()
        if name not in names
    }


def read(root):
    """The modules that the CMake files below src/ declare."""
    files = sorted(Path(root, "src").rglob("CMakeLists.txt"))
    return parse("\n".join(file.read_text() for file in files))


def _reached(modules, names):
    """The modules of `names` and those that they link publicly."""
    reached, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(modules[name].public)
    return reached


def seen_by_headers(modules, name):
    """The modules whose public headers a public header of `name` may include."""
    return _reached(modules, {name} | modules[name].public)


def seen_by_sources(modules, name):
    """The modules whose public headers a source of `name` may include."""
    return _reached(modules, {name} | modules[name].public | modules[name].private)


def links_below(modules):
    """[(module, module that it links)] where the second is declared below the first; `modules` in the order of declaration."""
    order = list(modules)
    return [
        (name, used)
        for place, name in enumerate(order)
        for used in sorted(modules[name].public | modules[name].private)
        if order.index(used) >= place
    ]
