"""Several processes that train one GAN, each on its part of every batch.

All of them draw the same random numbers for the whole batch and take their part, and gradients are averaged before a
step, so that their weights stay the same: they compute what one process computes, but for rounding. Gradients are
averaged by hand and not by DistributedDataParallel, whose hooks know nothing of a penalty that is differentiated twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from otgan.critics import torch_device

if TYPE_CHECKING:
    from torch import nn

    from otgan.gan.config import Config

__all__ = ["ALONE", "Team"]


@dataclass(frozen=True)
class Team:
    """One process among those that train the same GAN.

    Attributes
    ----------
    rank, size : int
        Its number, counted from 0, and how many there are.
    fabric : lightning_fabric.Fabric or None
        What they talk through; None for one alone.
    """

    rank: int = 0
    size: int = 1
    fabric: Any = None

    @property
    def leads(self) -> bool:
        """Whether this is the process that measures and writes."""
        return self.rank == 0

    def device(self, config: Config) -> torch.device:
        """Where this process trains."""
        return torch_device(config.device) if self.fabric is None else self.fabric.device

    def meet(self) -> None:
        """Wait until all have come here."""
        if self.fabric is not None:
            self.fabric.barrier()

    def part(self, whole: torch.Tensor) -> torch.Tensor:
        """What of a batch this process works on.

        Examples
        --------
        >>> Team(rank=1, size=2).part(torch.arange(4))
        tensor([2, 3])
        """
        return whole if self.size == 1 else whole.chunk(self.size)[self.rank]

    def average(self, *tensors: torch.Tensor) -> None:
        """Put the mean over processes into tensors, in one message."""
        if self.size == 1:
            return
        flat = self.fabric.all_reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduce_op="mean")
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def average_gradients(self, network: nn.Module) -> None:
        """Give each parameter the mean of the gradients that the processes found."""
        self.average(*(parameter.grad for parameter in network.parameters() if parameter.grad is not None))


ALONE = Team()
