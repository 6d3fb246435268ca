"""Surfaces and how they are compared, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import otgan
from otgan.experiments.value_surfaces import correlation, surface

GRID, REACH = 9, 2.0


def test_a_surface_of_an_exact_potential_is_1_lipschitz() -> None:
    rng = np.random.default_rng(0)
    solution = otgan.solve(rng.normal(size=(30, 2)), rng.normal(size=(40, 2)) + 1)
    values = surface(solution.potentials.f, REACH, GRID)
    spacing = 2 * REACH / (GRID - 1)
    for axis in (0, 1):
        assert np.abs(np.diff(values, axis=axis)).max() <= spacing + 1e-12
    diagonal = values[1:, 1:] - values[:-1, :-1]
    assert np.abs(diagonal).max() <= spacing * np.sqrt(2) + 1e-12


def test_rows_are_ordinates_from_below() -> None:
    values = surface(lambda points: points[:, 0] + 10 * points[:, 1], REACH, GRID)
    assert values[0, 0] == pytest.approx(-22.0)
    assert values[0, -1] == pytest.approx(-18.0)
    assert values[-1, 0] == pytest.approx(18.0)


@given(st.floats(1e-3, 1e3), st.floats(-10.0, 10.0))
def test_correlation_knows_no_scale_and_no_constant(scale: float, constant: float) -> None:
    values = np.random.default_rng(0).normal(size=(4, 5))
    assert correlation(values, scale * values + constant) == pytest.approx(1.0)
    assert correlation(values, constant - scale * values) == pytest.approx(-1.0)


def test_correlation_is_numpys_and_zero_for_a_flat_surface() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 6, 6))
    assert correlation(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    assert correlation(one, np.ones((6, 6))) == 0.0
