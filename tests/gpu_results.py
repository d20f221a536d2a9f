# SPDX-License-Identifier: Apache-2.0
"""Support for tests/gpu.sh: the list of programs to check, and one JSON file of all results.

    gpu_results.py programs BUILD                one path per line: test programs with the label gpu outside MPI jobs
    gpu_results.py collect PARTS RESULTS ROOT    PARTS/tests.xml, sanitizer.txt and *.jsonl to RESULTS; 1 if a test was skipped
    gpu_results.py table RESULTS                 RESULTS as a page of Markdown on standard output
"""
import datetime
import json
import math
import platform
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"unknown: {error}"


def labels_of(test):
    return next((entry["value"] for entry in test.get("properties", []) if entry["name"] == "LABELS"), [])


def list_programs(build):
    tests = json.loads(output_of("ctest", "--test-dir", build, "--show-only=json-v1"))["tests"]
    for test in tests:
        labels = labels_of(test)
        if "gpu" in labels and "mpi" not in labels and "slow" not in labels:
            print(test["command"][0])


def read_tests(path):
    """Status from JUnit elements; skipped is not passed."""
    tests = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        found = {child.tag for child in case}
        status = "failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"
        tests.append({"name": case.get("name"), "status": status, "seconds": float(case.get("time") or 0)})
    return tests


def read_lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def read_json_lines(path):
    return [json.loads(line) for line in read_lines(path) if line.startswith("{")]


def read_sanitizer(path):
    return [dict(zip(("tool", "program", "status"), line.split())) for line in read_lines(path)]


def environment(root):
    fields = "name,driver_version,memory.total,pci.bus_id,compute_cap"
    return {
        "gpus": output_of("nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader").splitlines(),
        "nvcc": output_of("nvcc", "--version").splitlines()[-1:],
        "mpi": output_of("mpirun", "--version").splitlines()[:1],
        "system": platform.platform(),
        "revision": output_of("git", "-C", root, "describe", "--always", "--dirty"),
    }


def collect(parts, results, root):
    folder = Path(parts)
    record = {
        "environment": environment(root),
        "tests": read_tests(folder / "tests.xml") if (folder / "tests.xml").exists() else [],
        "sanitizer": read_sanitizer(folder / "sanitizer.txt"),
        "date": datetime.date.today().isoformat(),
        **{part: read_json_lines(folder / f"{part}.jsonl") for part in ("layers", "torch_layers", "networks")},
    }
    Path(results).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    skipped = [test["name"] for test in record["tests"] if test["status"] == "skipped"]
    for name in skipped:
        print(f"skipped: {name}")
    print(f"{len(record['tests'])} tests, {len(skipped)} skipped, {len(record['sanitizer'])} runs of the sanitizer")
    return 1 if skipped else 0


def geomean(numbers):
    return math.exp(sum(map(math.log, numbers)) / len(numbers)) if numbers else None


def cell(number, form):
    return "-" if number is None else format(number, form)


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def table(header, rows):
    return [row(*header), row(*("---" for _ in header)), *(row(*cells) for cells in rows), ""]


def layer_rows(record):
    """One row per layer and type: microseconds, ratios to the direct call and to PyTorch, fraction of the roofline."""
    torch = {(line["network"], line["layer"], line["dtype"]): line["median_seconds"] for line in record["torch_layers"]}
    for line in record["layers"]:
        if "layer" not in line:
            continue
        other = torch.get((line["network"], line["layer"], line["dtype"]))
        yield line, line["ratio"], line["median_seconds"] / other if other else None


def layers_page(record):
    rows = list(layer_rows(record))
    cells = [
        (f'{line["network"]} {line["layer"]}', line["dtype"], cell(1e6 * line["median_seconds"], ".1f"), cell(direct, ".3f"), cell(torch, ".3f"),
         cell(line["fraction_of_roof"], ".2f"), line["implementation"])
        for line, direct, torch in rows
    ]
    for dtype in dict.fromkeys(line["dtype"] for line, _, _ in rows):
        own = [entry for entry in rows if entry[0]["dtype"] == dtype]
        means = [geomean([value for value in column if value]) for column in zip(*((direct, torch, line["fraction_of_roof"]) for line, direct, torch in own))]
        cells.append(("**geometric mean**", dtype, "", cell(means[0], ".3f"), cell(means[1], ".3f"), cell(means[2], ".2f"), ""))
    return table(("layer", "type", "us", "/ direct call", "/ PyTorch", "fraction of the roof", "computed by"), cells)


def graph_ratio(line):
    """Time of a tick as a CUDA graph relative to one without; None if not compared."""
    return line["graph_tick_seconds"] / line["direct_tick_seconds"] if line.get("direct_tick_seconds") else None


def networks_page(record):
    cells = [
        (line["network"], "x".join(map(str, line["shape"])), line["dtype"], cell(1e3 * line["parconv_seconds"], ".3f"), cell(1e3 * line["torch_seconds"], ".3f"),
         cell(line["ratio"], ".3f"), cell(line["difference"], ".1e"), cell(graph_ratio(line), ".3f"))
        for line in record["networks"]
    ]
    return table(("network", "batch", "type", "ms", "ms, PyTorch", "ratio", "largest difference", "tick as graph / directly"), cells)


def print_page(results):
    record = json.loads(Path(results).read_text(encoding="utf-8"))
    tests, sanitizer = record["tests"], record["sanitizer"]
    versions = next((f'CUDA and cuDNN {line["cuda_and_cudnn"]}' for line in record["layers"] if "cuda_and_cudnn" in line), "")
    torch = next((line["implementation"] for line in record["torch_layers"]), "no PyTorch")
    is_emulator = any(line.get("gpu") == "emulator" for line in record["layers"])
    lines = [
        "# On the CUDA emulator: no GPU, and times mean nothing" if is_emulator else "# On a GPU",
        "",
        f'{record["date"]}, revision {record["environment"]["revision"]}, {"; ".join(record["environment"]["gpus"])}, {versions}, {torch}, '
        f'{record["environment"]["system"]}. Written by `tests/gpu_results.py table` from what `bash tests/gpu.sh` found.',
        "",
        f'{sum(test["status"] == "passed" for test in tests)} of {len(tests)} tests passed; compute-sanitizer: '
        f'{sum(check["status"] == "ok" for check in sanitizer)} of {len(sanitizer)} programs clean.',
        "",
        "## Layers",
        "",
        *layers_page(record),
        "## Networks",
        "",
        *networks_page(record),
    ]
    print("\n".join(lines).rstrip())


def main(arguments):
    if arguments[:1] == ["table"] and len(arguments) == 2:
        return print_page(arguments[1])
    if arguments[:1] == ["programs"] and len(arguments) == 2:
        return list_programs(arguments[1])
    if arguments[:1] == ["collect"] and len(arguments) == 4:
        return collect(*arguments[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
