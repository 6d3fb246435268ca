"""A convolutional critic of images with a proven Lipschitz constant."""

from __future__ import annotations

import math
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from otgan import inputs
from otgan.critics.networks.activations import maxmin
from otgan.critics.networks.convolution_norm import convolution_norm
from otgan.critics.networks.feedforward import feedforward
from otgan.critics.networks.layers import CachedWeight, Orthogonal
from otgan.critics.networks.norms import product_bound
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OrthogonalConvolution", "orthogonal_conv"]

STRIDE = 2  # pixels from one place of a kernel to the next


def orthogonal_conv(
    shape: Sequence[int] = (1, 28, 28),
    channels: Sequence[int] = (16, 32),
    kernel_size: int = 4,
    width: int = 64,
    depth: int = 1,
) -> nn.Module:
    """Orthogonal convolutions that halve the image, MaxMin, then orthonormal layers: 1-Lipschitz, and certified.

    Parameters
    ----------
    shape : (int, int, int), default (1, 28, 28)
        Channels, height and width of the images; a point holds them in this order. Height and width must halve evenly,
        once for each convolution.
    channels : sequence of even int, default (16, 32)
        Of each convolution.
    kernel_size : int, default 4
        At least 2.
    width, depth : int, default 64 and 1
        Units and number of the orthonormal layers that follow.

    Returns
    -------
    torch.nn.Module
        From flattened points (k, d) to (k, 1), with initial weights from torch's global generator: pass
        ``network=lambda d: orthogonal_conv(...)`` to :func:`otgan.critics.fit`, which seeds it.

    Raises
    ------
    InvalidInput
        For sizes that do not fit.
    OTError
        If orthogonium is not installed.

    References
    ----------
    Boissin et al., An Adaptive Orthogonal Convolution Scheme for Efficient and Flexible CNN Architectures (2025),
    arXiv:2501.07930. Li et al., Preventing Gradient Attenuation in Lipschitz Constrained Convolutional Networks (2019).

    Examples
    --------
    >>> from otgan.critics.networks import certified_lipschitz
    >>> network = orthogonal_conv((1, 8, 8), channels=(4,), width=8).eval()
    >>> network(torch.zeros(3, 64)).shape
    torch.Size([3, 1])
    >>> certified_lipschitz(network) <= 1 + 1e-5
    True
    """
    sizes = [inputs.count(size, "shape") for size in shape]
    counts = [inputs.count(channel, "channels", low=2) for channel in channels]
    kernel_size = inputs.count(kernel_size, "kernel_size", low=STRIDE)
    smallest = STRIDE ** len(counts)
    if len(sizes) != 3 or any(size % smallest or size // smallest * STRIDE < kernel_size for size in sizes[1:]):
        raise InvalidInput(
            f"shape must be (channels, height, width) with sides that halve evenly {len(counts)} times and never "
            f"get smaller than the kernel, but {tuple(shape)} came. Use fewer convolutions, or pad the images."
        )
    if any(channel % 2 for channel in counts) or not counts:
        raise InvalidInput(f"channels must be even numbers, since MaxMin takes pairs, but {tuple(channels)} came.")
    width, depth = inputs.count(width, "width", low=2), inputs.count(depth, "depth")
    return ImageCritic((sizes[0], sizes[1], sizes[2]), counts, kernel_size, width, depth)


class ImageCritic(nn.Module):
    """See :func:`orthogonal_conv`."""

    def __init__(self, shape: tuple[int, int, int], channels: list[int], kernel: int, width: int, depth: int) -> None:
        super().__init__()
        self.shape = shape
        layers, side = [], shape
        for channel in channels:
            layers.append(OrthogonalConvolution(side, channel, kernel))
            side = (channel, side[1] // STRIDE, side[2] // STRIDE)
        self.convolutions = nn.ModuleList(layers)
        generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        self.dense = feedforward(Orthogonal, math.prod(side), width, depth, "maxmin", generator)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """(k, d) -> (k, 1)."""
        h = points.reshape(-1, *self.shape)
        for layer in self.convolutions:
            h = maxmin(layer(h).movedim(1, -1)).movedim(-1, 1)
        return self.dense(h.flatten(1)[None]).T

    def lipschitz(self) -> torch.Tensor:
        """The product over all layers, (1,)."""
        bound = self.dense.lipschitz()
        for layer in self.convolutions:
            bound = product_bound(bound.cpu(), layer.lipschitz())  # type: ignore[operator]
        return bound


# orthogonium makes a kernel under the switch of torch.nn.utils.parametrize.cached, which all threads share: another one
# that made its own meanwhile would find it in the cache at its next step, with a graph that is freed.
MAKING_A_KERNEL = Lock()


class OrthogonalConvolution(CachedWeight):
    """A convolution with stride two and circular padding; orthogonium makes its kernel, this class certifies it.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of what comes in.
    channels : int
        Of what goes out, at half the height and width.
    kernel_size : int
    """

    def __init__(self, shape: tuple[int, int, int], channels: int, kernel_size: int) -> None:
        super().__init__()
        with optional_dependency("orthogonium", "conv", "A convolutional 1-Lipschitz critic"):
            from orthogonium.layers.conv.AOC.ortho_conv import AdaptiveOrthoConv2d
        self.side = shape[1:]
        before = (kernel_size - STRIDE) // 2
        self.padding = (before, kernel_size - STRIDE - before) * 2
        self.layer: Any = AdaptiveOrthoConv2d(shape[0], channels, kernel_size, stride=STRIDE, padding=0)

    def kernel(self) -> torch.Tensor:
        """What is convolved with, (channels out, channels in, kernel, kernel); certified in evaluation mode."""
        return self.once(self._made if self.training else self._certified)

    def _made(self) -> torch.Tensor:
        with MAKING_A_KERNEL:
            return self.layer.weight

    @torch.no_grad()
    def _certified(self) -> torch.Tensor:
        kernel = self._made().double()
        return (kernel / max(1.0, convolution_norm(kernel, self.side, STRIDE))).to(self.layer.bias.dtype)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(k, c, h, w) -> (k, channels, h / 2, w / 2)."""
        padded = nn.functional.pad(images, self.padding, mode="circular")
        return nn.functional.conv2d(padded, self.kernel(), self.layer.bias, stride=STRIDE)

    def lipschitz(self) -> torch.Tensor:
        """A proven bound on the spectral norm."""
        return torch.tensor(convolution_norm(self.kernel().detach(), self.side, STRIDE), dtype=torch.float64)
