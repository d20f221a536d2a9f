#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times whole networks in parconv_app, ONNX Runtime and OpenVINO on two cores of a CPU, in turns, in f32.

peer_networks.py BUILD_FOLDER [--only NAME ...] [--rounds N] [--seconds S] [--json FILE] [--table FILE.md] [--googlenet FILE.onnx]

Networks are written by parconv_make_models at their published widths; the denoiser is that of apps/examples; GoogLeNet, which make_networks.py
exports, is left out without its file. Each turn of parconv is one run over some samples, without preparation (`seconds` of the report: files in
the page cache are read and written); each turn of a peer as many calls with one sample, with 2 threads. parconv runs as one rank with two threads,
and as two ranks with one thread each under every split of a first round, then under the fastest. On a busy machine, --threads 1 compares CPU time
of one thread each. `pip install h5py onnxruntime openvino` installs what is needed; exits with 69 without. Takes about 10 minutes.
"""
import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

UNAVAILABLE = 69
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "apps" / "examples"
try:
    import h5py
    import numpy as np
    import onnxruntime
    import openvino

    sys.path.insert(0, str(EXAMPLES))
    from check_against_onnxruntime import ENVIRONMENT, markdown, version_of, write_samples
    from check_splits import cpu_name
    from example_samples import make_samples
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or UNAVAILABLE)

SEED = 7
FULL_WIDTH = ("--channels-scale", "1")
# Name: one sample, options of parconv_make_models (None: a file), splits on two ranks.
NETWORKS = {
    "resnet50": ((3, 224, 224), FULL_WIDTH, ("n=2", "h=2", "auto")),
    "vgg16": ((3, 224, 224), FULL_WIDTH, ("n=2", "h=2", "auto")),
    "unet": ((1, 256, 256), (*FULL_WIDTH, "--size", "256x256"), ("n=2", "h=2", "auto")),
    "net3d": ((4, 128, 128, 128), FULL_WIDTH, ("n=2", "d=2", "auto")),
    "denoiser": ((3, 512, 512), None, ("n=2", "h=2", "auto")),
    "googlenet": ((3, 224, 224), None, ("n=2", "h=2", "auto")),
}
ONE_RANK, TWO_RANKS, ORT, OPENVINO = "1 rank", "2 ranks", "ONNX Runtime", "OpenVINO"
RUNNERS = (ONE_RANK, ORT, OPENVINO, TWO_RANKS)


def cpu_seconds():
    """Of this process and of the children that have ended."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def settle():
    """Waits until the threads of a peer, which spin for a while after a call, sleep: at most 5 s."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.05)
        if time.process_time() - before < 0.005:
            return


class Peer:
    """A network in another program; a call computes one sample."""

    def __init__(self, call):
        self.call = call
        self.call()
        self.call()

    def turn(self, count):
        """Wall and CPU seconds per sample."""
        settle()
        cpu, begin = time.process_time(), time.perf_counter()
        for _ in range(count):
            self.call()
        return (time.perf_counter() - begin) / count, (time.process_time() - cpu) / count


def onnxruntime_peer(model, sample, threads):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return Peer(lambda: session.run(None, {name: sample}))


def openvino_peer(model, sample, threads):
    core = openvino.Core()
    network = core.read_model(str(model))
    network.reshape(list(sample.shape))
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(network, "CPU", settings).create_infer_request()
    return Peer(lambda: request.infer([sample]))


class Parconv:
    """Runs over a file of samples."""

    def __init__(self, options, model, folder, samples):
        self.app, self.threads, self.model, self.folder = options.app, options.threads, model, folder
        self.files = {len(some): folder / f"samples{len(some)}.h5" for some in (samples, samples[:2])}
        for some in (samples, samples[:2]):
            write_samples(self.files[len(some)], some)

    def run(self, ranks, split, count):
        """The report's seconds, and the CPU seconds of the whole job."""
        settle()
        report, output = self.folder / "report.jsonl", self.folder / "out.h5"
        micro_batch = 2 if split == "n=2" else 1
        command = ["mpirun", "--bind-to", "none" if ranks == 1 else "core", "-np", ranks, self.app, "run", self.model, self.files[count], output,
                   "--split", split, "--threads", max(1, self.threads // ranks), "--micro-batch", micro_batch, "--batch", 2, "--device", "cpu",
                   "--report", report, "--force", "--quiet"]  # fmt: skip
        environment = {name: value for name, value in (ENVIRONMENT | os.environ).items() if name != "OMP_NUM_THREADS"}
        report.unlink(missing_ok=True)
        cpu = cpu_seconds()
        done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return json.loads(report.read_text().splitlines()[0])["seconds"], cpu_seconds() - cpu

    def turn(self, ranks, split, count):
        """Wall and CPU seconds per sample; CPU seconds are those that more samples cost, since preparation has no clock of its own."""
        seconds, cpu = self.run(ranks, split, count)
        return seconds / count, (cpu - self.run(ranks, split, 2)[1]) / (count - 2) if count > 2 else math.nan


def relative_difference(actual, expected):
    return float(np.abs(actual.reshape(expected.shape) - expected).max() / np.abs(expected).max())


def check_results(parconv, model, samples):
    """All compute the same: the largest difference between parconv's first sample and ONNX Runtime's."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    expected = session.run(None, {session.get_inputs()[0].name: samples[:1]})[0]
    with h5py.File(parconv.folder / "out.h5") as file:
        return relative_difference(file["output"][file["output"].attrs["signal"]][:1], expected)


def model_file(name, options, folder):
    """The file of a network; None if it has to be exported first."""
    maker_options = NETWORKS[name][1]
    if name == "googlenet":
        return options.googlenet
    if maker_options is None:
        return EXAMPLES / f"{name}.onnx"
    path = folder / f"{name}.onnx"
    subprocess.run([options.build / "parconv_make_models", name, path, *maker_options], check=True)
    return path


def measure(name, options, folder):
    shape, _, splits = NETWORKS[name]
    model = model_file(name, options, folder)
    if model is None:
        print(f"{name}: left out, --googlenet names no file", file=sys.stderr)
        return None
    sample = make_samples(1, shape, SEED)
    peers = {ORT: onnxruntime_peer(model, sample, options.threads), OPENVINO: openvino_peer(model, sample, options.threads)}
    once = peers[ORT].turn(1)[0]
    count = max(4, min(32, 2 * round(options.seconds / once / 2)))
    parconv = Parconv(options, model, folder, np.repeat(sample, count, axis=0))
    trial = {split: parconv.run(2, split, count)[0] for split in splits} if options.threads > 1 else {"1": parconv.run(1, "1", count)[0]}
    split = min(trial, key=trial.get)
    difference = check_results(parconv, model, sample)
    turns = {ONE_RANK: lambda: parconv.turn(1, "1", count)}
    turns |= {peer: (lambda peer=peer: peers[peer].turn(count)) for peer in peers}
    if options.threads > 1:
        turns[TWO_RANKS] = lambda: parconv.turn(2, split, count)
    rows = {runner: [] for runner in turns}
    for _ in range(options.rounds):
        for runner, turn in turns.items():
            rows[runner].append(turn())
    result = {"network": name, "shape": shape, "samples": count, "split": split, "difference": difference,
              "trial_seconds": {key: value / count for key, value in trial.items()}, "load_average": os.getloadavg()[0]}  # fmt: skip
    for runner, pairs in rows.items():
        wall, cpu = zip(*pairs)
        result[runner] = {"median": statistics.median(wall), "min": min(wall), "cpu_median": statistics.median(cpu), "all": wall}
    return result | ratios(result)


def ratios(result):
    """The best of ours over the faster peer, of medians and of minima; and of CPU time, one rank over the peer that takes less."""

    def ratio(ours, key):
        return min(result[runner][key] for runner in ours) / min(result[ORT][key], result[OPENVINO][key])

    both = [runner for runner in (ONE_RANK, TWO_RANKS) if runner in result]
    return {"ratio": ratio(both, "median"), "ratio_of_minima": ratio(both, "min"), "cpu_ratio": ratio((ONE_RANK,), "cpu_median")}


def versions(options):
    return {
        "parconv": version_of(options.app),
        "onnxruntime": onnxruntime.__version__,
        "openvino": openvino.__version__.split("-")[0],
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": options.threads,
        "date": date.today().isoformat(),
    }


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def table(made, results):
    def times(row):
        return f"{1e3 * row['median']:.1f} ({1e3 * row['min']:.1f})"

    rows = []
    for result in results:
        cells = [result["network"], "x".join(map(str, result["shape"]))]
        cells += [times(result[runner]) for runner in (ORT, OPENVINO, ONE_RANK)]
        cells.append(f"{times(result[TWO_RANKS])}, `{result['split']}`" if TWO_RANKS in result else "-")
        cells += [f"{result[key]:.2f}" for key in ("ratio", "ratio_of_minima", "cpu_ratio")] + [f"{result['load_average']:.1f}"]
        rows.append(cells)
    means = [f"{geometric_mean([result[key] for result in results]):.3f}" for key in ("ratio", "ratio_of_minima", "cpu_ratio")]
    rows.append(["geometric mean", "", "", "", "", "", *means, ""])
    head = ["network", "one sample", ORT, OPENVINO, f"1 rank, {made['threads']} threads", "2 ranks, best split", "ratio", "of minima", "of CPU time", "load"]
    lines = [
        "# Whole networks against ONNX Runtime and OpenVINO",
        "",
        f"Written by `tests/benchmarks/peer_networks.py` on {made['date']}: {made['parconv']}, ONNX Runtime {made['onnxruntime']},",
        f"OpenVINO {made['openvino']}; {made['cpu']}, {made['cores']} cores.",
        "",
        "Milliseconds for one sample in f32, medians (and minima) of interleaved turns. The peers compute one sample a call with",
        f"{made['threads']} threads; parconv reads samples from a file and writes results, without preparation. *Ratio*: the better of both ways of",
        "parconv over the faster peer. *Of CPU time*: one rank over the peer that takes less, waiting threads included. *Load*: the",
        "load average after the network; above 3 other programs took part of the machine.",
        "",
        *markdown(head, rows),
        "",
        f"The largest difference of a result from that of ONNX Runtime was {max(result['difference'] for result in results):.1e} of its largest value.",
        "",
    ]
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="build folder with parconv_app and parconv_make_models")
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--threads", type=int, default=2, choices=(1, 2), help="of one rank and of the peers; 1: no run of two ranks")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn, about (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all times")
    parser.add_argument("--table", type=Path, metavar="FILE.md", help="write a page")
    parser.add_argument("--googlenet", type=Path, metavar="FILE.onnx", help="written by make_networks.py --only googlenet")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.app = options.build / "parconv_app"
    return options


def main():
    options = parse()
    results = []
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            result = measure(name, options, Path(folder))
        if result:
            results.append(result)
            print(json.dumps({key: value for key, value in result.items() if key not in RUNNERS}), flush=True)
    made = versions(options)
    if options.json:
        options.json.write_text(json.dumps({"made": made, "results": results}, indent=1) + "\n")
    text = table(made, results)
    if options.table:
        options.table.write_text(text)
    print(text)
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
