#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_digests.py BUILD_FOLDER [--renew]: recomputes digests.json, and adds this machine to those on which the digests hold.

Exits with 1 if a digest differs, unless --renew replaces all of them, which changes the meaning of models: see docs/arithmetic.md.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent


def set_environment(build):
    """What ctest sets."""
    os.environ.update(
        PARCONV_APP=str(build / "parconv_app"),
        PARCONV_MAKE_MODELS=str(build / "parconv_make_models"),
        PARCONV_MPIEXEC=shutil.which("mpirun"),
        PARCONV_KILLED_STATUS="137",
        OMP_NUM_THREADS="1",
    )


def cpu():
    """Model name, family and model number: the name alone does not tell generations apart in virtual machines."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    rows = dict(line.replace("\t", "").split(": ", 1) for line in text.splitlines() if ": " in line)
    if "model name" not in rows:
        return platform.machine()
    return f"{rows['model name']}, family {rows.get('cpu family', '?')}, model {rows.get('model', '?')}"


def operating_system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.platform())


def compiler():
    """Of "parconv 0.1.0 (8bcad24f2330, g++ 12.2.0)"."""
    line = subprocess.run([os.environ["PARCONV_APP"], "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return line.rstrip(")").rsplit(", ", 1)[1]


def compute():
    """The digests, which must not depend on the instruction set, and the instruction sets of this CPU."""
    from digests_test import JOBS, Digests

    Digests.setUpClass()
    try:
        test = Digests()
        sets = test.instruction_sets()
        found = {name: {test.digest(job, isa) for isa in sets} for name, job in JOBS.items()}
    finally:
        Digests.tearDownClass()
    for name, digests in found.items():
        if len(digests) > 1:
            sys.exit(f"{name}: the instruction sets {' '.join(sets)} have different digests")
    return {name: digests.pop() for name, digests in found.items()}, sets


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="build folder with parconv_app and parconv_make_models")
    parser.add_argument("--renew", action="store_true", help="replace digests that differ, and forget all machines")
    options = parser.parse_args()
    set_environment(options.build.resolve())
    path = HERE / "digests.json"
    known = json.loads(path.read_text()) if path.exists() else {"digests": {}, "held_on": []}
    digests, sets = compute()
    machine = {"cpu": cpu(), "os": operating_system(), "compiler": compiler(), "instruction_sets": sets, "date": date.today().isoformat()}
    if digests != known["digests"]:
        differing = [name for name in digests if digests[name] != known["digests"].get(name)]
        if not options.renew:
            sys.exit(f"other digests: {', '.join(differing) or 'a job is gone'}")
        known = {"digests": digests, "held_on": []}
    same = ("cpu", "os", "compiler")
    others = [row for row in known["held_on"] if any(row[key] != machine[key] for key in same)]
    known["held_on"] = others + [machine]
    path.write_text(json.dumps(known, indent=1) + "\n")
    print(json.dumps(machine))


if __name__ == "__main__":
    main()
