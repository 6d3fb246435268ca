"""Sources of batches for a critic: a fixed sample, or a population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import torch

from otgan import frames, inputs
from otgan.critics.critic import prepare
from otgan.critics.scaling import Scaling
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Fewer", "Population", "Sample", "Source", "batches", "sources"]

PROBE = 1024  # points of a population that its scaling is estimated from


class Source(Protocol):
    """One side of the data."""

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Give n points for a step, float32 (n, d), scaled."""
        ...

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Give n different points, or all where there are fewer, float32 (k, d), scaled."""
        ...

    def evaluation(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """The points that an estimate is an average over, (k, d), as they came."""
        ...

    @property
    def size(self) -> int | None:
        """How many points there are; None for a population."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Fixed points (n, d), drawn from with replacement; estimates are averages over all of them."""

    points: NDArray[np.float64]
    scaled: torch.Tensor

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n of the points, with replacement."""
        index = torch.randint(len(self.scaled), (n,), generator=generator, device=self.scaled.device)
        return self.scaled[index]

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """All points if they are at most n, else n of them without replacement."""
        if self.size <= n:
            return self.scaled
        return self.scaled[torch.randperm(self.size, generator=generator, device=self.scaled.device)[:n]]

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

    sampler: Sampler
    scaling: Scaling
    device: torch.device

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n fresh points."""
        drawn = self.sampler.draw(n, generator)
        center = torch.as_tensor(self.scaling.center, dtype=drawn.dtype, device=drawn.device)
        return ((drawn - center) / self.scaling.unit).to(self.device, torch.float32)

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n fresh points."""
        return self.batch(n, generator)

    def evaluation(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """Draw n fresh points."""
        return self.sampler.points(n, generator)

    @property
    def size(self) -> None:
        """A population never ends."""


@dataclass(frozen=True, eq=False)
class Fewer:
    """A source of which no more than ``most`` different points are ever seen at once; batches are its own."""

    source: Source
    most: int

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """As the source gives it."""
        return self.source.batch(n, generator)

    def some(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Give n different points, or as many as there may be."""
        return self.source.some(min(n, self.most), generator)

    def evaluation(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """As the source gives them."""
        return self.source.evaluation(n, generator)

    @property
    def size(self) -> int | None:
        """How many points the source has."""
        return self.source.size


@dataclass(frozen=True)
class Sampler:
    """A user's function that draws points, with its name."""

    function: Callable[[int, torch.Generator], torch.Tensor]
    name: str

    def draw(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Points (n, d), float32 or float64."""
        drawn = self.function(n, generator)
        if not isinstance(drawn, torch.Tensor) or drawn.ndim != 2 or len(drawn) != n:
            came = f"shape {tuple(drawn.shape)}" if isinstance(drawn, torch.Tensor) else type(drawn).__name__
            raise InvalidInput(
                f"the sampler {self.name} must return a tensor of shape (n, d), n = {n} here, but {came} came."
            )
        if not bool(drawn.isfinite().all()):
            raise InvalidInput(f"the sampler {self.name} must return finite numbers, but NaN or inf came.")
        return drawn.to(torch.promote_types(drawn.dtype, torch.float32 if drawn.is_floating_point() else torch.float64))

    def points(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """The same as float64."""
        return self.draw(n, generator).double().cpu().numpy()


def batches(side: Source, n: int, generators: Sequence[torch.Generator], *, whole: bool = False) -> torch.Tensor:
    """One batch for each generator, (S, n, d); with ``whole`` a sample is not drawn from if it has no more points."""
    if isinstance(side, Sample) and whole:
        return torch.stack([side.some(n, generator) for generator in generators])
    if isinstance(side, Sample):
        index = [torch.randint(side.size, (n,), generator=g, device=side.scaled.device) for g in generators]
        return side.scaled[torch.stack(index)]
    return torch.stack([side.batch(n, generator) for generator in generators])


def sources(x: Any, y: Any, device: torch.device, unit: float | None = None) -> tuple[Source, Source, Scaling]:
    """Both sides and their scaling: a callable is a population, anything else a fixed sample."""
    given = [_given(side, name) for side, name in ((x, "x"), (frames.aligned(x, y), "y"))]
    probe = torch.Generator(device).manual_seed(0)
    seen = [side.points(PROBE, probe) if isinstance(side, Sampler) else side for side in given]
    inputs.same_dimension(seen[0], seen[1])
    estimated = any(isinstance(side, Sampler) for side in given)
    scaling = (Scaling.about if estimated else Scaling.of)(*seen, unit=unit)
    first, second = (
        Population(side, scaling, device) if isinstance(side, Sampler) else Sample(side, prepare(side, scaling, device))
        for side in given
    )
    return first, second, scaling


def _given(side: Any, name: str) -> Sampler | NDArray[np.float64]:
    """A sampler, or checked points (n, d)."""
    if callable(side) and not inputs.is_tensor(side):
        return Sampler(cast("Callable[[int, torch.Generator], torch.Tensor]", side), name)
    return inputs.points(side, name)
