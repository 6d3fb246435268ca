"""The structure of a network of the user's, which a checkpoint keeps to recognise it: classes and settings, no code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

__all__ = ["check_same", "structure"]

Structure = dict[str, str]  # the name of each layer, "" for the whole -> its class, and the settings of torch's own


def structure(network: nn.Module) -> Structure:
    """The class of every layer by its name, with the settings of torch's own layers as their ``repr`` shows them.

    Examples
    --------
    >>> from torch import nn
    >>> structure(nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2)))
    {'': 'Sequential', '0': 'Linear(in_features=2, out_features=3, bias=True)', '1': 'LeakyReLU(negative_slope=0.2)'}
    """
    return {name: _described(layer) for name, layer in network.named_modules()}


def _described(layer: nn.Module) -> str:
    kind = type(layer)
    # What a user's class shows of itself may be anything, such as an address or numbers that training changes.
    settings = layer.extra_repr() if kind.__module__.partition(".")[0] == "torch" else ""
    return f"{kind.__name__}({re.sub(r' at 0x[0-9a-f]+', '', settings)})" if settings else kind.__name__


def check_same(
    role: str, network: nn.Module, kept: Mapping[str, str], weights: Mapping[str, torch.Tensor], prefix: str
) -> None:
    """Refuse a network that differs from that of a checkpoint.

    Parameters
    ----------
    role : {"generator", "critic"}
    network : torch.nn.Module
    kept : dict of str to str
        The :func:`structure` in the checkpoint.
    weights : dict of str to tensor
        Those in the checkpoint, each with ``prefix`` before its name.
    prefix : str

    Raises
    ------
    InvalidInput
        That names the first difference.
    """
    ours = structure(network)
    shapes, kept_shapes = _shapes(network.state_dict(), ""), _shapes(weights, prefix)
    found = _difference(ours, kept, "layer") or _difference(shapes, kept_shapes, "weight")
    if found is not None:
        raise InvalidInput(
            f"{role} must be the network that the run has trained, but {found}. Pass the same module or function."
        )


def _difference(ours: Mapping[str, str], kept: Mapping[str, str], what: str) -> str | None:
    """What differs first; None if nothing does."""
    for name in dict.fromkeys([*kept, *ours]):
        part = f"its {what} {name!r}" if name else "it"
        if name not in ours:
            return f"{part}, {kept[name]}, is missing"
        if name not in kept:
            return f"{part}, {ours[name]}, was not there"
        if ours[name] != kept[name]:
            return f"{part} was {kept[name]} and is {ours[name]}"
    return None


def _shapes(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): f"of shape {tuple(value.shape)}" for name, value in tensors.items()}
