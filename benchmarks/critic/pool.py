"""The pool of a cell: points drawn once, so that sampling takes no training time, and the truth.

A pool holds :data:`SIZE` points of each side, float32, on disk in a folder that may be deleted at any time; workers map
the same file. Batches are independent draws from the pool, by the critic's own generator. What a critic is judged by is
fresh, and never from the pool.

In more than :data:`POOLED` dimensions critics would learn any pool by heart. There it is small, and only paces are
found with it; points to train on are drawn when they are needed (:class:`Stream`), in time that is not counted.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from critic.store import source, write_whole
from otgan.pairs import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from critic.cells import Cell

    Points = NDArray[np.float64]

SIZE, CHUNK = 2**18, 2**14  # points of each side, and how many are drawn at a time
POOLED, SMALL = 128, 2**14  # dimensions up to which critics are trained on pools, and points of those beyond
STREAMED = 2**12  # points of a side that are drawn at a time there


def default_cache() -> Path:
    """A temporary folder of this user."""
    return Path(tempfile.gettempdir()) / f"otgan-pools-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@dataclass(frozen=True, eq=False)
class KnownPair(Pair):
    """A pair with its W1 at hand, which takes a million draws where no formula gives it."""

    pair: Pair
    truth: tuple[float, float]

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.pair.dimension

    @property
    def w1(self) -> tuple[float, float]:
        """W1 and its standard error, as computed before."""
        return self.truth

    def target(self, n: int, rng: np.random.Generator) -> Points:
        """As the pair does."""
        return self.pair.target(n, rng)

    def move(self, y: Points) -> Points:
        """As the pair does."""
        return self.pair.move(y)

    def coupled(self, n: int, rng: np.random.Generator) -> tuple[Points, Points]:
        """As the pair does."""
        return self.pair.coupled(n, rng)

    def potential(self, x: Any) -> Points:
        """As the pair does."""
        return self.pair.potential(x)

    def gradient(self, x: Any) -> Points:
        """As the pair does."""
        return self.pair.gradient(x)

    def gradient_test_points(self, n: int, rng: np.random.Generator) -> Points:
        """As the pair does."""
        return self.pair.gradient_test_points(n, rng)


@dataclass(frozen=True, eq=False)
class Pool:
    """One cell's points to train on, (k, d) each, and the pair that critics are judged by."""

    pair: KnownPair
    x: torch.Tensor
    y: torch.Tensor

    def samplers(self, device: torch.device) -> tuple[Callable[..., torch.Tensor], Callable[..., torch.Tensor]]:
        """Both sides, as :func:`otgan.critics.fit` takes them."""
        return _sampler(self.x.to(device)), _sampler(self.y.to(device))


@dataclass(eq=False)
class Stream:
    """Points of a pair that are drawn when they are needed, the same ones every time, and the time of that.

    Attributes
    ----------
    pair : Pair
    seed : sequence of int
    clock : callable
        Seconds.
    seconds : float
        Spent on drawing so far.
    """

    pair: Pair
    seed: Sequence[int]
    clock: Callable[[], float]
    seconds: float = 0.0

    def samplers(self, device: torch.device) -> tuple[Callable[..., torch.Tensor], Callable[..., torch.Tensor]]:
        """Both sides, as :func:`otgan.critics.fit` takes them."""
        rng_x, rng_y = (np.random.default_rng([*self.seed, side]) for side in range(2))
        return (
            self._sampler(lambda: self.pair.coupled(STREAMED, rng_x)[0], device),
            self._sampler(lambda: self.pair.target(STREAMED, rng_y), device),
        )

    def _sampler(self, some: Callable[[], Points], device: torch.device) -> Callable[..., torch.Tensor]:
        left = torch.empty(0, self.pair.dimension, device=device)

        def draw(n: int, generator: torch.Generator) -> torch.Tensor:
            nonlocal left
            start = self.clock()
            while len(left) < n:
                left = torch.cat([left, torch.as_tensor(some(), dtype=torch.float32, device=device)])
            drawn, left = left[:n], left[n:]
            self.seconds += self.clock() - start
            return drawn

        return draw


def _sampler(points: torch.Tensor) -> Callable[[int, torch.Generator], torch.Tensor]:
    def draw(n: int, generator: torch.Generator) -> torch.Tensor:
        return points[torch.randint(len(points), (n,), generator=generator, device=points.device)]

    return draw


def pool(cell: Cell, cache: Path, size: int = SIZE) -> Pool:
    """A cell's pool, drawn now unless it is in the cache; a small one for size 0."""
    pair, size = cell.pair(), size or SMALL
    folder = cache / f"{cell.key}-{size}-{source('pairs')}"
    truth = folder / "w1.json"
    if not truth.exists():  # written last
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([1, cell.number])
        for name, draw in (("x", lambda n: pair.coupled(n, rng)[0]), ("y", lambda n: pair.target(n, rng))):
            _save(folder / f"{name}.npy", np.concatenate([draw(k).astype(np.float32) for k in _chunks(size)]))
        write_whole(truth, json.dumps(pair.w1))
    value, stderr = json.loads(truth.read_text())
    # Mapped copy-on-write: shared between workers, and torch takes no read-only memory.
    x, y = (torch.from_numpy(np.load(folder / f"{name}.npy", mmap_mode="c")) for name in ("x", "y"))
    return Pool(KnownPair(pair, (value, stderr)), x, y)


def _chunks(size: int) -> list[int]:
    return [min(CHUNK, size - k) for k in range(0, size, CHUNK)]


def _save(path: Path, points: NDArray[np.float32]) -> None:
    """Write whole, so that another process never maps a part."""
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npy")
    np.save(part, points)
    os.replace(part, path)
