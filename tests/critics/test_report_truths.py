"""A report is about the points, weights and mass of the truth, not about those trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from problems import gaussians
from torch import nn

import otgan
from otgan.critics import METHODS, CriticFit, fit

STEEP = 1.25  # a power of two times five: float32 holds it and the products below


def _linear(d: int) -> nn.Module:
    """The critic x -> 1.25 x_1 + 7, whose constant cancels only where both sides weigh the same."""
    layer = nn.Linear(d, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0] = STEEP
        layer.bias[:] = 7.0
    return nn.Sequential(layer)


def _trained(**options: Any) -> CriticFit:
    """On points that lie 4 apart; the clip is above every weight."""
    x, y = [[4.0, 0.0], [4.0, 2.0]], [[0.0, 0.0], [0.0, 2.0]]
    return fit(x, y, "clip", clip=16.0, steps=1, learning_rate=1e-12, network=_linear, **options)


@pytest.mark.parametrize("mass", [1.0, 2.0**-20, 3.0, 2.0**40])
def test_the_estimate_is_that_of_the_points_weights_and_mass_of_the_truth(mass: float) -> None:
    fitted = _trained(held_out=([[6.0, 0.0]], [[1.0, 0.0]]))
    x, y = np.array([[0.0, 0.0], [-8.0, 0.0], [100.0, 0.0]]), np.array([[2.0, 0.0], [6.0, 0.0]])
    a, b = mass * np.array([0.75, 0.25, 0.0]), mass * np.array([0.5, 0.5])
    # The means are -2 and 4: every point of x moves to the right, by 6 in the mean, where the critic says the opposite.
    report = fitted.compare(otgan.solve(x, y, a=a, b=b))
    assert report.exact == pytest.approx(6.0 * mass, rel=1e-12)
    assert report.estimate == pytest.approx(-STEEP * 6 * mass, rel=1e-6)
    assert report.relative_error == pytest.approx(-STEEP - 1, rel=1e-6)
    assert report.normalised == pytest.approx(-6 * mass, rel=1e-4)
    assert report.cosine == pytest.approx(-1.0, abs=1e-6)
    assert report.gradient_norm == pytest.approx(STEEP, rel=1e-6)
    assert report.held_out == pytest.approx(STEEP * 5 * mass, rel=1e-6)
    assert report.held_out_gap == pytest.approx(-STEEP * mass, rel=1e-5)
    assert report.seconds_to_5_percent is None
    assert report.lower_bound is not None
    assert report.lower_bound <= 6.0 * mass


@pytest.mark.parametrize("mass", [1.0, 5.0])
def test_on_the_points_trained_on_nothing_changes_but_the_unit_of_mass(mass: float) -> None:
    x, y = gaussians()
    fitted = fit(x, y, "gp", steps=20, width=16, depth=1, n_seeds=2, held_out=gaussians(seed=1))
    assert fitted.held_out is not None
    assert fitted.corrected is not None
    assert fitted.stderr is not None
    order = np.random.default_rng(0).permutation(len(x))
    for points in (x, x[order]):
        equal = np.full(len(x), mass / len(x))
        report = fitted.compare(otgan.solve(points, y, a=equal, b=equal))
        assert report.estimate == pytest.approx(mass * fitted.estimate, rel=1e-12)
        assert report.stderr == pytest.approx(mass * fitted.stderr, rel=1e-12)
        assert report.corrected == pytest.approx(mass * fitted.corrected, rel=1e-12)
        assert report.held_out == pytest.approx(mass * fitted.held_out, rel=1e-12)
        assert report.held_out_gap == pytest.approx(mass * (fitted.estimate - fitted.held_out), rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_weight_is_as_many_points_in_one_place(method: str) -> None:
    """Metamorphic: points with whole-number weights, and the same points as often as those say."""
    x, y = gaussians(n=12)
    fitted = fit(x, y, method, width=16, depth=1, steps=1 if method == "discrete" else 3)
    elsewhere, there = x[:6] + 3.0, y[:5] - 1.0
    a, b = np.array([1, 0, 3, 2, 1, 1]), np.array([4, 1, 1, 0, 2])
    weighted = fitted.compare(otgan.solve(elsewhere, there, a=a, b=b))
    repeated = fitted.compare(otgan.solve(np.repeat(elsewhere, a, axis=0), np.repeat(there, b, axis=0)))
    assert weighted.exact == pytest.approx(8 * repeated.exact, rel=1e-9)
    assert weighted.estimate == pytest.approx(8 * repeated.estimate, rel=1e-5, abs=1e-5)
    assert weighted.relative_error == pytest.approx(repeated.relative_error, rel=1e-5, abs=1e-5)
    if repeated.corrected is not None:
        assert weighted.corrected == pytest.approx(8 * repeated.corrected, rel=0.05)


def test_the_correction_by_slopes_takes_those_where_the_truth_is() -> None:
    """A critic with slopes of a quarter where it was trained, and of a half where the truth is."""

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(0.5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.scale * torch.relu(x[:, :1] - 10.0) + 0.25 * torch.relu(-x[:, :1])

        def lipschitz(self) -> torch.Tensor:
            return torch.tensor([0.5])

    fitted = fit([[-2.0], [-4.0]], [[-1.0], [-3.0]], "orthogonal", steps=1, learning_rate=1e-12, network=Half())
    truth = otgan.solve([[20.0], [28.0]], [[12.0], [14.0]], a=[0.25, 0.75], b=[0.5, 0.5])
    report = fitted.compare(truth)
    assert report.exact == pytest.approx(13.0)
    assert report.estimate == pytest.approx(6.5, rel=1e-5)
    assert report.corrected == pytest.approx(13.0, rel=1e-5)
