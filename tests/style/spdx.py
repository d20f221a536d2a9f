#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every source file begins with the line of its licence: python3 spdx.py [--fix] [--root FOLDER].

A line "SPDX-License-Identifier: Apache-2.0" in a comment of the language, the first line of the file, or the second behind "#!".
--fix writes it where it is missing.
"""
import argparse
import subprocess
import sys
from pathlib import Path

LINE = "SPDX-License-Identifier: Apache-2.0"
COMMENTS = {
    **dict.fromkeys((".cpp", ".hpp", ".cu", ".cuh"), "//"),
    **dict.fromkeys((".py", ".sh", ".sbatch", ".cmake"), "#"),
}
# Files whose suffix says nothing.
NAMES = ("CMakeLists.txt", ".cmake.in", ".ci/run")


def comment_of(path):
    """How a comment of the file begins; None for a file that needs no line."""
    return "#" if path.endswith(NAMES) else COMMENTS.get(Path(path).suffix)


def has_line(text, comment):
    lines = text.split("\n", 2)
    place = 1 if lines[0].startswith("#!") else 0
    return len(lines) > place and lines[place] == f"{comment} {LINE}"


def with_line(text, comment):
    line = f"{comment} {LINE}\n"
    if not text.startswith("#!"):
        return line + text
    shebang, _, rest = text.partition("\n")
    return f"{shebang}\n{line}{rest}"


def project_files(root):
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [path for path in listed if path and Path(root, path).is_file()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--root", default=str(Path(__file__).resolve().parents[2]))
    options = parser.parse_args()
    missing = 0
    for path in project_files(options.root):
        comment, file = comment_of(path), Path(options.root, path)
        if comment is None or has_line(file.read_text(), comment):
            continue
        if options.fix:
            file.write_text(with_line(file.read_text(), comment))
        else:
            missing += 1
            print(f"{path}: the first line is not: {comment} {LINE}")
    if missing:
        print(f"{missing} files without their licence: python3 tests/style/spdx.py --fix")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
