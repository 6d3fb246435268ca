"""The generator's gradients between Gaussians, against calculus."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otgan.divergences import Gaussian, gan_value
from otgan.experiments import gaussian_shift
from otgan.experiments.gaussian_shift import loss_gradient, minimax_gradient, w1_gradient
from otgan.gan.objectives import Minimax, NonSaturating

MUS = st.floats(0.01, 35.0)


@given(mu=st.floats(0.1, 4.0))
def test_the_minimax_gradient_is_that_of_the_optimal_value(mu: float) -> None:
    # The envelope theorem: at the best discriminator, its own change with mu does not count. The generator's part of
    # the value is all that depends on mu otherwise.
    def value(at: float) -> float:
        return gan_value(Gaussian(0.0, 1.0), Gaussian(at, 1.0))

    step = 1e-4
    assert minimax_gradient(mu) == pytest.approx((value(mu + step) - value(mu - step)) / (2 * step), rel=1e-6, abs=1e-9)


@given(mu=MUS)
def test_the_minimax_gradient_has_its_bound(mu: float) -> None:
    bound = math.sqrt(math.pi / 2) * math.exp(-mu * mu / 8)
    assert 0 < minimax_gradient(mu) <= bound
    # Laplace's method: the bound less a relative pi^2 / (2 mu^2), to first order.
    if mu > 8:
        assert minimax_gradient(mu) / bound == pytest.approx(
            1 - math.pi**2 / (2 * mu * mu), abs=10 / mu**2 * 10 / mu**2
        )


@given(mu=MUS, seed=st.integers(0, 99))
def test_the_two_losses_share_the_slope_of_the_logit(mu: float, seed: int) -> None:
    # D* and 1 - D* sum to one, and the logit has the slope -mu everywhere. Beyond a logit of 20 torch's softplus is a
    # straight line, good to exp(-20).
    noise = np.random.default_rng(seed).standard_normal(50)
    both = loss_gradient(Minimax(), mu, noise) + loss_gradient(NonSaturating(), mu, noise)
    assert both == pytest.approx(mu, rel=3e-9)


@pytest.mark.parametrize("mu", [0.5, 1.0, 3.0])
def test_batches_agree_with_the_population(mu: float) -> None:
    # The terms of the mean lie between 0 and mu, so that its standard error is at most mu / (2 sqrt(n)).
    noise = np.random.default_rng(0).standard_normal(100_000)
    standard_error = mu / (2 * math.sqrt(len(noise)))
    assert abs(loss_gradient(Minimax(), mu, noise) - minimax_gradient(mu)) < 5 * standard_error


def test_w1_of_batches_that_do_not_overlap_has_slope_one() -> None:
    rng = np.random.default_rng(0)
    noise, real = rng.uniform(-1, 1, 40), rng.uniform(-1, 1, 30)
    assert w1_gradient(2.5, noise, real) == pytest.approx(1)
    assert w1_gradient(-2.5, noise, real) == pytest.approx(-1)


def test_without_a_shift_there_is_no_gradient() -> None:
    assert minimax_gradient(0.0) == 0
    assert loss_gradient(Minimax(), 0.0, np.ones(3)) == 0


@pytest.mark.parametrize("quick", [True, False])
def test_every_point_of_the_figure_is_visible(quick: bool) -> None:
    settings = gaussian_shift.EXPERIMENT.quick if quick else dataclasses.replace(gaussian_shift.EXPERIMENT.full, n=500)
    figure = gaussian_shift.run(settings, seeds=1).draw()
    for ax, curves in zip(figure.axes, (3, 4), strict=True):
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        lines = [line for line in ax.lines if len(np.asarray(line.get_xdata())) == len(settings.mus)]
        assert len(lines) == curves
        for line in lines:
            x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
            assert ((left <= x) & (x <= right)).all()
            assert ((low <= y) & (y <= high)).all()
            # Nothing is squeezed away either: points that differ by a decade lie at different heights.
            heights = ax.transData.transform(np.stack([x, y], axis=1))[:, 1]
            assert np.isfinite(heights).all()
    gradients = figure.axes[1]
    heights = gradients.transAxes.inverted().transform(gradients.transData.transform([[0, -200], [0, -100], [0, 1]]))
    assert (np.diff(heights[:, 1]) > 0.1).all()


def test_the_population_gradient_falls_along_a_straight_line_in_the_figure() -> None:
    ax = gaussian_shift.run(quick=True, seeds=1).draw().axes[1]
    line = next(line for line in ax.lines if line.get_label() == "minimax")
    points = ax.transData.transform(np.stack([line.get_xdata(), line.get_ydata()], axis=1))[4:]  # from mu = 5 on
    slopes = np.diff(points[:, 1]) / np.diff(points[:, 0])
    np.testing.assert_allclose(slopes, slopes.mean(), rtol=0.05)


def test_claims_hold_and_do_not_always() -> None:
    result = gaussian_shift.run(quick=True, seeds=2)
    assert result.holds
    broken = dataclasses.replace(result, runs=[{**run, "W1": [0.0] * len(run["mu"])} for run in result.runs])
    assert [claim.text for claim in broken.claims if not claim.holds] == [
        "largest difference of the sample's W1 from mu",
        "slope of the sample's W1 over mu, by least squares",
    ]
