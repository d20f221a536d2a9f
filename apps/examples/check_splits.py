#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every example network on one rank and under every named split of 2, 3 and 4 ranks, and compares all bits of the results.

  check_splits.py --networks FOLDER --app build/parconv_app --table split_bits.md
  check_splits.py --networks FOLDER --app build/parconv_app --only unet denoiser

FOLDER is the output of make_networks.py; the committed denoiser and filters, and net3d of parconv_make_models, are added. Results accumulate in
FOLDER/splits.json, from which the table is written, so networks may be checked one at a time. Under `c` a run names the layers whose sums are cut
inside leaves; only then may bits differ. Each split by `c` also runs with `--reduce ordered`, against one rank of the same. Exits with 1 if bits
differ that must not, or if a network does not run on one rank.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from check_against_onnxruntime import SEED, Refused, launch, markdown, relative_difference, version_of, write_samples
from example_samples import make_samples

HERE = Path(__file__).resolve().parent
SAMPLES = 3  # as many as ranks, more, and fewer
RANKS = (2, 3, 4)
TYPES = ("f32", "bf16", "f16")
OFF_LEAVES = re.compile(r"sums cut inside leaves, [^:]*: (.*?)(?: and (\d+) more layers?)?$", re.MULTILINE)


@dataclass
class Outcome:
    """Outcome of one network in one type: runs as [ranks, split, off leaves, elements that differ, largest relative difference, refusal]."""

    entry: dict
    dtype: str
    runs: list = field(default_factory=list)
    elements: int = 0
    seconds: float = 0
    app: str = ""

    def of(self, ranks, split):
        return next((run for run in self.runs if run[:2] == [ranks, split]), None)

    @property
    def broken(self):
        return [run for run in self.runs if run[3] and not run[2]]


def splits_for(ranks, is_3d):
    """All named splits of a number of ranks, those by `c` under both leaf rules."""
    axes = ["n", *("d" if is_3d else ""), "h", "w", "f", "c", "stages"]
    pairs = ["n,h", "n,f", "h,w", "h,f", "h,c", "f,c", "stages,h", "stages,f"] + (["d,h", "d,w", "d,f"] if is_3d else [])
    splits = [f"{axis}={ranks}" for axis in axes] + ["auto"]
    if ranks == 4:
        splits += [",".join(f"{axis}=2" for axis in pair.split(",")) for pair in pairs]
    return splits + [f"{split} ordered" for split in splits if "c=" in split]


def how(split, dtype):
    """Options of a run under a split, which may end in "ordered"."""
    name, *rule = split.split()
    return ["--split", name, "--dtype", dtype, "--threads", "1", *(["--reduce", "ordered"] if rule else [])]


def off_leaves(output):
    """The number of layers that a run names as cut inside leaves."""
    found = OFF_LEAVES.search(output)
    return len(found[1].split(", ")) + int(found[2] or 0) if found else 0


def one_rank(options, model, data, split, dtype):
    result = launch(options, model, data, 1, *how(split, dtype))[1]
    if not np.isfinite(result).all() or np.ptp(result) == 0:
        raise Refused("the result on one rank is not finite, or constant")
    return result


def compare(outcome, options, model, data, jobs):
    """Runs the jobs, pairs of ranks and split."""
    expected = {rule: one_rank(options, model, data, f"1{rule}", outcome.dtype) for rule in ("", " ordered")}
    outcome.elements = expected[""].size
    for ranks, split in jobs:
        reference = expected[" ordered" if split.endswith("ordered") else ""]
        try:
            output, actual = launch(options, model, data, ranks, *how(split, outcome.dtype))
        except Refused as error:
            outcome.runs.append([ranks, split, 0, 0, 0.0, str(error)])
            continue
        different = int((actual.view(np.uint32) != reference.view(np.uint32)).sum())
        outcome.runs.append([ranks, split, off_leaves(output), different, relative_difference(actual, reference), ""])


def check(entry, options, dtype, first):
    """Every N-th job, from one that depends on `first`, with --every N."""
    started = time.monotonic()
    outcome = Outcome(entry, dtype, app=version_of(options.app))
    data = options.work / "samples.h5"
    write_samples(data, make_samples(entry.get("samples") or SAMPLES, tuple(entry["shape"]), SEED))
    jobs = [(ranks, split) for ranks in RANKS for split in splits_for(ranks, len(entry["shape"]) == 4)]
    compare(outcome, options, options.networks / entry["file"], data, jobs[first % options.every :: options.every])
    outcome.seconds = time.monotonic() - started
    return outcome


def entries_of(options):
    """One file of each exported network, and the networks that need no PyTorch."""
    listed = json.loads((options.networks / "networks.json").read_text())
    entries = list({entry["network"]: entry for entry in reversed(listed)}.values())[::-1]
    net3d = options.work / "net3d.onnx"
    maker = Path(options.app).with_name("parconv_make_models")
    subprocess.run([maker, "net3d", net3d, "--channels-scale", "1", "--size", "33x40x56"], check=True)
    entries.append({"network": "net3d", "file": str(net3d.resolve()), "shape": (4, 33, 40, 56)})
    for name in ("denoiser", "filters"):
        entries.append({"network": name, "file": str(HERE / f"{name}.onnx"), "shape": (3, 75, 101)})
    return entries


