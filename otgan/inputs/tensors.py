"""Torch tensors and datasets, recognised without importing torch."""

from __future__ import annotations

import sys
from typing import Any

from otgan.errors import InvalidInput

__all__ = [
    "device_name",
    "floating",
    "has_tangent",
    "is_dataset",
    "is_tensor",
    "like",
    "representable",
    "wants_gradient",
]


def is_tensor(x: object) -> bool:
    """Whether ``x`` is a torch tensor, found out without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch" and hasattr(x, "detach")


def is_dataset(x: object) -> bool:
    """Whether ``x`` is a dataset or a loader of torch, found out without importing torch."""
    return any(base.__module__.startswith("torch.utils.data") for base in type(x).__mro__)


def wants_gradient(x: Any) -> bool:
    """Whether ``x`` is a torch tensor that takes part in differentiation, in reverse or in forward mode."""
    return is_tensor(x) and (x.requires_grad or has_tangent(x))


def has_tangent(tensor: Any) -> bool:
    """Whether a torch tensor takes part in differentiation in forward mode."""
    return sys.modules["torch"].autograd.forward_ad.unpack_dual(tensor).tangent is not None


def floating(tensor: Any) -> Any:
    """``tensor`` itself, or as doubles if it holds whole numbers, which could not hold a distance."""
    return tensor if tensor.is_floating_point() else tensor.double()


def like(tensor: Any, values: Any) -> Any:
    """``values`` as a tensor of the dtype and on the device of ``tensor``, if they stay finite there."""
    return representable(floating(tensor).new_tensor(values))


def representable(distances: Any) -> Any:
    """``distances``, a tensor of the user's dtype, which float64 has numbers for that float16 and float32 have not.

    Raises
    ------
    InvalidInput
        If one of them is beyond the largest number of the dtype.
    """
    if distances.detach().isinf().any():
        largest = sys.modules["torch"].finfo(distances.dtype).max
        raise InvalidInput(
            f"the distance leaves {distances.dtype}, whose largest number is {largest:.6g}. Rescale the points, or "
            "pass them as float64: x.double()."
        )
    return distances


def device_name(device: Any) -> Any:
    """A ``torch.device`` as its name; anything else as it is."""
    return str(device) if type(device).__module__ == "torch" and type(device).__name__ == "device" else device
