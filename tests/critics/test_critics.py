from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import otgan
from otgan import InvalidInput, OTError
from otgan.critics import METHODS, Method, certified_lipschitz, fit, mlp
from otgan.critics.lipschitz import gradient_norms
from otgan.critics.repair import repaired_bound
from otgan.problem import Problem

QUICK: dict[str, Any] = {"steps": 30, "width": 16, "depth": 2}


def gaussians(n: int = 60, d: int = 2, shift: float = 1.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, d))
    x = rng.normal(size=(n, d))
    x[:, 0] += shift
    return x, y


def linear_network(direction: np.ndarray) -> nn.Module:
    """The critic x -> <direction, x>."""
    layer = nn.Linear(len(direction), 1, bias=False)
    with torch.no_grad():
        layer.weight[:] = torch.as_tensor(direction[None], dtype=torch.float32)
    return nn.Sequential(layer)


@pytest.mark.parametrize("method", METHODS)
class TestEveryMethod:
    """The contract that every method keeps."""

    def test_it_names_its_paper_and_has_one_line(self, method: str) -> None:
        chosen = METHODS[method]
        assert issubclass(chosen, Method)
        assert chosen.name == method
        assert "\n" not in otgan.critics.methods()[method]
        assert "arXiv" in chosen.reference

    def test_the_same_seed_gives_the_same_numbers(self, method: str) -> None:
        x, y = gaussians()
        first, again = (fit(x, y, method, seed=3, n_seeds=2, **QUICK) for _ in range(2))
        assert np.array_equal(first.estimates, again.estimates)
        assert np.array_equal(first.history["estimate"], again.history["estimate"])
        assert first.estimates[0] != first.estimates[1]
        alone = fit(x, y, method, seed=4, **QUICK)
        assert alone.estimate == first.estimates[1]

    def test_history_and_held_out_have_the_shapes_promised(self, method: str) -> None:
        x, y = gaussians()
        result = fit(x, y, method, n_seeds=2, held_out=gaussians(seed=1), **QUICK)
        k = len(result.history["step"])
        assert result.history["estimate"].shape == result.history["held_out"].shape == (2, k)
        assert result.history["step"][-1] == result.steps == 30
        np.testing.assert_allclose(result.history["estimate"][:, -1], result.estimates, rtol=1e-12)
        assert result.held_out is not None

    def test_the_repaired_bound_is_below_the_exact_distance(self, method: str) -> None:
        x, y = gaussians(n=50, d=3)
        result = fit(x, y[:40], method, **QUICK)
        truth = otgan.solve(x, y[:40])
        assert 0 <= result.lower_bound(x, y[:40]) <= truth.upper
        assert result.compare(truth).lower_bound <= truth.upper

    def test_the_certified_constant_is_above_what_is_observed(self, method: str) -> None:
        x, y = gaussians()
        result = fit(x, y, method, **QUICK)
        assert result.lipschitz.certified is not None
        assert result.lipschitz.observed <= result.lipschitz.certified * (1 + 1e-5)

    def test_samplers_are_populations(self, method: str) -> None:
        def sampler(n: int, generator: torch.Generator) -> torch.Tensor:
            return torch.randn(n, 2, generator=generator)

        result = fit(sampler, gaussians()[1], method, **QUICK)
        assert result.x.shape == (4096, 2)
        assert result.y.shape == (60, 2)
        assert np.isfinite(result.estimate)

    def test_an_offset_of_the_data_changes_nothing(self, method: str) -> None:
        x, y = np.round(gaussians(), 6)
        near, far = (fit(x + offset, y + offset, method, **QUICK) for offset in (0.0, 2.0**20))
        assert far.estimate == pytest.approx(near.estimate, rel=1e-4, abs=1e-7)

    def test_training_leaves_torch_as_it_was(self, method: str) -> None:
        state, threads = torch.get_rng_state(), torch.get_num_threads()
        fit(*gaussians(), method, **QUICK)
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads

    def test_unknown_options_are_refused_by_name(self, method: str) -> None:
        with pytest.raises(InvalidInput, match="no option 'lamda'"):
            fit(*gaussians(), method, lamda=3, **QUICK)

    def test_networks_of_ones_own(self, method: str) -> None:
        x, y = gaussians()
        for network in (lambda d: mlp(d, 8, 1), mlp(2, 8, 1)):
            assert np.isfinite(fit(x, y, method, steps=5, network=network).estimate)


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
    def test_one_ray_gives_the_congested_optimum_and_the_correction_undoes_it(self) -> None:
        # g W - lambda (g - 1)^2 is largest at g = 1 + W / (2 lambda) (Milne & Nachman 2022).
        distance, weight = 4.0, 10.0
        x, y = np.zeros((1, 8)), np.zeros((1, 8))
        x[0, 0] = distance
        result = fit(x, y, "gp", gp_weight=weight, steps=600, width=32, depth=1, learning_rate=3e-3)
        assert result.estimate == pytest.approx(distance * (1 + distance / (2 * weight)), rel=0.02)
        assert result.corrected == pytest.approx(distance, rel=0.02)

    def test_shifted_gaussians_are_learnt(self) -> None:
        x, y = gaussians(n=200, shift=2.0)
        report = fit(x, y, "gp", steps=500, width=32, depth=2, learning_rate=3e-3).compare(otgan.solve(x, y))
        assert abs(report.relative_error) < 0.2
        assert report.cosine > 0.95
        assert report.lower_bound > 0.95 * report.exact

    def test_batch_norm_is_refused_with_the_reason(self) -> None:
        network = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
        with pytest.raises(InvalidInput, match="couples the points"):
            fit(*gaussians(), "gp", network=network, **QUICK)

    def test_the_norm_is_taken_over_everything_but_the_batch(self) -> None:
        images = torch.randn(5, 3, 4, 4)
        network = nn.Sequential(nn.Flatten(), nn.Linear(48, 1))
        expected = network[1].weight.detach().norm().expand(5)  # type: ignore[union-attr]
        torch.testing.assert_close(gradient_norms(network, images).detach(), expected, rtol=1e-5, atol=1e-6)

    def test_a_vanishing_gradient_has_a_finite_slope(self) -> None:
        network = linear_network(np.zeros(2))
        gradient_norms(network, torch.randn(4, 2)).sum().backward()
        for parameter in network.parameters():
            assert parameter.grad is not None
            assert bool(parameter.grad.isfinite().all())


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


