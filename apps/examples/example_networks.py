# SPDX-License-Identifier: Apache-2.0
"""Definitions of the example networks that are not in torchvision."""

import torch
from torch import nn


def conv_block(convolution, norm, in_channels, out_channels):
    """Two blocks of convolution, normalisation and ReLU."""
    layers = []
    for a in (in_channels, out_channels):
        layers += [convolution(a, out_channels, 3, padding=1, bias=False), norm(out_channels), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Ronneberger et al. (2015) and Cicek et al. (2016), with padded convolutions: sizes must be multiples of 2^levels."""

    def __init__(self, layers, in_channels, out_channels, width, levels):
        super().__init__()
        convolution, transposed, norm, pool = layers
        widths = [width << k for k in range(levels + 1)]
        self.down = nn.ModuleList(conv_block(convolution, norm, a, b) for a, b in zip([in_channels] + widths, widths))
        self.pool = pool(2)
        self.enlarge = nn.ModuleList(transposed(2 * a, a, 2, stride=2) for a in reversed(widths[:-1]))
        self.up = nn.ModuleList(conv_block(convolution, norm, 2 * a, a) for a in reversed(widths[:-1]))
        self.last = convolution(width, out_channels, 1)

    def forward(self, image):
        skips = [self.down[0](image)]
        for block in self.down[1:]:
            skips.append(block(self.pool(skips[-1])))
        x = skips.pop()
        for enlarge, block in zip(self.enlarge, self.up):
            x = block(torch.cat((skips.pop(), enlarge(x)), dim=1))
        return self.last(x)


class UNet2d(UNet):
    def __init__(self, width=32):
        super().__init__((nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.MaxPool2d), 1, 2, width, levels=4)


class UNet3d(UNet):
    def __init__(self, width=8):
        super().__init__((nn.Conv3d, nn.ConvTranspose3d, nn.BatchNorm3d, nn.MaxPool3d), 1, 3, width, levels=3)


class ResidualBlock(nn.Module):
    """Residual block: twice group normalisation, SiLU and convolution."""

    def __init__(self, in_channels, out_channels, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, in_channels, eps=1e-6)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, out_channels, eps=1e-6)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        self.silu = nn.SiLU()

    def forward(self, x):
        y = self.conv1(self.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(self.silu(self.norm2(y)))


class Attention(nn.Module):
    """Single-head self-attention over all positions."""

    def __init__(self, channels, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.query, self.key, self.value, self.last = (nn.Conv2d(channels, channels, 1) for _ in range(4))
        self.scale = channels**-0.5

    def forward(self, x):
        y = self.norm(x)
        query, key, value = (layer(y).flatten(2) for layer in (self.query, self.key, self.value))  # n, c, positions
        weights = torch.softmax(self.scale * (query.transpose(1, 2) @ key), dim=-1)
        return x + self.last((value @ weights.transpose(1, 2)).reshape(x.shape))


class VaeDecoder(nn.Module):
    """After the decoder of Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (2022): upsamples 8 times."""

    def __init__(self, width=64, groups=32, has_attention=False):
        super().__init__()
        widths = [4 * width, 4 * width, 2 * width, width]
        self.quantised = nn.Conv2d(4, 4, 1)
        self.first = nn.Conv2d(4, widths[0], 3, padding=1)
        middle = [ResidualBlock(widths[0], widths[0], groups) for _ in range(2)]
        if has_attention:
            middle.insert(1, Attention(widths[0], groups))
        blocks = []
        for k, (a, b) in enumerate(zip([widths[0]] + widths, widths)):
            blocks += [ResidualBlock(a if i == 0 else b, b, groups) for i in range(3)]
            if k < 3:
                blocks += [nn.Upsample(scale_factor=2.0, mode="nearest"), nn.Conv2d(b, b, 3, padding=1)]
        self.body = nn.Sequential(*middle, *blocks)
        self.last = nn.Sequential(nn.GroupNorm(groups, width, eps=1e-6), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, latent):
        return self.last(self.body(self.first(self.quantised(latent))))


class CosmoFlow(nn.Module):
    """After Mathuriya et al., "CosmoFlow" (2018): regression of four values from a 128^3 cube of four channels."""

    def __init__(self, width=16, size=128):
        super().__init__()
        layers, channels = [], 4
        for k in range(5):
            layers += [nn.Conv3d(channels, width << k, 3, padding=1), nn.LeakyReLU(0.01), nn.MaxPool3d(2)]
            channels = width << k
        elems = channels * (size // 32) ** 3
        layers += [nn.Flatten(), nn.Linear(elems, 128), nn.LeakyReLU(0.01), nn.Dropout()]
        layers += [nn.Linear(128, 64), nn.LeakyReLU(0.01), nn.Dropout(), nn.Linear(64, 4)]
        self.body = nn.Sequential(*layers)

    def forward(self, volume):
        return self.body(volume)


class Segmentation(nn.Module):
    """The scores of a torchvision segmentation network, which returns a dictionary."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)["out"]


def deeplab():
    import torchvision

    return Segmentation(torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None))


def mobilevit():
    import timm

    return timm.create_model("mobilevit_xs", pretrained=False)
