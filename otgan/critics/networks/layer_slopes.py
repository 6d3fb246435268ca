"""Proven upper bounds on the Lipschitz constants of torch's own layers, each alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from otgan.critics.networks.convolution_norm import convolution_norm
from otgan.critics.networks.norms import spectral_norms

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JOINED", "is_torchs", "layer_slope", "multiplier_slope", "rounded_up"]

# Greatest derivatives, rounded up. Layers that only copy or move numbers have 1.
SLOPES: dict[type[nn.Module], float] = {
    nn.Identity: 1.0,
    nn.Flatten: 1.0,
    nn.Unflatten: 1.0,
    nn.CELU: 1.0,
    nn.ReLU: 1.0,
    nn.ReLU6: 1.0,
    nn.Hardtanh: 1.0,
    nn.Tanh: 1.0,
    nn.Softsign: 1.0,
    nn.Softplus: 1.0,
    nn.LogSigmoid: 1.0,
    nn.Softshrink: 1.0,
    nn.Tanhshrink: 1.0,
    nn.Sigmoid: 0.25,
    nn.Hardsigmoid: 0.17,
    nn.GELU: 1.13,
    nn.SiLU: 1.1,
    nn.Mish: 1.09,
    nn.SELU: 1.76,
    nn.Hardswish: 1.5,
}
JOINED = 20.0  # torch's softplus goes on as a line from there on: earlier, it jumps
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def layer_slope(layer: nn.Module, sample: Sequence[int]) -> float:
    """A bound for one of torch's own layers on samples of a shape; infinite for others.

    It is one for the function that the weights define in exact arithmetic, in evaluation mode.

    Parameters
    ----------
    layer : torch.nn.Module
    sample : sequence of int
        The shape of what comes in, without the batch.

    Examples
    --------
    >>> layer_slope(nn.MaxPool2d(2), (3, 8, 8)), layer_slope(nn.GELU(), (4,)), layer_slope(nn.LayerNorm(4), (4,))
    (1.0, 1.13, inf)
    """
    it: Any = layer
    if (is_torchs(layer, nn.CELU) and it.alpha < 0) or (is_torchs(layer, nn.Softplus) and it.threshold < JOINED):
        return math.inf
    for kind, slope in SLOPES.items():
        if is_torchs(layer, kind):
            return slope
    if is_torchs(layer, nn.Linear):
        return float(spectral_norms(it.weight[None]))
    if is_torchs(layer, nn.LeakyReLU):
        return max(1.0, multiplier_slope(it.negative_slope))
    if is_torchs(layer, nn.PReLU):
        return max(1.0, multiplier_slope(it.weight))
    if is_torchs(layer, nn.ELU):
        return max(1.0, multiplier_slope(it.alpha))
    if any(is_torchs(layer, kind) for kind in DROPOUTS):
        return math.inf if layer.training else 1.0
    if any(is_torchs(layer, kind) for kind in NORMS):
        return _batch_norm(it)
    if is_torchs(layer, nn.Conv1d) or is_torchs(layer, nn.Conv2d):
        return _convolution(it, sample)
    if is_torchs(layer, nn.AvgPool2d):
        return _mean_pool(it)
    if is_torchs(layer, nn.MaxPool2d):
        return _max_pool(it)
    return 1.0 if is_torchs(layer, nn.AdaptiveAvgPool2d) and it.output_size in (1, (1, 1)) else math.inf


def is_torchs(layer: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether a module computes what torch's of this kind does: a subclass may do anything else, and so may hooks."""
    own = type(layer).forward is kind.forward and "forward" not in vars(layer)
    return own and not (layer._forward_hooks or layer._forward_pre_hooks)


def multiplier_slope(numbers: Any) -> float:
    """The largest size of numbers that are multiplied by; float32 multiplies by what it can hold of them."""
    if isinstance(numbers, torch.Tensor):
        return float(numbers.detach().double().abs().max()) if numbers.numel() else 0.0
    with np.errstate(over="ignore"):
        return max(abs(float(numbers)), abs(float(np.float32(numbers))))


def rounded_up(number: float) -> float:
    """The next float: at least what was rounded to nearest."""
    return math.nextafter(number, math.inf)


def _batch_norm(layer: Any) -> float:
    """``|gamma| / sqrt(var + eps)`` with the running variance; infinite where batches are normalised by themselves."""
    if layer.training or layer.running_var is None:
        return math.inf
    spread = layer.running_var.detach().double() + layer.eps
    gamma = torch.ones_like(spread) if layer.weight is None else layer.weight.detach().double()
    found = (gamma.abs() / spread.sqrt()).max()
    return float(found) * (1 + 2.0**-50) if bool(found.isfinite()) else math.inf


def _convolution(layer: Any, sample: Sequence[int]) -> float:
    """A bound on the spectral norm: that of a circular convolution of the padded images, of which this is a part."""
    kernel, strides = layer.weight.detach().double(), layer.stride
    if kernel.ndim == 3:  # along a line: along the rows of images whose other rows are zero
        kernel, strides, sample = kernel[:, :, None], (strides[0], strides[0]), (sample[0], 1, *sample[1:])
    stride = int(strides[0])
    if layer.padding_mode != "zeros" or len(set(strides)) > 1 or len(sample) != 3:
        return math.inf
    dilation = (1, *layer.dilation)[-2:]
    reach = [spread * (size - 1) + 1 for spread, size in zip(dilation, kernel.shape[2:], strict=True)]
    spread_out = kernel.new_zeros(*kernel.shape[:2], *reach)
    spread_out[:, :, :: dilation[0], :: dilation[1]] = kernel
    side = [
        -(-max(pixels + around, size) // stride) * stride
        for pixels, around, size in zip(sample[1:], _around(layer, reach), reach, strict=True)
    ]
    groups = spread_out.chunk(layer.groups)
    return max(convolution_norm(group, tuple(side), stride) for group in groups)


def _around(layer: Any, reach: Sequence[int]) -> list[int]:
    """The pixels of zeros that are added to each side of an image, both ends together."""
    if layer.padding == "same":
        return [size - 1 for size in reach]
    if layer.padding == "valid":
        return [0, 0]
    return [0, *(2 * int(pixels) for pixels in layer.padding)][-2:]


def _mean_pool(layer: Any) -> float:
    """The root of the largest row sum times the largest column sum of what is multiplied by."""
    kernel, strides = _pair(layer.kernel_size), _pair(layer.stride)
    if layer.ceil_mode or layer.divisor_override or (any(_pair(layer.padding)) and not layer.count_include_pad):
        return math.inf
    windows = math.prod(-(-size // stride) for size, stride in zip(kernel, strides, strict=True))
    return 1.0 if windows >= math.prod(kernel) else rounded_up(math.sqrt(windows / math.prod(kernel)))


def _max_pool(layer: Any) -> float:
    """The root of how many windows a pixel may be in."""
    kernel, strides = _pair(layer.kernel_size), _pair(layer.stride)
    apart = strides if _pair(layer.dilation) == (1, 1) else (1, 1)
    windows = math.prod(-(-size // stride) for size, stride in zip(kernel, apart, strict=True))
    return rounded_up(math.sqrt(windows)) if windows > 1 else 1.0


def _pair(size: Any) -> tuple[int, int]:
    return (int(size[0]), int(size[1])) if isinstance(size, tuple | list) else (int(size), int(size))