def test_repair_of_the_exact_potentials_loses_nothing() -> None:
    x, y = gaussians(n=80, d=5)
    truth = otgan.solve(x, y)
    assert repaired_bound(truth.problem, 7.0 * truth.f, truth.g) >= truth.value * (1 - 1e-6)


def test_certified_lipschitz_knows_what_it_does_not_know() -> None:
    assert certified_lipschitz(linear_network(np.array([3.0, 4.0]))) == pytest.approx(5, rel=1e-6)
    assert certified_lipschitz(nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(2.0), nn.Linear(2, 1))) is not None
    assert certified_lipschitz(nn.Sequential(nn.Conv1d(1, 1, 2), nn.Flatten())) is None


def test_divergence_is_an_error_that_says_what_to_do() -> None:
    x, y = gaussians()
    with pytest.raises(OTError, match="Lower learning_rate"):
        fit(1e39 * x, 1e39 * y, "gp", **QUICK)  # beyond float32


BAD = {
    "unknown method": ({"method": "gpp"}, "method must be one of"),
    "no steps": ({"steps": 0}, "steps must be at least 1"),
    "no seeds": ({"n_seeds": 0}, "n_seeds must be at least 1"),
    "negative seed": ({"seed": -1}, "seed must be at least 0"),
    "zero clip": ({"method": "clip", "clip": 0.0}, "clip must lie"),
    "negative weight": ({"gp_weight": -1.0}, "gp_weight must lie"),
    "device": ({"device": "abacus"}, "device 'abacus'"),
    "network of another width": ({"network": mlp(3, 4, 1)}, "does not take points of 2 columns"),
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
