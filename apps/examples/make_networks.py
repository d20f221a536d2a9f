#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the example networks as ONNX with seeded random weights, using both exporters of PyTorch.

  make_networks.py --out FOLDER                          all of them, about 2 GB
  make_networks.py --out FOLDER --only resnet50 unet     some

make_networks.sh prepares a Python with PyTorch, torchvision and onnx. FOLDER/networks.json lists the files for
check_against_onnxruntime.py and check_splits.py. Nothing is downloaded: the definitions are torchvision's, that of MobileViT timm's, and the
others are in example_networks.py.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import torch
import torchvision
from torch import nn

import example_networks
from example_samples import make_samples

CLASSIC, EXPORT = "classic", "export"  # through TorchScript; through torch.export
SEED = 7


@dataclass
class Example:
    """A network, its test input, and its exports as pairs of exporter and opset."""

    make: object
    shape: tuple  # of one sample: channels, then space
    variants: tuple
    is_classifier: bool = False
    open_sizes: int = 0  # 0: fixed spatial sizes; otherwise dynamic, in multiples of this
    note: str = ""
    plan: str = ""  # plan file in this folder, for the first variant on four ranks
    input: str = "image"
    samples: int = 0  # fixed number of samples, with what follows from it folded; 0: any number


def torchvision_network(name, **options):
    return lambda: attrgetter(name)(torchvision.models)(weights=None, **options)


BOTH = ((CLASSIC, 17), (EXPORT, 18))
EXAMPLES = {
    "resnet50": Example(torchvision_network("resnet50"), (3, 224, 224), ((CLASSIC, 11), (EXPORT, 18)), True),
    "vgg16": Example(torchvision_network("vgg16"), (3, 224, 224), ((CLASSIC, 13), (EXPORT, 18)), True),
    "mobilenet_v2": Example(torchvision_network("mobilenet_v2"), (3, 224, 224), ((CLASSIC, 9), (EXPORT, 20)), True),
    "efficientnet_b0": Example(torchvision_network("efficientnet_b0"), (3, 224, 224), BOTH, True),
    "googlenet": Example(
        torchvision_network("googlenet", aux_logits=False, init_weights=False, transform_input=False),
        (3, 224, 224),
        BOTH,
        is_classifier=True,
        plan="googlenet_branches.json",
    ),
    "unet": Example(example_networks.UNet2d, (1, 160, 208), BOTH, open_sizes=16, note="half the published channels"),
    "unet3d": Example(
        example_networks.UNet3d, (1, 48, 40, 64), ((CLASSIC, 14), (EXPORT, 18)), open_sizes=8, note="8 to 64 channels"
    ),
    "vae_decoder": Example(
        example_networks.VaeDecoder,
        (4, 12, 20),
        ((CLASSIC, 17), (EXPORT, 21)),
        open_sizes=1,
        note="half the published channels, no attention",
    ),
    "vae_decoder_attention": Example(
        lambda: example_networks.VaeDecoder(has_attention=True),
        (4, 12, 20),
        ((CLASSIC, 17), (EXPORT, 18)),
        note="half the published channels",
    ),
    "cosmoflow": Example(example_networks.CosmoFlow, (4, 128, 128, 128), BOTH),
    "resnet18": Example(torchvision_network("resnet18"), (3, 144, 160), BOTH, is_classifier=True),
    "r3d18": Example(torchvision_network("video.r3d_18"), (3, 8, 56, 64), BOTH, is_classifier=True),
    "deeplab": Example(example_networks.deeplab, (3, 96, 128), BOTH),
    "mobilevit": Example(example_networks.mobilevit, (3, 128, 160), BOTH, is_classifier=True),
    "swin": Example(
        torchvision_network("swin_t"), (3, 224, 224), ((CLASSIC, 17),), samples=3, note="constants folded for 3 samples"
    ),
    "convnext": Example(torchvision_network("convnext_tiny"), (3, 96, 128), BOTH, is_classifier=True),
}


def randomise(model):
    """Weights that preserve the variance of activations (He et al., 2015)."""
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.1)
        elif isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm)):
            nn.init.uniform_(layer.weight, 0.6, 1.4)
            nn.init.normal_(layer.bias, std=0.2)
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):  # of ConvNeXt, which begins with 1e-6: its blocks would not show
            nn.init.constant_(parameter, 0.5)


