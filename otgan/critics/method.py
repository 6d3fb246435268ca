"""The contract that every way to train a critic keeps.

A method is a small frozen object. Its fields are its options with their published defaults; its functions are the
places where methods differ: the network, the optimiser, the loss of a batch, what happens after a step, and what is
known about the bias of the estimate. The loop in :mod:`otgan.critics.fit` does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from otgan import inputs
from otgan.critics.networks import mlp
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Method"]


@dataclass(frozen=True)
class Method:
    """How to train a critic f so that ``E f(x) - E f(y)`` approaches W1 (Kantorovich-Rubinstein duality).

    Attributes
    ----------
    steps : int
        Optimiser steps.
    batch_size : int
        Points of each side in a step, drawn with replacement.
    learning_rate : float
    width, depth : int
        Hidden units and hidden layers of the default network.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]

    steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 1e-4
    width: int = 256
    depth: int = 3

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "width", "depth"):
            inputs.count(getattr(self, name), name)
        inputs.real(self.learning_rate, "learning_rate", low=0.0, high=1e3, open_low=True)

    @classmethod
    def with_options(cls, options: dict[str, Any]) -> Method:
        """The method with some of its fields set; an option that it does not have is refused by name."""
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise InvalidInput(
                    f"method {cls.name!r} has no option {name!r}; its options are {', '.join(sorted(known))}."
                )
        return cls(**options)

    def network(self, dimension: int) -> nn.Module:
        """A fresh critic network from (k, dimension) to (k, 1)."""
        return mlp(dimension, self.width, self.depth)

    def check_network(self, network: nn.Module) -> None:
        """Refuse a network that contradicts the method."""

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """The optimiser of the paper."""
        raise NotImplementedError  # pragma: no cover - the contract test covers every registered method

    def loss(self, critic: nn.Module, x: torch.Tensor, y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """What one step minimises, from batches (k, d) of both sides."""
        return critic(y).mean() - critic(x).mean()

    def after_step(self, network: nn.Module) -> None:
        """Bring the weights back into the method's set, where it has one."""

    def corrected(self, estimate: float) -> float | None:
        """The estimate without the bias that theory predicts for this method; None where nothing is known."""
        return None
