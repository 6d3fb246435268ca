"""A proven upper bound on the spectral norm of a convolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from otgan.critics.networks.norms import UNIT_ROUNDOFF, spectral_norms

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["convolution_norm"]

ENTRIES = 2**23  # of the matrices that are held at a time


@torch.no_grad()
def convolution_norm(kernel: torch.Tensor, side: tuple[int, ...], stride: int) -> float:
    """A proven upper bound on the spectral norm of a circular convolution on images of a size.

    A convolution with a stride acts on the ``stride ** 2`` images of every stride-th pixel as one without stride, and
    the Fourier transform makes it a small matrix for each frequency (Sedghi, Gupta & Long 2019). The few terms of a
    kernel are summed one by one, since the error of that is known, as it is not of a library's fast transform.

    Examples
    --------
    >>> round(convolution_norm(torch.ones(1, 1, 2, 2), (4, 4), 2), 6)
    2.0
    """
    terms = _by_phase(kernel.detach().double(), stride)  # (out, into * stride^2, p * q)
    angles = _angles(kernel.shape[2:], side, stride).to(kernel.device)  # (frequencies, p * q)
    # An angle up to 4 pi is off by 50 u at most, its cosine by 2 u more, and a sum of t terms by t u of their sizes.
    wrong = (64 + terms.shape[2]) * UNIT_ROUNDOFF * terms.abs().sum(dim=2).norm()
    at_once = max(1, ENTRIES // (4 * terms.shape[0] * terms.shape[1]))
    return max(float(spectral_norms(_at(part, terms), apart=2 * wrong).max()) for part in angles.split(at_once))


def _at(angles: torch.Tensor, terms: torch.Tensor) -> torch.Tensor:
    """The matrices at some frequencies, as real ones of twice the size, which have the same norm."""
    real, imaginary = (torch.einsum("oit,ft->foi", terms, wave) for wave in (angles.cos(), angles.sin()))
    return torch.cat([torch.cat([real, -imaginary], dim=2), torch.cat([imaginary, real], dim=2)], dim=1)


def _by_phase(kernel: torch.Tensor, stride: int) -> torch.Tensor:
    """A kernel (out, into, h, w) as kernels of the images of every stride-th pixel, (out, into * stride^2, p * q)."""
    height, width = kernel.shape[2:]
    padded = nn.functional.pad(kernel, (0, -width % stride, 0, -height % stride))
    parts = padded.unflatten(3, (-1, stride)).unflatten(2, (-1, stride))  # (out, into, p, stride, q, stride)
    return parts.permute(0, 1, 3, 5, 2, 4).flatten(4).flatten(1, 3)


def _angles(kernel: Sequence[int], side: Sequence[int], stride: int) -> torch.Tensor:
    """What each term of a kernel is turned by at each frequency, (frequencies, terms); conjugates are left out."""
    turns = []
    for size, pixels, half in ((kernel[0], side[0], False), (kernel[1], side[1], True)):
        period = pixels // stride
        frequency = torch.arange(period // 2 + 1 if half else period)
        turns.append((frequency[:, None] * torch.arange(-(-size // stride)) % period).double() / period)
    rows, cols = turns
    return 2 * math.pi * (rows[:, None, :, None] + cols[None, :, None, :]).flatten(2).flatten(0, 1)
