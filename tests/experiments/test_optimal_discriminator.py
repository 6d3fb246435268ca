"""Discriminators beside the one that no other beats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otgan import divergences
from otgan.divergences import Gaussian
from otgan.experiments import optimal_discriminator
from otgan.experiments.optimal_discriminator import EXPERIMENT, FAKE, GRID, REAL, maximiser, on_grid

MASSES = st.lists(st.floats(0.05, 1.0), min_size=5, max_size=5)


@pytest.mark.parametrize("side", [REAL, FAKE])
def test_the_grid_keeps_moments(side: Gaussian) -> None:
    masses = on_grid(side)
    mean = masses @ GRID
    assert masses.sum() == pytest.approx(1)
    assert mean == pytest.approx(side.mean.item(), abs=1e-12)
    assert masses @ (GRID - mean) ** 2 == pytest.approx(side.covariance.item())


def test_the_grid_keeps_values() -> None:
    # A discriminator that is not the best one: its value on the grid is its value by adaptive quadrature.
    def steep(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(2 * x[..., 0] - 1))

    on_line = divergences.gan_value(REAL, FAKE, steep)
    assert divergences.gan_value(on_grid(REAL), on_grid(FAKE), steep(GRID[:, None])) == pytest.approx(on_line, rel=1e-9)


@given(p=MASSES, q=MASSES)
def test_the_maximiser_finds_what_proposition_1_says(p: list[float], q: list[float]) -> None:
    one, other = np.array(p) / sum(p), np.array(q) / sum(q)
    found = maximiser(one, other)
    assert found == pytest.approx(one / (one + other), abs=1e-6)
    best = 2 * divergences.jensen_shannon(one, other) - 2 * math.log(2)
    assert divergences.gan_value(one, other, found) == pytest.approx(best, abs=1e-10)


def test_a_trained_network_comes_nearer_and_never_above() -> None:
    settings = optimal_discriminator.Settings(steps=200, batch_size=64, held_out=100)
    found = EXPERIMENT.measure(settings, "gaussians", 0)
    assert found["error"][-1] < found["error"][0] / 5
    assert max(found["value"]) <= found["optimum"] + 1e-12
    assert found["optimum"] == pytest.approx(divergences.gan_value(REAL, FAKE))
