#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every example network under mpirun with many splits and compares the results with ONNX Runtime.

  check_against_onnxruntime.py --networks FOLDER --app build/parconv_app --table onnxruntime.md
  check_against_onnxruntime.py --networks FOLDER --app build/parconv_app --only unet vgg16

Results accumulate in FOLDER/results.json, from which the table is written, so networks may be checked one at a time.

FOLDER is the output of make_networks.py. Both programs read the same f32 samples from an HDF5 file. A result agrees if its largest difference
is at most 1e-4 of the largest value; classifiers must also predict the same class for 20 images. Exits with 1 if anything differs.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import h5py
import numpy as np
import onnxruntime

from example_samples import make_samples

TOLERANCE = 1e-4
SAMPLES = 4  # one per rank on four ranks
IMAGES = 20
SEED = 11

ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMP_NUM_THREADS": "1",
}


@dataclass
class Outcome:
    """Outcome of one network file."""

    entry: dict
    differences: list = field(default_factory=list)  # (ranks, split, largest difference relative to the largest value)
    refused: str = ""
    same_class: int = 0
    classes: int = 0
    seconds: float = 0
    app: str = ""  # version of parconv_app

    @property
    def worst(self):
        return max(self.differences, key=lambda item: item[2])

    @property
    def agrees(self):
        is_near = bool(self.differences) and self.worst[2] <= TOLERANCE
        return not self.refused and is_near and (not self.entry["is_classifier"] or self.same_class == IMAGES)


class Refused(Exception):
    """parconv_app exited with an error, whose message this has."""


def version_of(app):
    """ "parconv 0.1.0 (8bcad24f2330, g++ 12.2.0)"."""
    return subprocess.run([app, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def splits_for(entry, is_first):
    """Pairs of ranks and split; fewer for a second export of the same network."""
    outer = "d" if len(entry["shape"]) == 4 else "h"
    few = [(1, "1"), (2, f"{outer}=2"), (4, "auto")]
    if not is_first:
        return few
    two = [f"{outer}=2", "w=2", "f=2", "c=2", "stages=2"]
    four = [f"{outer}=2,w=2", "n=4", "c=4", "stages=2,f=2", "auto"]
    return [(1, "1")] + [(2, split) for split in two] + [(4, split) for split in four]


def write_samples(path, samples):
    with h5py.File(path, "w") as file:
        file["samples"] = samples
        file["samples"].attrs["layout"] = "NCDHW" if samples.ndim == 5 else "NCHW"


def launch(options, model, data, ranks, *how):
    """What a run printed, and its output. Raises Refused."""
    result = options.work / "result.h5"
    command = [*shlex.split(options.mpirun), "-np", str(ranks), options.app, "run", model, data, result, *how, "--force"]
    done = subprocess.run(
        [str(part) for part in command],
        env=ENVIRONMENT | os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=options.timeout,
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("parconv_app: error:")]
        raise Refused(f"exit code {done.returncode}: {errors[0] if errors else done.stderr[-300:]}")
    with h5py.File(result) as file:
        return done.stdout, file["output"][file["output"].attrs["signal"]][()]


def run_app(options, model, data, ranks, *how):
    """The output of one run. Raises Refused."""
    return launch(options, model, data, ranks, *how, "-q")[1]


def relative_difference(actual, expected):
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return np.inf
    return float(np.max(np.abs(actual - expected)) / np.max(np.abs(expected)))


def infer(session, entry, samples):
    """Runs as few samples at a time as the model takes, to minimise memory."""
    count = entry.get("samples") or 1
    parts = [samples[k : k + count] for k in range(0, len(samples), count)]
    return np.concatenate([session.run(None, {entry["input"]: part})[0] for part in parts])


def compare_splits(outcome, options, session, model, is_first):
    entry = outcome.entry
    samples = make_samples(entry.get("samples") or SAMPLES, tuple(entry["shape"]), SEED)
    write_samples(options.work / "samples.h5", samples)
    expected = infer(session, entry, samples)
    for ranks, split in splits_for(entry, is_first):
        actual = run_app(options, model, options.work / "samples.h5", ranks, "--split", split)
        outcome.differences.append((ranks, split, relative_difference(actual, expected)))
    if plan := entry.get("plan"):
        actual = run_app(options, model, options.work / "samples.h5", 4, "--plan", Path(__file__).with_name(plan))
        outcome.differences.append((4, plan, relative_difference(actual, expected)))


def compare_classes(outcome, options, session, model):
    entry = outcome.entry
    images = make_samples(IMAGES, tuple(entry["shape"]), SEED + 1)
    write_samples(options.work / "images.h5", images)
    expected = infer(session, entry, images).argmax(axis=1)
    actual = run_app(options, model, options.work / "images.h5", 2, "--split", "auto").argmax(axis=1)
    outcome.same_class = int((actual == expected).sum())
    outcome.classes = len(set(expected.tolist()))


def check(entry, options, is_first):
    started = time.monotonic()
    outcome = Outcome(entry, app=version_of(options.app))
    model = options.networks / entry["file"]
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
    try:
        compare_splits(outcome, options, session, model, is_first)
        if entry["is_classifier"]:
            compare_classes(outcome, options, session, model)
    except Refused as error:
        outcome.refused = str(error)
    outcome.seconds = time.monotonic() - started
    return outcome


def summary(outcome):
    """Table cells of one file."""
    entry = outcome.entry
    shape = "x".join(str(extent) for extent in entry["shape"])
    head = [entry["network"], f"{entry['exporter']}, {entry['opset']}", shape]
    if outcome.refused:
        return head + ["-", "-", "-", outcome.refused]
    ranks, split, difference = outcome.worst
    top1 = f"{outcome.same_class} of {IMAGES} ({outcome.classes} classes)" if entry["is_classifier"] else "-"
    return head + [str(len(outcome.differences)), f"{difference:.1e} (`{split}`, {ranks})", top1, entry["note"]]


def markdown(header, rows):
    return ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header)] + rows]


