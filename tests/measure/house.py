#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the shape of the code: python3 house.py [--root FOLDER] [--json FILE] [--no-headers], or --compare BEFORE.json AFTER.json.

Needs universal-ctags, and for the headers a C++20 compiler (CXX, or c++); no build. "Product" is src, include and apps.
Of --compare, which prints a table in Markdown, both files are written by --json of one version of this script.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers"))
import layers  # noqa: E402
import tags  # noqa: E402
from tree import Place, Tree  # noqa: E402

MOST_FILES = 25


def quantile(sorted_values, fraction):
    """The smallest value that at least `fraction` of the values do not exceed; 0 of none."""
    if not sorted_values:
        return 0
    return sorted_values[max(0, -(-len(sorted_values) * round(fraction * 100) // 100) - 1)]


def spread(values):
    ordered = sorted(values)
    return {"count": len(ordered), "median": quantile(ordered, 0.5), "p90": quantile(ordered, 0.9), "max": ordered[-1] if ordered else 0}


def is_product(path):
    return path.startswith(("src/", "include/", "apps/"))


def measure_functions(all_tags):
    functions = [tag for tag in all_tags if tag.kind == "function" and not tag.is_lambda and tag.lines]
    longest = sorted(functions, key=lambda tag: -tag.lines)
    return {
        "lines": spread([tag.lines for tag in functions]),
        "over_40": sum(tag.lines > 40 for tag in functions),
        "over_80": sum(tag.lines > 80 for tag in functions),
        "longest": [f"{tag.where()}: {tag.lines}" for tag in longest[:5]],
        "arguments": spread([len(tag.arguments) for tag in functions]),
        "over_4_arguments": sum(len(tag.arguments) > 4 for tag in functions),
    }


def measure_part(tree, paths):
    texts = {path: tree.text(path) for path in paths}
    lines = sum(text.count("\n") for text in texts.values())
    conditions = sum(len(re.findall(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif)\b", text, re.MULTILINE)) for text in texts.values())
    return {
        "lines": lines,
        "files": spread([text.count("\n") for text in texts.values()]),
        "functions": measure_functions(tags.read(tree.root, paths)),
        "conditions_per_kloc": round(1000 * conditions / max(lines, 1), 2),
    }


def measure_folders(root):
    """Files of any kind that git would commit, by folder."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    counts = Counter(os.path.dirname(path) for path in listed if path and Path(root, path).is_file())
    return {
        "count": len(counts),
        "max": max(counts.values()),
        "over_25": {folder: count for folder, count in counts.most_common() if count > MOST_FILES},
    }


def measure_interface(tree):
    paths = [path for path in tree.files if Place(path).kind in ("public", "umbrella")]
    lines = {path: tree.text(path).splitlines() for path in paths}
    public = [tag for tag in tags.read(tree.root, paths) if tags.needs_documentation(lines[tag.path], tag)]
    documented = [tag for tag in public if tags.is_documented(lines[tag.path], tag)]
    bools = [tag for tag in public if tag.is_function and any(re.match(r"(const )?bool\b(?! ?\()", a) for a in tag.arguments)]
    return {
        "declarations": len(public),
        "documented": len(documented),
        "undocumented": [tag.where() for tag in public if tag not in documented],
        "bool_parameters": [tag.where() for tag in bools],
    }


def duplicate_stems(tree):
    """Stems that files of different folders have; a header, its source and what mirrors them below tests/ are one."""
    folders_of = defaultdict(set)
    for path in tree.files:
        folder, name = os.path.split(re.sub(r"^(.*/)?include/parconv(?=/)|^(src|tests|apps)(?=/)", "", path))
        stem = name.split(".")[0]
        if stem != "main":
            folders_of[stem].add(folder + " (apps)" * path.startswith("apps/"))
    return {stem: sorted(folders) for stem, folders in sorted(folders_of.items()) if len(folders) > 1}


def compiles_alone(root, header, roots):
    command = [os.environ.get("CXX", "c++"), "-std=c++20", "-fsyntax-only", "-x", "c++"]
    command += [f"-I{include_root}" for include_root in roots] + [str(Path(root, header))]
    # A header as the main file draws a warning about #pragma once, which is not of interest.
    return subprocess.run([*command, "-w"], capture_output=True).returncode == 0


def headers_not_alone(tree):
    headers = [path for path in tree.files if Place(path).kind in ("public", "umbrella")]
    roots = {str(tree.root / path[: path.index("include/parconv/")] / "include") for path in headers}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: compiles_alone(tree.root, header, roots), headers)
    return {"checked": len(headers), "failed": [header for header, is_good in zip(headers, results) if not is_good]}


def measure(root, with_headers=True):
    tree = Tree(Path(root).resolve())
    revision = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    violations = layers.violations(root)
    return {
        "revision": revision,
        "product": measure_part(tree, [path for path in tree.files if is_product(path)]),
        "tests": measure_part(tree, [path for path in tree.files if path.startswith("tests/")]),
        "folders": measure_folders(tree.root),
        "interface": measure_interface(tree),
        "layer_violations": {"count": len(violations), "by_kind": dict(Counter(v.kind for v in violations)),
                             "in_product": sum(is_product(v.path) for v in violations)},
        "headers_alone": headers_not_alone(tree) if with_headers else None,
        "duplicate_stems": duplicate_stems(tree),
        "readme_words": len(Path(root, "README.md").read_text().split()),
    }


def triple(values):
    return f"{values['median']} / {values['p90']} / {values['max']}"


def rows(house):
    """[(what, figure)] for people."""
    result = []
    for part in ("product", "tests"):
        files, functions = house[part]["files"], house[part]["functions"]
        result += [
            (f"{part}: files, lines", f"{files['count']}, {house[part]['lines']}"),
            (f"{part}: lines a file (median / p90 / max)", triple(files)),
            (f"{part}: functions", functions["lines"]["count"]),
            (f"{part}: lines a function (median / p90 / max)", triple(functions["lines"])),
            (f"{part}: functions over 40, over 80 lines", f"{functions['over_40']}, {functions['over_80']}"),
            (f"{part}: arguments (median / p90 / max)", triple(functions["arguments"])),
            (f"{part}: functions with more than 4 arguments", functions["over_4_arguments"]),
            (f"{part}: conditional compilation per 1,000 lines", house[part]["conditions_per_kloc"]),
        ]
    interface, alone, crowded = house["interface"], house["headers_alone"], house["folders"]["over_25"]
    return result + [
        ("files in the fullest folder", house["folders"]["max"]),
        (f"folders with more than {MOST_FILES} files", ", ".join(f"{f} {n}" for f, n in crowded.items()) or "none"),
        ("public declarations documented", f"{interface['documented']} of {interface['declarations']}"),
        ("public functions with bool parameters", len(interface["bool_parameters"])),
        ("layer violations (in the product)", f"{house['layer_violations']['count']} ({house['layer_violations']['in_product']})"),
        ("public headers that do not compile alone", f"{len(alone['failed'])} of {alone['checked']}" if alone else "not checked"),
        ("file stems with several places", len(house["duplicate_stems"])),
        ("words in README.md", house["readme_words"]),
    ]


def print_details(house):
    details = {
        "duplicate stems": [f"{stem}: {', '.join(folders)}" for stem, folders in house["duplicate_stems"].items()],
        "longest functions": house["product"]["functions"]["longest"],
        "bool parameters": house["interface"]["bool_parameters"],
        "headers that do not compile alone": (house["headers_alone"] or {"failed": []})["failed"],
    }
    for title, lines in details.items():
        if lines:
            print(f"\n{title}:", *lines, sep="\n  ")


def compare(before, after):
    first, second = (json.loads(Path(file).read_text()) for file in (before, after))
    print(f"| | {first['revision']} | {second['revision']} |\n|---|---|---|")
    for (what, old), (_, new) in zip(rows(first), rows(second)):
        print(f"| {what} | {old} | {new} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=str(Path(__file__).resolve().parents[2]))
    parser.add_argument("--json", help="write all figures to this file")
    parser.add_argument("--no-headers", action="store_true", help="do not compile the headers")
    parser.add_argument("--compare", nargs=2, metavar=("BEFORE", "AFTER"))
    options = parser.parse_args()
    if options.compare:
        compare(*options.compare)
        return
    house = measure(options.root, with_headers=not options.no_headers)
    if options.json:
        Path(options.json).write_text(json.dumps(house, indent=1) + "\n")
    for what, figure in rows(house):
        print(f"{what:55} {figure}")
    print_details(house)


if __name__ == "__main__":
    main()