def cell(run):
    """`=`: the same bits; `-`: not run; `refused`; otherwise the largest difference, marked if bits were promised."""
    if run is None:
        return "-"
    _, _, off, different, largest, refusal = run
    if refusal:
        return "refused"
    return "=" if not different else f"{largest:.0e}" if off else f"**{largest:.0e}**"


def summary(outcome):
    """Table cells of one network."""
    runs = outcome.runs
    promised = [run for run in runs if not run[2] and not run[5]]
    off = [run for run in runs if run[2]]
    worst = max(off, key=lambda run: run[4], default=None)
    return [
        outcome.entry["network"],
        outcome.dtype,
        "x".join(map(str, outcome.entry["shape"])),
        str(outcome.elements),
        f"{sum(not run[3] for run in promised)} of {len(promised)}",
        f"{len(off)} ({sum(not run[3] for run in off)} with the same bits)" if off else "0",
        f"{worst[4]:.1e} (`{worst[1]}`, {worst[0]} ranks, {worst[2]} layers)" if worst and worst[3] else "-",
        str(sum(bool(run[5]) for run in runs)),
    ]


def split_table(outcomes):
    names = {(ranks, split): None for ranks in RANKS for is_3d in (False, True) for split in splits_for(ranks, is_3d)}
    rows = [[f"`{split}`", str(ranks), *(cell(o.of(ranks, split)) for o in outcomes)] for ranks, split in names]
    rows.sort(key=lambda row: int(row[1]))
    return markdown(["split", "ranks"] + [f"{o.entry['network']}" for o in outcomes], rows)


def refusals(outcomes):
    return [f"* {o.entry['network']} in {o.dtype}, `{r[1]}` on {r[0]} ranks: {r[5]}" for o in outcomes for r in o.runs if r[5]]


def cpu_name():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(outcomes):
    versions = " and ".join(sorted({outcome.app for outcome in outcomes}))
    made_by = sorted({o.entry["made_by"] for o in outcomes if "made_by" in o.entry})
    lines = [
        "# Bits of whole networks under splits",
        "",
        f"Written by `apps/examples/check_splits.py` on {date.today():%d %B %Y}: {versions},",
        f"{cpu_name()}; networks exported by {' and '.join(made_by)}.",
        "",
        f"Every network computed {SAMPLES} samples on one rank, and under every split below on 2, 3 and 4 ranks. All bits of the",
        "results were compared. *Promised*: runs in which no sum is cut inside a leaf. *Off the leaves*: runs under `c` that named",
        "such layers; the largest difference is relative to the largest value of the result. `ordered` is `--reduce ordered`,",
        "compared with one rank of the same.",
        "",
        *markdown(
            ["network", "type", "one sample", "elements", "promised, same bits", "off the leaves", "largest difference", "refused"],
            [summary(outcome) for outcome in outcomes],
        ),
        "",
    ]
    for dtype in TYPES:
        some = [outcome for outcome in outcomes if outcome.dtype == dtype]
        if some:
            lines += [f"In {dtype}. `=`: the same bits; a number: the largest difference, off the leaves; `-`: not run.", "", *split_table(some), ""]
    notes = [f"* {o.entry['network']}: {o.entry['note']}" for o in outcomes if o.dtype == "f32" and o.entry.get("note")]
    for title, rows in (("Refused:", refusals(outcomes)), ("Networks:", notes)):
        lines += [title, "", *rows, ""] if rows else []
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--app", type=Path, required=True, help="parconv_app; parconv_make_models lies beside it")
    parser.add_argument("--mpirun", default="mpirun --bind-to none", help='with its options (default "mpirun --bind-to none")')
    parser.add_argument("--work", type=Path, help="folder for inputs and outputs (default: that of the networks)")
    parser.add_argument("--table", type=Path, metavar="FILE.md", help="write the results as a page")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some networks")
    parser.add_argument("--dtype", nargs="+", choices=TYPES, default=["f32"], help="types (default f32)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run every N-th split only, other ones for each network")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="seconds for one run (default 600)")
    options = parser.parse_args()
    options.app, options.work = options.app.resolve(), options.work or options.networks
    return options


def load_results(path):
    """Outcomes of earlier runs by network and type."""
    items = json.loads(path.read_text()) if path.exists() else []
    return {(item["entry"]["network"], item["dtype"]): Outcome(**item) for item in items}


def main():
    options = parse_arguments()
    kept = options.work / "splits.json"
    results, failures = load_results(kept), 0
    entries = entries_of(options)
    for k, entry in enumerate(entries):
        for dtype in options.dtype if not options.only or entry["network"] in options.only else ():
            try:
                outcome = check(entry, options, dtype, k)
            except Refused as error:
                failures += 1
                print(f"REFUSED {entry['network']} in {dtype}: {error}", flush=True)
                continue
            results[entry["network"], dtype] = outcome
            kept.write_text(json.dumps([asdict(o) for o in results.values()], indent=1) + "\n")
            print(f"{'DIFFERS' if outcome.broken else 'ok'} in {outcome.seconds:.0f} s:", ", ".join(summary(outcome)), flush=True)
            for run in outcome.broken:
                print("  ", run, flush=True)
    order = [(entry["network"], dtype) for dtype in TYPES for entry in entries]
    outcomes = [results[key] for key in order if key in results]
    if options.table and outcomes:
        options.table.write_text(table(outcomes))
    return 0 if outcomes and not failures and not any(outcome.broken for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
