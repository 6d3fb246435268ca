"""ResNet after WGAN-GP (Gulrajani et al. 2017, appendix F), but smaller, for any side that halves."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from otgan.gan.networks.blocks import ConvToFew, halvings, norm

__all__ = ["check", "critic", "generator"]


def check(shape: tuple[int, ...]) -> None:
    """Refuse images whose sides are odd or smaller than 8 pixels."""
    halvings(shape, "resnet")


def generator(latent: int, width: int, shape: tuple[int, ...]) -> nn.Module:
    """A dense layer, blocks that double the side, batch norm, ReLU, a 3 x 3 convolution and tanh."""
    times = halvings(shape, "resnet")
    height, broad = shape[1] >> times, shape[2] >> times
    return nn.Sequential(
        nn.Linear(latent, width * height * broad),
        nn.Unflatten(1, (width, height, broad)),
        *(Block(width, scale=2, batch_norm=True) for _ in range(times)),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        ConvToFew(width, shape[0], 3),
        nn.Tanh(),
    )


def critic(width: int, shape: tuple[int, ...], *, batch_norm: bool) -> nn.Module:
    """A 3 x 3 convolution, blocks that halve the side, one more, ReLU, the mean over pixels, and a dense layer."""
    return nn.Sequential(
        nn.Conv2d(shape[0], width, 3, padding=1),
        *(Block(width, scale=0.5, batch_norm=batch_norm) for _ in range(halvings(shape, "resnet"))),
        Block(width, scale=1, batch_norm=batch_norm),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 1),
    )


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, each after a ReLU; the sides grow or shrink by ``scale``."""

    def __init__(self, channels: int, scale: float, batch_norm: bool) -> None:
        super().__init__()
        self.scale = scale
        self.first = nn.Sequential(*norm(channels, batch_norm), nn.ReLU())
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Sequential(*norm(channels, batch_norm), nn.ReLU())
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(k, c, h, w) -> (k, c, scale h, scale w)."""
        h = self.first(x)
        if self.scale > 1:
            h, x = interpolate(h, scale_factor=2), interpolate(x, scale_factor=2)
        h = self.conv2(self.second(self.conv1(h)))
        return avg_pool2d(h, 2) + avg_pool2d(x, 2) if self.scale < 1 else h + x