def give_statistics(model, batch):
    """Sets every batch normalisation to perturbed batch statistics, as far from 0 and 1 as after training."""
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm2d, nn.BatchNorm3d))]
    model.eval()
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        model(batch)
        for norm in norms:
            norm.running_mean += 0.2 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)
    model.eval()


def centre_classes(model, batch):
    """Subtracts the mean output, so that no class wins for every image."""
    last = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
    with torch.no_grad():
        last.bias -= model(batch).mean(dim=0)


def make_model(example):
    torch.manual_seed(SEED)
    model = example.make()
    randomise(model)
    batch = torch.from_numpy(make_samples(8 if example.is_classifier else 2, example.shape, SEED))
    give_statistics(model, batch)
    if example.is_classifier:
        centre_classes(model, batch)
    return model


def open_axes(example):
    """Names of the dynamic axes by index: samples, and spatial axes unless fixed."""
    names = "dhw"[-(len(example.shape) - 1) :]
    return {0: "n"} | ({2 + i: name for i, name in enumerate(names)} if example.open_sizes else {})


def export_classic(model, example, opset, path):
    torch.onnx.export(
        model,
        (torch.zeros(2, *example.shape),),
        str(path),
        input_names=[example.input],
        output_names=["result"],
        dynamic_axes={example.input: open_axes(example), "result": {0: "n"}},
        opset_version=opset,
        dynamo=False,
    )


def export_program(model, example, opset, path):
    """The exporter that PyTorch recommends, with sizes in multiples so that downsampling and upsampling match."""
    dims = {axis: torch.export.Dim(name) for axis, name in open_axes(example).items()}
    shapes = {axis: dim if axis == 0 or example.open_sizes == 1 else example.open_sizes * dim for axis, dim in dims.items()}
    torch.onnx.export(
        model,
        (torch.zeros(2, *example.shape),),
        str(path),
        input_names=[example.input],
        output_names=["result"],
        dynamic_shapes=(shapes,),
        opset_version=opset,
        dynamo=True,
        verbose=False,
    )


def export(model, example, exporter, opset, path):
    (export_classic if exporter == CLASSIC else export_program)(model, example, opset, path)


def fold(path, samples):
    """Fixes the number of samples and evaluates what is then constant, by the basic optimisation of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_free_dimension_override_by_name("n", samples)
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def write_example(name, folder, variants):
    """Exports the variants; returns their entries for networks.json."""
    example = EXAMPLES[name]
    model = make_model(example)
    entries = []
    for exporter, opset in example.variants[:variants]:
        path = folder / f"{name}.{exporter}-{opset}.onnx"
        export(model, example, exporter, opset, path)
        if example.samples:
            fold(path, example.samples)
        entries.append(
            {
                "network": name,
                "file": path.name,
                "exporter": exporter,
                "opset": opset,
                "input": example.input,
                "shape": example.shape,
                "is_classifier": example.is_classifier,
                "note": example.note,
                "plan": example.plan if not entries else "",
                "samples": example.samples,
                "made_by": f"PyTorch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}",
            }
        )
        print(f"{path}: {os.path.getsize(path) / 1e6:.1f} MB", flush=True)
    return entries


def update_list(path, entries):
    """Keeps the entries of networks that were not rewritten."""
    known = json.loads(path.read_text()) if path.exists() else []
    written = {entry["network"] for entry in entries}
    kept = [entry for entry in known if entry["network"] not in written]
    ordered = sorted(kept + entries, key=lambda e: list(EXAMPLES).index(e["network"]))
    path.write_text(json.dumps(ordered, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to")
    parser.add_argument("--only", nargs="+", choices=EXAMPLES, metavar="NAME", default=list(EXAMPLES), help=", ".join(EXAMPLES))
    parser.add_argument("--variants", type=int, metavar="N", help="at most N exports of each (default: all)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        update_list(options.out / "networks.json", write_example(name, options.out, options.variants))


if __name__ == "__main__":
    sys.exit(main())
