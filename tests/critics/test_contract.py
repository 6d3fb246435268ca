"""The contract that every method keeps."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from problems import gaussians

import otgan
from otgan import InvalidInput
from otgan.critics import METHODS, Method, fit, mlp
from otgan.critics.networks import AlmostOrthogonal, feedforward

QUICK: dict[str, Any] = {"steps": 30, "width": 16, "depth": 2, "batch_size": 32}
LEARN: dict[str, Any] = {"steps": 250, "width": 32, "depth": 2, "batch_size": 64}
# Clipping gives W1 times an unknown factor; the game of two networks needs longer than a test has.
WITHIN = {
    "cones": 0.25,
    "prototypes": 0.25,
    "lattice": 0.25,
    "lattice-y": 0.25,
    "deep-lattice": 0.25,
    "clip": None,
    "mm-reversed": 0.6,
    "gp": 0.25,
    "lp": 0.25,
    "c-eps-transform": 0.15,
    "cowgan": 0.2,
}
RATES = {
    "mm-reversed": 2e-3,
    "spectral": 3e-3,
    "gp": 3e-3,
    "lp": 3e-3,
    "c-transform": 3e-3,
    "c-eps-transform": 3e-3,
    "cowgan": 3e-3,
}


def quick(method: str, **changes: Any) -> dict[str, Any]:
    """Options for a fit that takes no time; exact potentials are not trained, and two candidates are a choice."""
    own: dict[str, Any] = {"discrete": {"steps": 1}, "auto": {"candidates": ("lattice", "orthogonal"), "trial": 0.5}}
    return {**QUICK, **own.get(method, {}), **changes}


@pytest.mark.parametrize("method", METHODS)
class TestEveryMethod:
    def test_it_names_its_paper_and_has_one_line(self, method: str) -> None:
        chosen = METHODS[method]
        assert issubclass(chosen, Method)
        assert chosen.name == method
        assert "\n" not in otgan.critics.methods()[method]
        assert "arXiv" in chosen.reference
        assert chosen.control == otgan.critics.methods()[method].startswith("control")

    def test_it_is_a_frozen_object_whose_fields_are_its_options(self, method: str) -> None:
        chosen = METHODS[method]()
        assert {"steps", "batch_size", "learning_rate", "decay", "width", "depth"} <= {f.name for f in fields(chosen)}
        with pytest.raises(AttributeError):
            chosen.steps = 3  # type: ignore[misc]

    def test_an_easy_problem_is_learnt(self, method: str) -> None:
        x, y = gaussians(n=100, shift=2.0)
        rate = {"learning_rate": RATES[method]} if method in RATES else {}
        steps = {"steps": 1} if method == "discrete" else {}
        result = fit(x, y, method, n_seeds=2, **{**LEARN, **rate, **steps})
        truth = otgan.solve(x, y)
        report = result.compare(truth)
        allowed = WITHIN.get(method, 0.1)
        assert allowed is None or abs(report.relative_error) < allowed
        assert report.lower_bound is not None
        assert 0.9 * truth.value < report.lower_bound <= truth.upper or method == "mm-reversed"
        assert report.cosine > (0.7 if "transform" in method or method in ("mm-reversed", "cones") else 0.9)
        if METHODS[method].exact_lipschitz:
            assert report.estimate <= truth.upper * (1 + 1e-5)

    def test_the_same_seed_gives_the_same_numbers(self, method: str) -> None:
        x, y = gaussians()
        first, again = (fit(x, y, method, seed=3, n_seeds=2, **quick(method)) for _ in range(2))
        assert np.array_equal(first.estimates, again.estimates)
        assert np.array_equal(first.history["estimate"], again.history["estimate"])

    def test_seeds_side_by_side_are_the_seeds_alone(self, method: str) -> None:
        x, y = gaussians()
        together = fit(x, y, method, seed=0, n_seeds=5, **quick(method))
        alone = fit(x, y, method, seed=2, **quick(method))
        one, other = (critic(x) - critic(x).mean() for critic in (together.critics[2], alone.critics[0]))
        np.testing.assert_allclose(one, other, atol=1e-2 * np.abs(other).max())
        if method != "discrete":  # where the sample decides everything
            assert len(set(together.estimates)) == 5

    def test_history_and_held_out_have_the_shapes_promised(self, method: str) -> None:
        x, y = gaussians()
        result = fit(x, y, method, n_seeds=2, held_out=gaussians(seed=1), **quick(method))
        k = len(result.history["step"])
        assert result.history["estimate"].shape == result.history["held_out"].shape == (2, k)
        assert result.history["step"][-1] == result.steps
        assert (np.diff(result.history["seconds"]) > 0).all()
        assert np.array_equal(result.history["estimate"][:, -1], result.estimates)
        assert result.held_out is not None
        np.testing.assert_allclose(result.estimates_on(x, y), result.estimates, rtol=1e-4, atol=1e-5)

    def test_the_repaired_bound_is_below_the_exact_distance(self, method: str) -> None:
        x, y = gaussians(n=50, d=3)
        result = fit(x, y[:40], method, **quick(method))
        truth = otgan.solve(x, y[:40])
        assert 0 <= result.lower_bound(x, y[:40]) <= truth.upper

    def test_values_and_gradients_have_the_shapes_promised(self, method: str) -> None:
        x, y = gaussians(d=3)
        result = fit(x, y, method, **quick(method))
        assert result.critic(x).shape == (60,)
        assert result.gradient(y).shape == (60, 3)
        assert np.isfinite(result.gradient(y)).all()
        assert result.potentials.f(x).shape == result.potentials.g(y).shape == (60,)
        assert np.array_equal(result.potentials.f(x), result.critic(x))
        assert set(result.corrections) <= {"congested", "gradient-norm"}

    def test_the_certified_constant_is_above_what_is_observed(self, method: str) -> None:
        result = fit(*gaussians(), method, **quick(method))
        certified = result.lipschitz.certified
        if METHODS[method].exact_lipschitz:
            assert certified is not None
            assert certified <= 1 + 1e-5
        if certified is not None:
            assert result.lipschitz.observed <= certified * (1 + 1e-5)

    def test_points_on_the_line(self, method: str) -> None:
        x, y = (side[:, 0] for side in gaussians())
        result = fit(x, y, method, **quick(method))
        assert result.gradient(x).shape == (60, 1)
        assert 0 <= result.lower_bound(x, y) <= otgan.solve(x, y).upper

    def test_samplers_are_populations(self, method: str) -> None:
        def sampler(n: int, generator: torch.Generator) -> torch.Tensor:
            return torch.randn(n, 2, generator=generator)

        changes = {"points": 50} if method == "discrete" else {}
        result = fit(sampler, gaussians()[1], method, **quick(method, **changes))
        assert result.x.shape == (4096, 2)
        assert result.y.shape == (60, 2)
        assert np.isfinite(result.estimate)

    def test_an_offset_of_the_data_changes_nothing(self, method: str) -> None:
        x, y = np.round(gaussians(), 6)
        near, far = (fit(x + offset, y + offset, method, **quick(method, steps=5)) for offset in (0.0, 2.0**20))
        assert far.estimate == pytest.approx(near.estimate, rel=1e-3, abs=1e-6)

    def test_training_leaves_torch_as_it_was(self, method: str) -> None:
        state, threads = torch.get_rng_state(), torch.get_num_threads()
        fit(*gaussians(), method, **quick(method, steps=2))
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads

    def test_unknown_options_are_refused_by_name(self, method: str) -> None:
        with pytest.raises(InvalidInput, match="no option 'lamda'"):
            fit(*gaussians(), method, lamda=3, **QUICK)
        with pytest.raises(InvalidInput, match="decay must be one of"):
            fit(*gaussians(), method, decay="sudden", **QUICK)

    def test_networks_of_ones_own(self, method: str) -> None:
        x, y = gaussians()
        for network in (lambda d: mlp(d, 8, 1), mlp(2, 8, 1)):
            if METHODS[method].own_network or METHODS[method].exact_lipschitz:
                with pytest.raises(InvalidInput, match=r"needs a network that proves|takes no network of yours"):
                    fit(x, y, method, steps=5, network=network)
            else:
                assert np.isfinite(fit(x, y, method, steps=5, network=network, n_seeds=2).estimate)

    def test_networks_of_ones_own_that_are_proven(self, method: str) -> None:
        network = feedforward(AlmostOrthogonal, 2, 8, 1, "abs")
        if METHODS[method].own_network:
            with pytest.raises(InvalidInput, match="takes no network of yours"):
                fit(*gaussians(), method, steps=5, network=network)
            return
        if not METHODS[method].exact_lipschitz:
            pytest.skip("takes any network")
        certified = fit(*gaussians(), method, steps=5, network=network).lipschitz.certified
        assert certified is not None
        assert certified <= 1 + 1e-5

    @pytest.mark.parametrize("changes", [{"width": 0}, {"depth": 1.5}, {"learning_rate": 0.0}, {"batch_size": -1}])
    def test_senseless_options_are_refused(self, method: str, changes: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput, match=next(iter(changes))):
            fit(*gaussians(), method, **{**QUICK, **changes})


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("orthogonal", {"activation": "relu"}, "activation must be one of"),
        ("orthogonal", {"width": 7}, "a multiple of 2"),
        ("orthogonal", {"activation": "groupsort", "width": 6}, "a multiple of 4"),
        ("sll", {"activation": "maxmin"}, "activation must be one of"),
        ("c-eps-transform", {"epsilon": 0.0}, "epsilon must lie"),
        ("mm-reversed", {"mover_steps": 0}, "mover_steps must be at least 1"),
        ("discrete", {"points": 0}, "points must be at least 1"),
        ("lp", {"gp_weight": -1.0}, "gp_weight must lie"),
    ],
)
def test_options_of_their_own_are_checked(method: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        fit(*gaussians(), method, **{**QUICK, **options})
