"""Points that the tests of critics share."""

from __future__ import annotations

import numpy as np


def gaussians(n: int = 60, d: int = 2, shift: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Normal points x and y, (n, d) each, x shifted along the first axis."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, d))
    x = rng.normal(size=(n, d))
    x[:, 0] += shift
    return x, y
