#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the layers of parconv_gpu_bench with PyTorch on the same GPU: channels_last, benchmark mode, bias and ReLU.

torch_layers.py LAYERS.csv [--dtype f32|tf32|f16|bf16] [--batch N] [--filter SUBSTRING] [--max-gflop X] [--repeats N]
Prints one JSON line per layer, with the keys of parconv_gpu_bench. Exits with 69 without a GPU or PyTorch.
"""
import argparse
import csv
import json
import statistics
import sys

UNAVAILABLE = 69
SHORTEST_SAMPLE_SECONDS = 2e-3


def seconds_per_call(torch, call, count):
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(count):
        call()
    end.record()
    end.synchronize()
    return 1e-3 * begin.elapsed_time(end) / count


def prepared_call(torch, layer, dtype, batch):
    """The layer with random operands in channels-last layout."""
    is_3d = layer["spatial_ndims"] == 3
    kind = torch.nn.Conv3d if is_3d else torch.nn.Conv2d
    memory_format = torch.channels_last_3d if is_3d else torch.channels_last
    conv = kind(layer["ic"], layer["oc"], layer["kernel"], layer["stride"], layer["pad"]).cuda().to(dtype)
    conv = conv.to(memory_format=memory_format)
    shape = [batch, layer["ic"]] + layer["spatial_ndims"] * [layer["size"]]
    x = torch.randn(shape, device="cuda", dtype=dtype).to(memory_format=memory_format)
    return lambda: torch.relu_(conv(x))


def measure(torch, call, repeats):
    seconds_per_call(torch, call, 5)
    count = max(1, min(10000, round(SHORTEST_SAMPLE_SECONDS / seconds_per_call(torch, call, 3))))
    return [seconds_per_call(torch, call, count) for _ in range(repeats)], count


def read_layers(path, wanted, max_gflop):
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            layer = {key: int(row[key]) for key in ("spatial_ndims", "ic", "size", "oc", "kernel", "stride", "pad")}
            layer.update(network=row["network"], layer=row["layer"], gflop=float(row["gflop_n1"]))
            if wanted in f'{layer["network"]} {layer["layer"]}' and layer["gflop"] <= max_gflop:
                yield layer


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers")
    parser.add_argument("--dtype", choices=["f32", "tf32", "f16", "bf16"], default="f16")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--filter", default="")
    parser.add_argument("--max-gflop", type=float, default=1e9)
    parser.add_argument("--repeats", type=int, default=11)
    return parser.parse_args()


def main():
    options = parse()
    try:
        import torch
    except ImportError:
        sys.exit(print("PyTorch is not installed", file=sys.stderr) or UNAVAILABLE)
    if not torch.cuda.is_available():
        sys.exit(print("PyTorch finds no GPU", file=sys.stderr) or UNAVAILABLE)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = options.dtype == "tf32"
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16}.get(options.dtype, torch.float32)
    with torch.inference_mode():
        for layer in read_layers(options.layers, options.filter, options.max_gflop):
            samples, count = measure(torch, prepared_call(torch, layer, dtype, options.batch), options.repeats)
            layer.update(n=options.batch, dtype=options.dtype, repeats=options.repeats, calls_per_sample=count,
                         median_seconds=statistics.median(samples), min_seconds=min(samples),
                         implementation=f"torch {torch.__version__}", gpu=torch.cuda.get_device_name())
            print(json.dumps(layer), flush=True)


if __name__ == "__main__":
    main()
