"""Critics whose number and gradient are known, on pairs whose distance is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from otgan.critics.given import given_critics
from otgan.pairs import LeastCones, Rays
from otgan.preflights.measure import fresh, measured


@pytest.fixture(scope="module")
def cones() -> LeastCones:
    return LeastCones.random(np.random.default_rng(0).normal(size=(30, 4)), 5, seed=0)


@pytest.fixture(scope="module")
def pair(cones: LeastCones) -> Rays:
    return Rays(np.random.default_rng(1).normal(size=(80, 4)), cones, shares=(0.5, 1.0))


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_the_optimal_critic_is_right_and_a_multiple_of_it_wrong_by_that(
    pair: Rays, cones: LeastCones, scale: float
) -> None:
    centers, offsets = torch.tensor(np.array(cones.centers)), torch.tensor(np.array(cones.offsets))

    def critic(points: torch.Tensor) -> torch.Tensor:
        away = torch.linalg.vector_norm(points.double()[:, None] - centers, dim=-1)
        return scale * (away + offsets).amin(dim=1)

    points = fresh(pair, 0)
    moved = np.linalg.norm(points.real - points.fake, axis=1).mean()
    assert moved == pytest.approx(pair.w1[0], rel=0.1)
    with given_critics([critic], 4) as (given,):
        found = measured(given, points)
    assert found.number == pytest.approx(scale * moved, rel=1e-5)
    assert found.cosine == pytest.approx(1.0, abs=1e-5)
    assert found.norm == pytest.approx(scale, rel=1e-5)
    assert found.slope == pytest.approx(scale, rel=1e-3)


def test_the_straight_line_is_the_difference_of_means() -> None:
    points = np.random.default_rng(2).normal(size=(50, 3))
    line = Rays(points, LeastCones([[1e6, 0.0, 0.0]], [0.0]), shares=1.0, longest=2.0)  # nearly a translation
    number, cosine = fresh(line, 0).line()
    assert number == pytest.approx(2.0, rel=1e-6)
    assert cosine == pytest.approx(1.0, rel=1e-6)


def test_a_constant_has_nothing(pair: Rays) -> None:
    with given_critics([lambda points: 0 * points[:, 0]], 4) as (given,):
        assert measured(given, fresh(pair, 0)) == (0.0, 0.0, 0.0, 0.0)
