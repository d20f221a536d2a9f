#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the Markdown files: python3 docs.py [--root FOLDER] [--readme-words N] [--wrap N].

Lines are at most --wrap characters long, except in code blocks, tables, headings and where one word (a link, a path) is the
reason. Relative links name files that exist, and anchors name headings. README.md has at most --readme-words words.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
GENERATED = "docs/results/"  # by programs; links are checked, lengths are not
FENCE = re.compile(r"^\s*(```|~~~)")


def prose(text):
    """[(line number, line)] outside code blocks."""
    lines, in_code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            in_code = not in_code
        elif not in_code:
            lines.append((number, line))
    return lines


def words(text):
    """Words as `wc -w` counts them, code included."""
    return len(text.split())


def long_lines(text, wrap):
    """[(line number, length)] of the lines that could have been wrapped and were not."""
    found = []
    for number, line in prose(text):
        is_exempt = re.match(r"\s*(\||#|\[[^\]]+\]:)", line) or not re.search(r"\S\s+\S", line[:wrap].lstrip(" *-0123456789.>"))
        if len(line) > wrap and not is_exempt:
            found.append((number, len(line)))
    return found


def anchors(text):
    """The anchors that GitHub makes of headings."""
    made, counts = set(), {}
    for _, line in prose(text):
        if heading := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
            title = LINK.sub(lambda match: match[0].split("]")[0].lstrip("!["), heading[1])
            anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            count = counts[anchor] = counts.get(anchor, -1) + 1
            made.add(f"{anchor}-{count}" if count else anchor)
    return made


def link_problems(root, path, text):
    """[(line number, message)] of relative links that lead nowhere."""
    found = []
    for number, line in prose(text):
        for link in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (Path(root, path).parent / name).resolve() if name else Path(root, path)
            if not target.exists():
                found.append((number, f"{link} leads nowhere"))
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
                found.append((number, f"{link}: no such heading"))
    return found


def problems(root, path, options):
    text = Path(root, path).read_text()
    found = [f"{path}:{number}: {message}" for number, message in link_problems(root, path, text)]
    if options.wrap and not path.startswith(GENERATED):
        found += [f"{path}:{number}: {length} characters, more than {options.wrap}" for number, length in long_lines(text, options.wrap)]
    if path == "README.md" and options.readme_words and words(text) > options.readme_words:
        found.append(f"{path}: {words(text)} words, more than {options.readme_words}")
    return found


def project_documents(root):
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.md"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [path for path in listed if path and Path(root, path).is_file()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=str(Path(__file__).resolve().parents[2]))
    parser.add_argument("--readme-words", type=int, default=0, help="0: any number")
    parser.add_argument("--wrap", type=int, default=0, help="0: any length")
    options = parser.parse_args()
    found = [line for path in project_documents(options.root) for line in problems(options.root, path, options)]
    print("\n".join(found), end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
