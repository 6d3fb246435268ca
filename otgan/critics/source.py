"""Where a critic's batches come from: a fixed sample, or a population that can be drawn from again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import torch

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Population", "Sample", "Source", "batches", "source"]


class Source(Protocol):
    """One side of the data."""

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Give n points for a step, float32 (n, d), centred."""
        ...

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Give n different points, or all where there are fewer, float32 (k, d), centred."""
        ...

    def evaluation(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """The points that an estimate is an average over, (k, d), not centred."""
        ...

    @property
    def size(self) -> int | None:
        """How many points there are; None for a population."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Fixed points (n, d), drawn from with replacement; estimates are averages over all of them."""

    points: NDArray[np.float64]
    centred: torch.Tensor

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n of the points, with replacement."""
        index = torch.randint(len(self.centred), (n,), generator=generator, device=self.centred.device)
        return self.centred[index]

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """All points if they are at most n, else n of them without replacement."""
        if self.size <= n:
            return self.centred
        return self.centred[torch.randperm(self.size, generator=generator, device=self.centred.device)[:n]]

    def evaluation(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """All points."""
        return self.points

    @property
    def size(self) -> int:
        """How many points there are."""
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Population:
    """A sampler ``sampler(n, generator) -> (n, d)``; estimates are averages over fresh draws."""

    sampler: Callable[[int, torch.Generator], torch.Tensor]
    name: str
    device: torch.device

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n fresh points."""
        drawn = self.sampler(n, generator)
        if not isinstance(drawn, torch.Tensor) or drawn.ndim != 2 or len(drawn) != n:
            came = f"shape {tuple(drawn.shape)}" if isinstance(drawn, torch.Tensor) else type(drawn).__name__
            raise InvalidInput(
                f"the sampler {self.name} must return a tensor of shape (n, d), n = {n} here, but {came} came."
            )
        if not bool(drawn.isfinite().all()):
            raise InvalidInput(f"the sampler {self.name} must return finite numbers, but NaN or inf came.")
        return drawn.to(self.device, torch.float32)

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n fresh points."""
        return self.batch(n, generator)

    def evaluation(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """Draw n fresh points."""
        return self.batch(n, generator).double().cpu().numpy()

    @property
    def size(self) -> None:
        """A population never ends."""


def batches(side: Source, n: int, generators: Sequence[torch.Generator], *, whole: bool = False) -> torch.Tensor:
    """One batch for each generator, (S, n, d); with ``whole`` a sample is not drawn from if it has no more points."""
    if isinstance(side, Sample) and whole:
        return torch.stack([side.some(n, generator) for generator in generators])
    if isinstance(side, Sample):
        index = [torch.randint(side.size, (n,), generator=g, device=side.centred.device) for g in generators]
        return side.centred[torch.stack(index)]
    return torch.stack([side.batch(n, generator) for generator in generators])


def source(given: Any, name: str, center: NDArray[np.float64] | None, device: torch.device) -> Source:
    """``given`` as a source: a callable is a population, anything else a fixed sample."""
    from otgan.critics.critic import prepare

    if callable(given) and not inputs.is_tensor(given):
        return Population(cast("Callable[[int, torch.Generator], torch.Tensor]", given), name, device)
    points = inputs.points(given, name)
    origin = np.zeros(points.shape[1]) if center is None else center
    return Sample(points, prepare(points, origin, device))
