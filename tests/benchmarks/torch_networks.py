#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times whole networks in parconv_app on one rank and in PyTorch, eager, channels last, benchmark mode, on the same device.

torch_networks.py APP [--device cuda|cpu] [--dtype f32 tf32 f16 bf16 ...] [--only NAME ...] [--batch N] [--micro-batches N] [--repeats N]
                  [--conv-algorithms heuristic|timed]

The networks are those of apps/examples/example_networks.py with random weights, exported on the spot. One JSON line a network and type: the
time of one batch without files, of parconv the mean over the micro-batches of a run, of PyTorch the median of as many calls, and the largest
difference between the two results in relation to the largest value. Needs PyTorch and h5py; exits with 69 without them or without a GPU.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UNAVAILABLE = 69
EXAMPLES = Path(__file__).resolve().parents[2] / "apps" / "examples"
try:
    import h5py
    import numpy as np
    import torch

    sys.path.insert(0, str(EXAMPLES))
    import example_networks
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or UNAVAILABLE)

SEED = 7
# Name: network, sample extents on a GPU, sample extents on a CPU.
NETWORKS = {
    "unet": (example_networks.UNet2d, (1, 512, 512), (1, 160, 208)),
    "unet3d": (example_networks.UNet3d, (1, 128, 128, 128), (1, 48, 40, 64)),
    "vae_decoder": (example_networks.VaeDecoder, (4, 64, 64), (4, 12, 20)),
    "cosmoflow": (example_networks.CosmoFlow, (4, 128, 128, 128), (4, 128, 128, 128)),
}
TYPES = {"f32": torch.float32, "tf32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


class Clock:
    """Seconds of a call, in GPU time or wall time."""

    def __init__(self, device):
        self.is_gpu = device == "cuda"

    def __call__(self, call):
        if not self.is_gpu:
            begin = time.perf_counter()
            call()
            return time.perf_counter() - begin
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        end.synchronize()
        return 1e-3 * begin.elapsed_time(end)


def export(model, shape, path):
    torch.onnx.export(model, (torch.zeros(1, *shape),), str(path), input_names=["x"], output_names=["result"], dynamic_axes={"x": {0: "n"}, "result": {0: "n"}},
                      opset_version=17, dynamo=False)


def time_torch(model, data, options, dtype):
    """The median time and the result."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = dtype == "tf32"
    memory_format = torch.channels_last_3d if data.ndim == 5 else torch.channels_last
    model = model.to(options.device, TYPES[dtype]).to(memory_format=memory_format)
    x = torch.from_numpy(data).to(options.device, TYPES[dtype]).to(memory_format=memory_format)
    clock = Clock(options.device)
    with torch.inference_mode():
        result = model(x)
        model(x)
        samples = [clock(lambda: model(x)) for _ in range(options.repeats)]
    return statistics.median(samples), result.float().cpu().numpy()


def time_parconv(model_file, data, options, dtype, folder):
    """The reported mean time per micro-batch, the first result, the kernels' implementations, and the status of CUDA graphs."""
    source, target, report = folder / "x.h5", folder / "y.h5", folder / "report.jsonl"
    with h5py.File(source, "w") as file:
        x = file.create_dataset("x", (options.micro_batches * options.batch, *data.shape[1:]), "f4")
        for begin in range(0, len(x), options.batch):
            x[begin : begin + options.batch] = data
    command = [options.app, "run", model_file, source, target, "--force", "--report", report, "--device", options.device, "--dtype", dtype,
               "--batch", options.batch, "--micro-batch", options.batch]
    if options.device == "cuda":
        command += ["--conv-algorithms", options.conv_algorithms]
    done = subprocess.run(["mpirun", "-np", "1", "--bind-to", "none", *map(str, command)], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())})
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    seconds = sum(line["max_seconds"]["compute"] for line in lines if line["type"] == "layer") / options.micro_batches
    with h5py.File(target) as file:
        result = file["output/result"][: options.batch].astype("f4")
    graphs = {key: lines[0][key] for key in ("graphs", "graph_note", "direct_tick_seconds", "graph_tick_seconds")}
    return seconds, result, sorted({line["implementation"] for line in lines if line["type"] == "layer" and line["implementation"]}), graphs


def measure(name, dtype, options, folder):
    make, on_gpu, on_cpu = NETWORKS[name]
    shape = on_gpu if options.device == "cuda" else on_cpu
    torch.manual_seed(SEED)
    model = make().eval()
    data = np.random.default_rng(SEED).standard_normal((options.batch, *shape), dtype=np.float32)
    export(model, shape, folder / "model.onnx")
    parconv_seconds, parconv_result, implementations, graphs = time_parconv(folder / "model.onnx", data, options, dtype, folder)
    torch_seconds, torch_result = time_torch(model, data, options, dtype)
    difference = np.abs(parconv_result - torch_result).max() / np.abs(torch_result).max()
    return {"network": name, "shape": [options.batch, *shape], "dtype": dtype, "device": options.device, "parconv_seconds": parconv_seconds,
            "torch_seconds": torch_seconds, "ratio": parconv_seconds / torch_seconds, "difference": float(difference),
            "torch": torch.__version__, "implementations": implementations, **graphs}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--dtype", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--micro-batches", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--conv-algorithms", choices=["heuristic", "timed"], default="timed")
    return parser.parse_args()


def main():
    options = parse()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit(print("PyTorch finds no GPU", file=sys.stderr) or UNAVAILABLE)
    failures = 0
    for name in options.only:
        for dtype in options.dtype:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    print(json.dumps(measure(name, dtype, options, Path(folder))), flush=True)
                except RuntimeError as error:
                    failures += 1
                    print(f"{name} in {dtype}: {error}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
