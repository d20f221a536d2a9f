# SPDX-License-Identifier: Apache-2.0
"""Functions and declarations of C++ files, as universal-ctags finds them."""
import json
import re
import subprocess
from pathlib import Path

KINDS = ("function", "prototype", "class", "struct", "enum", "typedef", "using")


def split_arguments(signature):
    """The parameters in "(int a,std::map<int,int> b) const", as texts; brackets of any kind keep commas together."""
    depth, parts, start = 0, [], 1
    for place, letter in enumerate(signature):
        if letter in "(<[{":
            depth += 1
        elif letter in ")>]}" and signature[place - 1] != "-":
            depth -= 1
            if depth == 0:
                parts.append(signature[start:place])
                break
        elif letter == "," and depth == 1:
            parts.append(signature[start:place])
            start = place + 1
    return [part.strip() for part in parts if part.strip() not in ("", "void")]


class Tag:
    """A definition or declaration; lines is the length of a definition, 0 for a declaration."""

    def __init__(self, row, root):
        self.path = Path(row["path"]).relative_to(root).as_posix()
        self.name, self.kind, self.line = row["name"], row["kind"], row["line"]
        self.scope, self.scope_kind = row.get("scope", ""), row.get("scopeKind", "")
        self.is_accessible = row.get("access", "public") == "public"
        self.lines = row["end"] - row["line"] + 1 if "end" in row else 0
        self.arguments = split_arguments(row["signature"]) if "signature" in row else []

    @property
    def is_lambda(self):
        return self.name.startswith("__anon")

    @property
    def is_function(self):
        return self.kind in ("function", "prototype") and not self.is_lambda

    def where(self):
        return f"{self.path}:{self.line} {self.name}"


def read(root, paths):
    """The tags of the files at `paths`, which are below `root`."""
    root = Path(root).resolve()
    command = ["ctags", "--output-format=json", "--fields=+neSka", "--kinds-C++=+p", "--language-force=C++", "-L", "-", "-f", "-"]
    listed = "\n".join(str(root / path) for path in paths)
    rows = subprocess.run(command, input=listed, check=True, capture_output=True, text=True).stdout.splitlines()
    tags = (json.loads(row) for row in rows)
    found = [Tag(row, root) for row in tags if row.get("_type") == "tag" and row["kind"] in KINDS]
    return sorted(found, key=lambda tag: (tag.path, tag.line))


def is_documented(lines, tag):
    """Whether a comment of the form /// is above the declaration, or behind it in the same line."""
    if "///<" in lines[tag.line - 1]:
        return True
    place = tag.line - 2
    while place >= 0 and re.match(r"\s*(template\b.*|\[\[.*\]\]|requires\b.*)\s*$", lines[place]):
        place -= 1
    return place >= 0 and lines[place].lstrip().startswith("///")


def needs_documentation(lines, tag):
    """Whether a declaration in a public header is one that callers read about: no operator, destructor, override or default."""
    if tag.is_lambda or not tag.is_accessible or tag.name.startswith(("operator", "~")):
        return False
    if tag.kind == "function" and tag.scope_kind == "function":
        return False
    return not re.search(r"\boverride\b|=\s*(default|delete)\b", lines[tag.line - 1])
