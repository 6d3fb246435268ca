"""Intervals cover what they are about."""

from __future__ import annotations

import numpy as np
import pytest

import otgan
from otgan import InvalidInput
from otgan.gan.intervals import bootstrap, distance_interval
from otgan.gan.metrics import frechet_distance, near, precision_recall


def test_distances_of_other_samples_lie_around_the_intervals_middle() -> None:
    """95 % intervals for the mean distance between samples; its truth is that of 400 pairs of samples."""
    rng = np.random.default_rng(0)
    solutions = [otgan.solve(rng.normal(size=(60, 2)), rng.exponential(size=(40, 2)) + 1) for _ in range(400)]
    truth = np.mean([solution.distance for solution in solutions])
    intervals = np.array([distance_interval(solution) for solution in solutions])
    covered = ((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])).mean()
    assert 0.92 <= covered <= 0.98


def test_intervals_scale_with_the_samples() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 50, 3))
    one, ten = (np.array(distance_interval(otgan.solve(s * x, s * y + s))) for s in (1, 10))
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-9)


def test_one_point_a_side_has_no_width() -> None:
    low, high = distance_interval(otgan.solve([[0.0]], [[3.0]]))
    assert low == high == 3.0


def test_bootstrap_of_a_mean_covers_it() -> None:
    rng = np.random.default_rng(2)
    intervals = np.array([bootstrap(np.mean, (rng.exponential(size=80),), rng) for _ in range(300)])
    covered = ((intervals[:, 0] <= 1) & (intervals[:, 1] >= 1)).mean()
    assert 0.89 <= covered <= 0.98


def test_a_biased_bootstrap_covers_the_mean_over_samples() -> None:
    """Resampled features are further apart than samples: the plain quantiles lie above all that samples give."""
    rng = np.random.default_rng(3)
    pairs = rng.normal(size=(30, 2, 200, 16))
    found = np.array([frechet_distance(x, y) for x, y in pairs])
    intervals = np.array([bootstrap(frechet_distance, (x, y), rng, low=0.0) for x, y in pairs[:10]])
    assert ((intervals[:, 0] <= found.mean()) & (found.mean() <= intervals[:, 1])).all()
    assert (intervals[:, 1] - intervals[:, 0] < 4 * 1.96 * found.std()).all()
    assert intervals.mean(axis=1) == pytest.approx(found[:10])
    assert (intervals > 0).all()


def test_an_interval_ends_where_the_statistic_does() -> None:
    nearly_all = np.arange(50) > 0
    assert bootstrap(np.mean, (nearly_all,), np.random.default_rng(0), 0.0, 1.0) == pytest.approx((0.95, 1.0), abs=0.02)


def test_no_interval_where_nothing_varies() -> None:
    assert bootstrap(np.mean, (np.ones(20),), np.random.default_rng(0)) is None


def test_near_is_what_precision_and_recall_are_shares_of() -> None:
    x, y = np.random.default_rng(4).normal(size=(2, 40, 2))
    generated_near, real_near = near(x, y + 1)
    assert precision_recall(x, y + 1) == (generated_near.mean(), real_near.mean())
    assert generated_near.shape == real_near.shape == (40,)


def test_intervals_of_what_they_are_not_about_are_refused() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 5, 2))
    for solution in (otgan.solve(x, y, p=2), otgan.solve(x, y, a=np.arange(5) / 10)):
        with pytest.raises(InvalidInput, match="equal weights"):
            distance_interval(solution)
    rng = np.random.default_rng(0)
    for sample in ([np.nan, 1.0], [], [np.inf]):
        with pytest.raises(InvalidInput, match="samples"):
            bootstrap(np.mean, (np.array(sample),), rng)
    with pytest.raises(InvalidInput, match="statistic"):
        bootstrap(lambda sample: np.nan, (np.ones(3),), rng)
