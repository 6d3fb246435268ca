"""Drawn problems: one distribution on both sides, or two different ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from solvers.cases import Case, Data, stream

if TYPE_CHECKING:
    from solvers.cases import Points

MIXTURE = 12  # Gaussians of one mixture
SHIFT = 3.0  # standard deviations
RING = 5.0  # its radius


def gaussians(case: Case) -> Data:
    """Two samples of one standard Gaussian."""
    rng = stream(case)
    return Data(rng.normal(size=(case.n, case.d)), rng.normal(size=(case.m, case.d)))


def clusters(case: Case) -> Data:
    """Two samples of Gaussian mixtures: the same narrow components, mixed in other proportions on each side."""
    rng = stream(case)
    centres, widths = rng.uniform(size=(MIXTURE, case.d)), rng.uniform(0.005, 0.05, MIXTURE)

    def side(count: int) -> Points:
        chosen = rng.choice(MIXTURE, count, p=rng.dirichlet(np.full(MIXTURE, 0.5)))
        return centres[chosen] + widths[chosen, None] * rng.normal(size=(count, case.d))

    return Data(side(case.n), side(case.m))


def weights(case: Case) -> Data:
    """Gaussian points with masses drawn from an exponential distribution."""
    rng = stream(case)
    x, y = rng.normal(size=(case.n, case.d)), rng.normal(size=(case.m, case.d))
    a, b = rng.exponential(size=case.n), rng.exponential(size=case.m)
    return Data(x, y, a / a.sum(), b / b.sum())


def different(case: Case) -> Data:
    """A sample of one distribution against a sample of another; the variant is a key of :data:`OTHERS`."""
    rng = stream(case)
    first, second = OTHERS[case.variant]
    return Data(first(rng, (case.n, case.d)), second(rng, (case.m, case.d)))


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return rng.normal(size=shape)


def _shifted(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    points = rng.normal(size=shape)
    points[:, 0] += SHIFT
    return points


def _narrow(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return 0.5 * rng.normal(size=shape)


def _five(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    centres = 2.0 * rng.normal(size=(5, shape[1]))
    return centres[rng.integers(5, size=shape[0])] + 0.3 * rng.normal(size=shape)


def _ring(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    directions = rng.normal(size=shape)
    radii = RING + 0.1 * rng.normal(size=(shape[0], 1))
    return radii * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _uniform(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return rng.uniform(size=shape)


def _squared(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return rng.uniform(size=shape) ** 2


Draw = Callable[[np.random.Generator, tuple[int, int]], "Points"]
OTHERS: dict[str, tuple[Draw, Draw]] = {
    "same": (_normal, _normal),
    "shifted": (_normal, _shifted),  # by three standard deviations, along the first coordinate
    "half": (_normal, _narrow),  # of the width
    "mixture": (_normal, _five),  # of five narrow Gaussians
    "ring": (_normal, _ring),  # around the first, a sphere in more dimensions
    "squared": (_uniform, _squared),  # coordinates of the cube, and their squares
}
