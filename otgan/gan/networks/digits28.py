"""Convolutional networks for 28 x 28 pixels: two strided convolutions, and two transposed ones."""

from __future__ import annotations

from torch import nn

from otgan.errors import InvalidInput
from otgan.gan.networks.blocks import ConvToFew, dcgan_init, norm

__all__ = ["check", "critic", "generator"]

LEAKY_SLOPE = 0.2  # below zero


def check(shape: tuple[int, ...]) -> None:
    """Refuse anything but images of 28 x 28 pixels."""
    if len(shape) != 3 or shape[1:] != (28, 28):
        raise InvalidInput(
            f"network 'digits28' makes images of 28 x 28 pixels, but the samples have shape {shape}. Use network "
            "'auto'."
        )


def generator(latent: int, width: int, shape: tuple[int, ...]) -> nn.Module:
    """Dense to ``2 width`` maps of 7 x 7, two transposed convolutions with batch norm, a 7 x 7 convolution, tanh."""
    wide = 2 * width
    return dcgan_init(
        nn.Sequential(
            nn.Linear(latent, wide * 7 * 7),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.Unflatten(1, (wide, 7, 7)),
            nn.ConvTranspose2d(wide, wide, 4, stride=2, padding=1),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.ConvTranspose2d(wide, wide, 4, stride=2, padding=1),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(LEAKY_SLOPE),
            ConvToFew(wide, shape[0], 7),
            nn.Tanh(),
        )
    )


def critic(width: int, shape: tuple[int, ...], *, batch_norm: bool) -> nn.Module:
    """Two 4 x 4 convolutions of stride 2 to ``width`` maps, each with batch norm or none, and a dense layer."""
    return dcgan_init(
        nn.Sequential(
            nn.Conv2d(shape[0], width, 4, stride=2, padding=1),
            *norm(width, batch_norm),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.Conv2d(width, width, 4, stride=2, padding=1),
            *norm(width, batch_norm),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.Flatten(),
            nn.Linear(width * 7 * 7, 1),
        )
    )
