"""A process group: rank, barrier, shards of batches and means of gradients.

All processes draw the same random numbers for the whole batch, and each works on its shard. Gradients are averaged
before a step, so that all weights stay the same: the processes compute what one process computes, but for rounding.
Gradients are averaged by hand and not by DistributedDataParallel, whose hooks know nothing of a penalty that is
differentiated twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from otgan.runtime.device import torch_device

if TYPE_CHECKING:
    from torch import nn

__all__ = ["SINGLE_PROCESS", "ProcessGroup"]


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one GAN, as one of them sees them.

    Attributes
    ----------
    rank, size : int
        The number of this process, counted from 0, and how many there are.
    fabric : lightning_fabric.Fabric or None
        What they communicate through; None for a single process.
    """

    rank: int = 0
    size: int = 1
    fabric: Any = None

    @property
    def is_main(self) -> bool:
        """Whether this is the process that measures and writes."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """The device of this process: the named one where it is a single process."""
        return torch_device(name) if self.fabric is None else self.fabric.device

    def barrier(self) -> None:
        """Wait until all processes have come here."""
        if self.fabric is not None:
            self.fabric.barrier()

    def shard(self, batch: torch.Tensor) -> torch.Tensor:
        """The part of a batch that this process works on.

        Examples
        --------
        >>> ProcessGroup(rank=1, size=2).shard(torch.arange(4))
        tensor([2, 3])
        """
        return batch if self.size == 1 else batch.chunk(self.size)[self.rank]

    def average(self, *tensors: torch.Tensor) -> None:
        """All-reduce: replace tensors by their means over processes, in one message."""
        if self.size == 1:
            return
        flat = self.fabric.all_reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduce_op="mean")
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def agreed(self, answer: bool) -> bool:
        """The answer of the first process, in all of them."""
        return answer if self.size == 1 else bool(self.fabric.broadcast(answer))

    def average_gradients(self, network: nn.Module) -> None:
        """Replace gradients by their means over processes."""
        self.average(*(parameter.grad for parameter in network.parameters() if parameter.grad is not None))


SINGLE_PROCESS = ProcessGroup()
