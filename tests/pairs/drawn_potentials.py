"""Potentials of every kind, in any dimension, and the dimensions that tests look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.pairs import Blocks, GreatestCones, LeastCones, LipschitzNetwork, MinMaxTree, Planes

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.pairs import RayPotential

DIMENSIONS = (2, 16, 64, 784)


def cloud(dim: int, seed: int = 0, n: int = 200) -> np.ndarray:
    return np.random.default_rng([seed, dim]).standard_normal((n, dim))


def blocks(dim: int, seed: int) -> Blocks:
    """Three kinds side by side, or two in the plane, each with its own weight."""
    points = cloud(dim, seed)
    ends = [1] if dim == 2 else [dim // 4, dim // 2]
    kinds = (LeastCones, MinMaxTree) if dim == 2 else (LeastCones, MinMaxTree, LipschitzNetwork)
    parts = [kind.random(part, seed=seed) for kind, part in zip(kinds, np.split(points, ends, axis=1), strict=True)]
    return Blocks(parts, np.arange(1.0, 1 + len(parts)))


POTENTIALS: dict[str, Callable[[int, int], RayPotential]] = {
    "least cones": lambda dim, seed: LeastCones.random(cloud(dim), 12, seed=seed),
    "greatest cones": lambda dim, seed: GreatestCones.random(cloud(dim), 12, seed=seed),
    "tree": lambda dim, seed: MinMaxTree.random(cloud(dim), 24, seed=seed),
    "network": lambda dim, seed: LipschitzNetwork.random(cloud(dim), seed=seed),
    "deep network": lambda dim, seed: LipschitzNetwork.random(cloud(dim), depth=8, seed=seed),
    "network of fours": lambda dim, seed: LipschitzNetwork.random(cloud(dim), width=min(dim, 11), group=4, seed=seed),
    "planes": lambda dim, seed: Planes.random(cloud(dim), 6, seed=seed),
    "one plane": lambda dim, seed: Planes.random(cloud(dim), 1, seed=seed),
    "blocks": blocks,
}
