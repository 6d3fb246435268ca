"""DCGAN (Radford, Metz & Chintala 2016), for 32 x 32 and 64 x 64 pixels."""

from __future__ import annotations

from torch import nn

from otgan.errors import InvalidInput
from otgan.gan.networks.blocks import dcgan_init, norm

__all__ = ["check", "critic", "generator"]

DOUBLINGS = {32: 2, 64: 3}  # of channels, by the side in pixels


def check(shape: tuple[int, ...]) -> None:
    """Refuse anything but images of 32 x 32 or 64 x 64 pixels."""
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] not in DOUBLINGS:
        raise InvalidInput(
            f"network 'dcgan' makes images of 32 x 32 or 64 x 64 pixels, but the samples have shape {shape}. Resize "
            "them, or use network 'resnet', 'mlp' or 'auto'."
        )


def generator(latent: int, width: int, shape: tuple[int, ...]) -> nn.Module:
    """Transposed convolutions that double the side from 4 pixels on, batch norm and ReLU between, tanh at the end."""
    channels = width * 2 ** DOUBLINGS[shape[1]]
    layers: list[nn.Module] = [
        nn.Unflatten(1, (latent, 1, 1)),
        nn.ConvTranspose2d(latent, channels, 4, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]
    for _ in range(DOUBLINGS[shape[1]]):
        layers += [
            nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(),
        ]
        channels //= 2
    return dcgan_init(nn.Sequential(*layers, nn.ConvTranspose2d(channels, shape[0], 4, 2, 1), nn.Tanh()))


def critic(width: int, shape: tuple[int, ...], *, batch_norm: bool) -> nn.Module:
    """Convolutions that halve the side down to 4 pixels, LeakyReLU, batch norm (not on the first) or none."""
    layers: list[nn.Module] = [nn.Conv2d(shape[0], width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    channels = width
    for _ in range(DOUBLINGS[shape[1]]):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=not batch_norm),
            *norm(2 * channels, batch_norm),
            nn.LeakyReLU(0.2),
        ]
        channels *= 2
    return dcgan_init(nn.Sequential(*layers, nn.Conv2d(channels, 1, 4)))
