#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the denoiser of the quickstart and writes it as ONNX.

  train_denoiser.py --out denoiser.onnx     about 8 minutes on one idle core
  train_denoiser.py --test denoiser.onnx    PSNR on held-out pictures, with two baselines

The pictures are those shipped with scikit-image (identical in 0.22.0 to 0.26.0). make_networks.sh prepares a Python with
all requirements.

The network predicts the noise and subtracts it (Zhang et al., "Beyond a Gaussian Denoiser", 2017), without batch normalisation: 9
convolutions 3x3, 16 channels, 17,000 weights. Inputs and outputs are values of 0 to 255, so that pictures need no scaling. Training
pictures are randomly recoloured, rotated and mirrored; then noise of standard deviation 25 is added, and the sum rounded and clipped as in
a picture file.
"""

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

SIGMA = 25
WHITE = 255
CHANNELS = 16
LAYERS = 9
PATCH = 48
BATCH = 32

# Public domain or CC0 according to the documentation of skimage.data. Downsampling by the factor removes JPEG artifacts.
TRAINING = {
    "astronaut.png": 1,  # NASA, public domain
    "coffee.png": 1,  # Rachel Michetti, CC0
    "camera.png": 1,  # Lav Varshney, CC0
    "brick.png": 1,  # CC0Textures, CC0
    "grass.png": 1,  # LinoLafett, CC0
    "gravel.png": 1,  # CC0Textures, CC0
    "retina.jpg": 2,  # Mikael Haeggstroem, CC0
    "hubble_deep_field.jpg": 2,  # NASA, public domain
}
HELD_OUT = {
    "chelsea.png": 1,  # Stefan van der Walt, CC0; shipped as photo.png
    "rocket.jpg": 1,  # SpaceX, public domain
}


class Denoiser(nn.Module):
    """Residual network on values of 0 to 1: the input plus the negated noise that the convolutions predict."""

    def __init__(self):
        super().__init__()
        widths = [3] + [CHANNELS] * (LAYERS - 1) + [3]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(widths, widths[1:]))
        for layer in self.convolutions:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.convolutions[-1].weight)

    def forward(self, image):
        x = image
        for layer in self.convolutions[:-1]:
            x = torch.relu(layer(x))
        return image + self.convolutions[-1](x)

    def fold_scale(self):
        """Rescales from values of 0 to 1 to values of 0 to 255, by dividing the first filter and multiplying the last one."""
        with torch.no_grad():
            self.convolutions[0].weight /= WHITE
            self.convolutions[-1].weight *= WHITE
            self.convolutions[-1].bias *= WHITE


def read_pictures(folder, names):
    """Arrays (3, height, width) of uint8."""
    pictures = []
    for name, divisor in names.items():
        with Image.open(folder / name) as picture:
            picture = picture.convert("RGB")
            if divisor > 1:
                picture = picture.resize((picture.width // divisor, picture.height // divisor), Image.Resampling.LANCZOS)
            pictures.append(np.asarray(picture).transpose(2, 0, 1).copy())
    return pictures


def add_noise(clean, random):
    noisy = clean.astype(np.float32) + random.normal(0, SIGMA, clean.shape).astype(np.float32)
    return np.clip(np.rint(noisy), 0, WHITE)


def recolour(patch, random):
    """Colour augmentation of at most three quarters of the samples: channel mixture, contrast, brightness; clipped to 0..255."""
    kind = random.integers(4)
    if kind == 0:
        return patch
    if kind == 1:
        return patch[random.permutation(3)]
    mixture = np.eye(3) + random.uniform(-0.4, 0.4, (3, 3))
    mixture *= random.uniform(0.6, 1.1) / mixture.sum(axis=1, keepdims=True)
    return np.clip(np.tensordot(mixture, patch, 1) + random.uniform(-20, 40), 0, WHITE)


def draw_patch(pictures, random):
    """A random crop, rotated and mirrored; larger pictures are drawn more often."""
    areas = np.array([p[0].size for p in pictures], float)
    picture = pictures[random.choice(len(pictures), p=areas / areas.sum())]
    y, x = (random.integers(extent - PATCH + 1) for extent in picture.shape[1:])
    patch = np.rot90(picture[:, y : y + PATCH, x : x + PATCH], random.integers(4), (1, 2))
    patch = patch[:, :, ::-1] if random.integers(2) else patch
    return np.rint(recolour(patch.astype(np.float32), random))


def draw_batch(pictures, random):
    clean = np.stack([draw_patch(pictures, random) for _ in range(BATCH)]).astype(np.float32)
    return [torch.from_numpy(a / np.float32(WHITE)) for a in (add_noise(clean, random), clean)]


def psnr(image, clean):
    """PSNR in decibels of values of 0 to 255, with the image rounded and clipped as in a picture file."""
    error = np.clip(np.rint(image), 0, WHITE).astype(np.float64) - clean
    return 10 * np.log10(WHITE**2 / np.mean(error**2))


def denoise(model, noisy):
    with torch.no_grad():
        return model(torch.from_numpy(noisy[None] / np.float32(WHITE)))[0].numpy() * WHITE


def train(pictures, held_out, steps, seed):
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    model = Denoiser().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=3e-3, total_steps=steps, pct_start=0.05, final_div_factor=100
    )
    started = time.monotonic()
    for step in range(1, steps + 1):
        noisy, clean = draw_batch(pictures, random)
        loss = nn.functional.mse_loss(model(noisy.contiguous(memory_format=torch.channels_last)), clean)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 500 == 0:
            gains = ", ".join(f"{psnr(denoise(model, n), c):.2f}" for n, c in held_out)
            print(f"{time.monotonic() - started:6.0f} s, step {step}: loss {loss.item():.5f}, held out {gains} dB", flush=True)
    return model


def noisy_pairs(pictures, seed):
    random = np.random.default_rng(seed)
    return [(add_noise(clean, random), clean) for clean in pictures]


def export(model, path):
    """Exports with dynamic batch and sizes. The classic exporter keeps the names and writes one small file."""
    model.fold_scale()
    axes = {0: "n", 2: "h", 3: "w"}
    torch.onnx.export(
        model.to(memory_format=torch.contiguous_format).eval(),
        (torch.zeros(1, 3, 64, 64),),
        str(path),
        input_names=["noisy"],
        output_names=["denoised"],
        dynamic_axes={"noisy": axes, "denoised": axes},
        opset_version=17,
        dynamo=False,
    )


def baselines(noisy):
    """Two baselines without learning, given the noise level."""
    from skimage.restoration import denoise_bilateral, denoise_nl_means  # only --test needs scikit-image

    image = noisy.transpose(1, 2, 0) / WHITE
    sigma = SIGMA / WHITE
    means = denoise_nl_means(image, h=0.6 * sigma, sigma=sigma, patch_size=5, patch_distance=7, channel_axis=-1)
    bilateral = denoise_bilateral(image, sigma_color=2 * sigma, sigma_spatial=2, channel_axis=-1)
    return {name: a.transpose(2, 0, 1) * WHITE for name, a in (("non-local means", means), ("bilateral filter", bilateral))}


def report(path, folder, seed):
    import onnxruntime  # only --test needs it

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for name, (noisy, clean) in zip(HELD_OUT, noisy_pairs(read_pictures(folder, HELD_OUT), seed)):
        found = {"noisy": noisy, **baselines(noisy), "this network": session.run(None, {"noisy": noisy[None]})[0][0]}
        print(name, ", ".join(f"{method} {psnr(image, clean):.2f} dB" for method, image in found.items()))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="skimage/data of scikit-image (default: of the installed one)"
    )
    parser.add_argument("--steps", type=int, default=4000, help=f"batches of {BATCH} patches to learn from (default 4000)")
    parser.add_argument("--seed", type=int, default=25, help="of weights, patches and noise (default 25)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", metavar="FILE.onnx", help="train and write the network")
    what.add_argument("--test", metavar="FILE.onnx", help="measure a network")
    return parser.parse_args()


def main():
    options = parse_arguments()
    options.pictures = options.pictures or Path(find_spec("skimage").origin).parent / "data"
    torch.set_num_threads(1)
    if options.test:
        return report(options.test, options.pictures, options.seed)
    held_out = noisy_pairs(read_pictures(options.pictures, HELD_OUT), options.seed)
    model = train(read_pictures(options.pictures, TRAINING), held_out, options.steps, options.seed)
    export(model, options.out)


if __name__ == "__main__":
    main()
