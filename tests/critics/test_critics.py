"""Critics: fits, reports and options."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import gaussians
from torch import nn

import otgan
from otgan import InvalidInput, OTError
from otgan.critics import METHODS, certified_lipschitz, fit, mlp, richardson
from otgan.critics.methods.penalty import gradient_norms
from otgan.critics.networks import ModuleEnsemble
from otgan.critics.repair import repaired_bound
from otgan.critics.training import shares
from otgan.problem import Problem
from otgan.runtime.cores import cores

QUICK: dict[str, Any] = {"steps": 30, "width": 16, "depth": 2}


def linear_network(direction: np.ndarray) -> nn.Module:
    """The critic x -> <direction, x>."""
    layer = nn.Linear(len(direction), 1, bias=False)
    with torch.no_grad():
        layer.weight[:] = torch.as_tensor(direction[None], dtype=torch.float32)
    return nn.Sequential(layer)


class TestClip:
    def test_every_parameter_stays_within_the_clip(self) -> None:
        result = fit(*gaussians(), "clip", clip=0.02, **QUICK)
        for parameter in result.critic.network.parameters():
            assert float(parameter.detach().abs().max()) <= np.float32(0.02)

    def test_it_is_rmsprop_without_momentum(self) -> None:
        method = METHODS["clip"]()
        optimizer = method.optimizer(method.network(2))
        assert isinstance(optimizer, torch.optim.RMSprop)
        assert optimizer.defaults["lr"] == 5e-5
        assert optimizer.defaults["momentum"] == 0

    def test_the_estimate_is_w1_times_an_unknown_factor(self) -> None:
        x, y = gaussians(n=200)
        result = fit(x, y, "clip", steps=600, width=32, depth=2, learning_rate=1e-3)
        report = result.compare(otgan.solve(x, y))
        assert report.relative_error < -0.5
        assert report.cosine > 0.9
        assert report.corrected is None


class TestGradientPenalty:
    @pytest.mark.parametrize(("method", "unit"), [("gp", 1.0), ("lp", 1.0), ("gp", None)])
    def test_one_ray_gives_the_congested_optimum_and_the_corrections_undo_it(
        self, method: str, unit: float | None
    ) -> None:
        # g W - lambda (g - 1)^2 is largest at g = 1 + W / (2 lambda) (Milne & Nachman 2022).
        # W counts in units of the data's scaling, which reach 2 from their centre.
        distance, weight = 4.0, 10.0
        x, y = np.zeros((1, 8)), np.zeros((1, 8))
        x[0, 0] = distance
        options: dict[str, Any] = {} if unit is None else {"unit": unit}
        result = fit(x, y, method, gp_weight=weight, steps=600, width=32, depth=1, learning_rate=3e-3, **options)
        assert result.critic.scaling.unit == (unit or 2.0)
        expected = distance * (1 + distance / (unit or 2.0) / (2 * weight))
        assert result.estimate == pytest.approx(expected, rel=0.02)
        assert result.corrected == result.corrections["congested"] == pytest.approx(distance, rel=0.02)
        assert result.corrections["gradient-norm"] == pytest.approx(distance, rel=0.05)

    def test_a_critic_of_half_the_slope_is_corrected_to_the_truth(self) -> None:
        """An orthogonal critic that is only part of the way there: its number over its mean slope."""
        x, y = np.zeros((1, 8)), np.zeros((1, 8))
        x[0, 0] = 4.0
        result = fit(x, y, "orthogonal", steps=3, width=16, depth=2, n_seeds=2)
        assert result.estimate < 3.9
        assert result.corrected == result.corrections["gradient-norm"]
        assert result.corrected == pytest.approx(np.mean(result.estimates / result.slopes))
        assert result.compare(otgan.solve(x, y)).corrected == pytest.approx(result.corrected)
        assert "congested" not in result.corrections

    def test_richardson_takes_out_the_term_that_one_ray_has(self) -> None:
        x, y = np.zeros((1, 8)), np.zeros((1, 8))
        x[0, 0] = 4.0
        result = richardson(x, y, steps=600, width=32, depth=1, learning_rate=3e-3)
        assert result.estimate == pytest.approx(4.0, rel=0.05)
        assert result.double.options["gp_weight"] == 2 * result.single.options["gp_weight"] == 20.0
        with pytest.raises(InvalidInput, match="gp_weight"):
            richardson(x, y, "clip")

    def test_shifted_gaussians_are_learnt(self) -> None:
        x, y = gaussians(n=200, shift=2.0)
        report = fit(x, y, "gp", steps=500, width=32, depth=2, learning_rate=3e-3).compare(otgan.solve(x, y))
        assert abs(report.relative_error) < 0.2
        assert report.cosine > 0.95
        assert report.lower_bound is not None
        assert report.lower_bound > 0.95 * report.exact

    def test_batch_norm_is_refused_with_the_reason(self) -> None:
        network = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
        with pytest.raises(InvalidInput, match="couples the points"):
            fit(*gaussians(), "gp", network=network, **QUICK)

    def test_the_norm_is_taken_over_everything_but_the_batch(self) -> None:
        images = torch.randn(1, 5, 3, 4, 4)
        linear = nn.Linear(48, 1)
        network = ModuleEnsemble([nn.Sequential(nn.Flatten(), linear)])
        expected = linear.weight.detach().norm().expand(1, 5)
        torch.testing.assert_close(gradient_norms(network, images).detach(), expected, rtol=1e-5, atol=1e-6)

    def test_a_vanishing_gradient_has_a_finite_slope(self) -> None:
        network = ModuleEnsemble([linear_network(np.zeros(2))])
        gradient_norms(network, torch.randn(1, 4, 2)).sum().backward()
        for parameter in network.parameters():
            assert parameter.grad is not None
            assert bool(parameter.grad.isfinite().all())


def test_seeds_that_are_split_over_cores_are_the_same() -> None:
    x, y = gaussians()
    sizes: dict[str, Any] = {"width": 128, "depth": 1, "batch_size": 128, "steps": 12}
    assert len(shares(METHODS["gp"](**sizes), 3, torch.device("cpu"))) == min(3, cores())
    together = fit(x, y, "gp", n_seeds=3, **sizes)
    assert together.history["estimate"].shape == (3, 12)
    for k, critic in enumerate(together.critics):
        np.testing.assert_allclose(critic(x), fit(x, y, "gp", seed=k, **sizes).critic(x), rtol=1e-3, atol=1e-4)


class TestReport:
    def test_the_optimal_critic_of_a_translation(self) -> None:
        # y moved along one direction: <direction, x> is optimal, its gradient is the transport direction.
        rng = np.random.default_rng(0)
        direction = np.array([0.6, 0.8])
        y = rng.normal(size=(40, 2))
        x = y + 1.5 * direction
        result = fit(x, y, "clip", steps=1, clip=1.0, learning_rate=1e-9, network=linear_network(direction))
        report = result.compare(otgan.solve(x, y))
        assert report.exact == pytest.approx(1.5, rel=1e-12)
        assert report.estimate == pytest.approx(1.5, rel=1e-5)
        assert report.relative_error == pytest.approx(0, abs=1e-5)
        assert report.cosine == pytest.approx(1, abs=1e-6)
        assert report.gradient_norm == pytest.approx(1, abs=1e-6)
        assert report.lipschitz_observed == pytest.approx(1, abs=1e-5)
        assert report.lipschitz_certified == pytest.approx(1, abs=1e-6)
        assert report.lower_bound == pytest.approx(1.5, rel=1e-5)
        assert report.truth == "sample"
        assert set(report.as_dict()) >= {"method", "stderr", "held_out", "seconds"}

    def test_a_wrong_truth_is_refused(self) -> None:
        x, y = gaussians()
        result = fit(x, y, "clip", **QUICK)
        for truth in (otgan.solve(x, y, p=2), otgan.solve(x, y, metric="cityblock"), 1.0, otgan.solve([0.0], [1.0])):
            with pytest.raises(InvalidInput):
                result.compare(truth)  # type: ignore[arg-type]

    def test_potentials_are_the_critic_and_its_negative(self) -> None:
        x, y = gaussians()
        result = fit(x, y, "gp", **QUICK)
        assert np.array_equal(result.potentials.f(x), -result.potentials.g(x))
        assert result.estimate == pytest.approx(result.potentials.f(x).mean() + result.potentials.g(y).mean())
        step = 1e-3
        east = np.array([step, 0.0])
        numeric = (result.critic(x + east) - result.critic(x - east)) / (2 * step)
        close = np.isclose(result.gradient(x)[:, 0], numeric, rtol=1e-2, atol=2e-3)
        assert close.mean() > 0.9  # the rest sits on a kink


@given(data=st.data(), n=st.integers(1, 8), m=st.integers(1, 8), scale=st.sampled_from([1e-8, 1.0, 1e8]))
def test_repair_proves_a_bound_from_any_numbers(data: st.DataObject, n: int, m: int, scale: float) -> None:
    numbers = st.floats(-10, 10, width=32)
    x, y = (np.array(data.draw(st.lists(st.tuples(numbers, numbers), min_size=k, max_size=k))) for k in (n, m))
    f, g = (scale * np.array(data.draw(st.lists(numbers, min_size=k, max_size=k))) for k in (n, m))
    problem = Problem.from_points(x, y)
    bound = repaired_bound(problem, f, g)
    truth = otgan.solve(x, y, throw=False)
    assert bound <= truth.upper
    assert bound >= -1e-12


@pytest.mark.parametrize("scale", [2.0**-90, 2.0**90])
def test_repair_finds_the_best_multiple_in_any_units(scale: float) -> None:
    x, y = gaussians(n=30, d=3)
    f, g = np.sin(x[:, 0]) + x[:, 1], -np.sin(y[:, 0])
    bound = repaired_bound(Problem.from_points(x, y), f, g)
    for unit in (1.0, scale, 1 / scale):
        assert repaired_bound(Problem.from_points(scale * x, scale * y), unit * f, unit * g) == scale * bound


def test_repair_of_the_exact_potentials_loses_nothing() -> None:
    x, y = gaussians(n=80, d=5)
    truth = otgan.solve(x, y)
    assert repaired_bound(truth.problem, 7.0 * truth.f, truth.g) >= truth.value * (1 - 1e-6)


def test_certified_lipschitz_knows_what_it_does_not_know() -> None:
    assert certified_lipschitz(linear_network(np.array([3.0, 4.0]))) == pytest.approx(5, rel=1e-6)
    assert certified_lipschitz(nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(2.0), nn.Linear(2, 1))) is not None
    assert certified_lipschitz(nn.Sequential(nn.Conv1d(1, 1, 2), nn.Flatten())) is None


def test_divergence_is_an_error_that_says_what_to_do() -> None:
    network = nn.Sequential(nn.Linear(2, 1), nn.Threshold(1e9, float("nan")))
    with pytest.raises(OTError, match="Lower learning_rate"):
        fit(*gaussians(), "gp", network=network, **QUICK)


BAD = {
    "unknown method": ({"method": "gpp"}, "method must be one of"),
    "no steps": ({"steps": 0}, "steps must be at least 1"),
    "no seeds": ({"n_seeds": 0}, "n_seeds must be at least 1"),
    "negative seed": ({"seed": -1}, "seed must be at least 0"),
    "zero clip": ({"method": "clip", "clip": 0.0}, "clip must lie"),
    "negative weight": ({"gp_weight": -1.0}, "gp_weight must lie"),
    "device": ({"device": "abacus"}, "device 'abacus'"),
    "network of another width": ({"network": mlp(3, 4, 1)}, "must take points of 2 columns"),
    "network of two outputs": ({"network": nn.Linear(2, 2)}, "must map"),
    "no network": ({"network": 3}, "network must be"),
    "network maker": ({"network": lambda d: d}, "must return a torch module"),
    "held-out alone": ({"held_out": np.zeros((3, 2))}, "must be a pair"),
    "held-out of another width": ({"held_out": (np.zeros((3, 1)), np.zeros((3, 2)))}, "must have 2 columns"),
    "NaN": ({"x": [[np.nan, 0.0]]}, "NaN"),
    "another dimension": ({"x": [[0.0]]}, "same number of columns"),
    "sampler of another shape": ({"x": lambda n, generator: torch.zeros(n)}, "must return a tensor of shape"),
    "sampler of NaN": ({"x": lambda n, generator: torch.full((n, 2), torch.nan)}, "must return finite"),
    "sampler of another dimension": ({"x": lambda n, generator: torch.zeros(n, 3)}, "same number of columns"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case: str) -> None:
    changed, words = BAD[case]
    arguments = {"x": gaussians()[0], "y": gaussians()[1], "method": "gp", "steps": 2, **changed}
    with pytest.raises(InvalidInput, match=words):
        fit(**arguments)  # type: ignore[arg-type]


def test_a_fit_is_shown_in_one_line() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    shown = repr(fit(x, x + 1, "clip", steps=2, width=8, device="cpu", n_seeds=2))
    assert re.fullmatch(r"CriticFit\('clip', estimate=\S+ ± \S+, n_seeds=2, steps=2, n=20, m=20\)", shown)


def test_beside_every_bound_stands_what_a_constant_critic_proves() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 40, 3))
    truth, found = otgan.solve(x, y), fit(x, y, "discrete", steps=1, device="cpu")
    d = np.linalg.norm(x[:, None] - y, axis=2)
    sides = []
    for costs in (d, d.T):
        g = costs.min(axis=0)
        sides.append(g.mean() + (costs - g).min(axis=1).mean())
    report = found.compare(truth)
    assert report.constant_bound == pytest.approx(max(sides), rel=1e-9)
    assert 0.3 * truth.value < max(sides) < truth.value
    assert report.lower_bound is not None
    share = (report.lower_bound - max(sides)) / (truth.value - max(sides))
    assert report.critic_share == pytest.approx(share, rel=1e-6)
    nothing_left = fit([[0.0]], [[3.0]], "clip", steps=1, width=4, device="cpu").compare(otgan.solve([[0.0]], [[3.0]]))
    assert nothing_left.constant_bound == pytest.approx(3.0)
    assert nothing_left.critic_share is None


def test_a_torch_device_is_a_device() -> None:
    x, y = gaussians()
    by_name, by_device = (fit(x, y, "clip", device=device, **QUICK) for device in ("cpu", torch.device("cpu")))  # type: ignore[arg-type]
    assert by_name.estimate == by_device.estimate