def split_table(outcomes):
    """Differences by split for the first file of each network."""
    first = list({o.entry["network"]: o for o in reversed(outcomes) if not o.refused}.values())[::-1]
    rows = []
    for ranks, split in splits_for({"shape": (3, 8, 8)}, True):
        names = {split, split.replace("h=", "d=")}
        cells = [next((f"{found:.0e}" for p, s, found in o.differences if p == ranks and s in names), "-") for o in first]
        rows.append([f"`{split.replace('h=', 'h/d=')}`", str(ranks), *cells])
    return markdown(["split", "ranks"] + [o.entry["network"] for o in first], rows)


def table(outcomes):
    made_by = outcomes[0].entry["made_by"]
    versions = " and ".join(sorted({outcome.app for outcome in outcomes}))
    lines = [
        "# Against ONNX Runtime",
        "",
        f"Written by `apps/examples/check_against_onnxruntime.py` on {date.today():%d %B %Y}: {versions};",
        f"ONNX Runtime {onnxruntime.__version__}; networks exported by {made_by}. All in f32 on the CPU.",
        "",
        "Every network of `apps/examples/make_networks.py` ran under `mpirun` on 1, 2 and 4 ranks, on the four samples that ONNX Runtime",
        "computed. The largest difference is relative to the largest value of the result; 1e-4 is allowed. Classifiers also classify 20",
        "images. Their weights are random, so only the agreement of classes is meaningful. Their last bias subtracts the mean output,",
        "which enlarges relative differences. *Exporter*: `classic` is TorchScript, `export` is `torch.export`; the number is the opset.",
        "",
        *markdown(
            ["network", "exporter, opset", "one sample", "runs", "largest difference (split, ranks)", "same class", "notes"],
            [summary(outcome) for outcome in outcomes],
        ),
        "",
        "By split, for the first file of each network (`h/d`: rows, or slices of volumes):",
        "",
        *split_table(outcomes),
        "",
    ]
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--app", type=Path, required=True, help="parconv_app")
    parser.add_argument("--mpirun", default="mpirun", help='with its options, for example "mpirun --bind-to none"')
    parser.add_argument("--work", type=Path, help="folder for inputs and outputs (default: that of the networks)")
    parser.add_argument("--table", type=Path, metavar="FILE.md", help="write the results as a page")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some networks")
    parser.add_argument("--threads", type=int, default=2, help="of ONNX Runtime (default 2)")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="seconds for one run (default 600)")
    options = parser.parse_args()
    options.work = options.work or options.networks
    return options


def load_results(path):
    """Outcomes of earlier runs by file name."""
    if not path.exists():
        return {}
    return {item["entry"]["file"]: Outcome(**item) for item in json.loads(path.read_text())}


def main():
    options = parse_arguments()
    entries = json.loads((options.networks / "networks.json").read_text())
    kept = options.networks / "results.json"
    results = load_results(kept)
    for k, entry in enumerate(entries):
        if options.only and entry["network"] not in options.only:
            continue
        is_first = k == 0 or entries[k - 1]["network"] != entry["network"]
        outcome = results[entry["file"]] = check(entry, options, is_first)
        kept.write_text(json.dumps([asdict(o) for o in results.values()], indent=1) + "\n")
        verdict = "agrees" if outcome.agrees else "DIFFERS"
        print(f"{verdict} in {outcome.seconds:.0f} s:", ", ".join(summary(outcome)), flush=True)
    outcomes = [results[entry["file"]] for entry in entries if entry["file"] in results]
    if options.table and outcomes:
        options.table.write_text(table(outcomes))
    return 0 if outcomes and all(outcome.agrees for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
