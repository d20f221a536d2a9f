"""What tests/gpu.sh needs: which programs to check, and one JSON file of everything that was found.

    gpu_results.py programs BUILD                one path a line: test programs with the label gpu that are no MPI jobs
    gpu_results.py collect PARTS RESULTS ROOT    PARTS/tests.xml, sanitizer.txt and benchmark.jsonl to RESULTS; 1 if a test was skipped
"""
import json
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
    """Status by the elements of JUnit: a skipped one is not passed."""
    tests = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        found = {child.tag for child in case}
        status = "failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"
        tests.append({"name": case.get("name"), "status": status, "seconds": float(case.get("time") or 0)})
    return tests


def read_lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


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
        "benchmark": [json.loads(line) for line in read_lines(folder / "benchmark.jsonl") if line.startswith("{")],
    }
    Path(results).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    skipped = [test["name"] for test in record["tests"] if test["status"] == "skipped"]
    for name in skipped:
        print(f"skipped: {name}")
    print(f"{len(record['tests'])} tests, {len(skipped)} skipped, {len(record['sanitizer'])} runs of the sanitizer")
    return 1 if skipped or not record["tests"] else 0


def main(arguments):
    if arguments[:1] == ["programs"] and len(arguments) == 2:
        return list_programs(arguments[1])
    if arguments[:1] == ["collect"] and len(arguments) == 4:
        return collect(*arguments[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
