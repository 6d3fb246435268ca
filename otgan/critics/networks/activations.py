"""1-Lipschitz activation functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ACTIVATIONS", "Activation", "activation", "check_activation"]

GROUP = 4  # units that "groupsort" sorts among themselves


@dataclass(frozen=True)
class Kind:
    """A function of (..., width), 1-Lipschitz in the Euclidean norm; ``width`` must be a multiple of ``multiple``."""

    function: Callable[[torch.Tensor], torch.Tensor]
    multiple: int = 1


def maxmin(h: torch.Tensor) -> torch.Tensor:
    """Each pair (h_i, h_{i + width/2}) in order (Anil, Lucas & Grosse 2019): a permutation, so it keeps norms.

    Examples
    --------
    >>> maxmin(torch.tensor([1.0, 5.0, 3.0, 4.0])).tolist()
    [3.0, 5.0, 1.0, 4.0]
    """
    first, second = h.chunk(2, dim=-1)
    rise = torch.relu(second - first)  # one kink to differentiate instead of two, and a permutation at ties as well
    return torch.cat([first + rise, second - rise], dim=-1)


def groupsort(h: torch.Tensor) -> torch.Tensor:
    """Sort each group of four units."""
    return h.unflatten(-1, (-1, GROUP)).sort(dim=-1).values.flatten(-2)


def fullsort(h: torch.Tensor) -> torch.Tensor:
    """Sort all units."""
    return h.sort(dim=-1).values


ACTIVATIONS: dict[str, Kind] = {
    "relu": Kind(torch.relu),
    "abs": Kind(torch.abs),
    "maxmin": Kind(maxmin, multiple=2),
    "groupsort": Kind(groupsort, multiple=GROUP),
    "fullsort": Kind(fullsort),
}


class Activation(nn.Module):
    """One of :data:`ACTIVATIONS` as a layer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.function = ACTIVATIONS[name].function

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(..., width) -> (..., width)."""
        return self.function(h)

    def lipschitz(self) -> torch.Tensor:
        """One, whatever the units hold."""
        return torch.ones((), dtype=torch.float64)


def activation(name: str) -> Activation:
    """The activation called ``name``, a fresh layer."""
    return Activation(name)


def check_activation(name: str, width: int, names: tuple[str, ...]) -> None:
    """Refuse an activation that is not one of ``names``, or that does not divide ``width``."""
    multiple = ACTIVATIONS[inputs.choice(name, "activation", names)].multiple
    if width % multiple:
        raise InvalidInput(f"activation {name!r} needs a width that is a multiple of {multiple}, but width is {width}.")
