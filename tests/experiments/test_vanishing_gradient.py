"""Gradients of a frozen generator, where they are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from otgan.experiments import vanishing_gradient
from otgan.experiments.vanishing_gradient import EXPERIMENT, batch_gradients, norm_and_variance, steps_to_measure
from otgan.gan.objectives import Minimax, NonSaturating, Wasserstein

TINY = vanishing_gradient.Settings(
    data="gaussians8", steps=6, width=8, orthogonal_width=8, depth=1, latent=2, batch_size=8, batches=3, n=20
)


class Shift(nn.Module):
    """The generator ``z -> z + b`` in the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.zeros(2))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z + self.b


class Plane(nn.Module):
    """The critic ``y -> <w, y> + c``."""

    def __init__(self, w: tuple[float, float], c: float) -> None:
        super().__init__()
        self.w, self.c = torch.tensor(w), c

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return y @ self.w + self.c


@pytest.mark.parametrize("c", [0.0, -5.0, -50.0])
def test_losses_of_a_generator_that_shifts(c: float) -> None:
    # With one sample at 0 and the logit c there: -D w, -(1 - D) w and -w, D the sigmoid of c.
    generator, critic, noise = Shift(), Plane((3.0, 4.0), c), torch.zeros(2, 1, 2)
    d = 1 / (1 + math.exp(-c))
    for loss, share in ((Minimax(), d), (NonSaturating(), 1 - d), (Wasserstein(), 1.0)):
        gradients = batch_gradients(loss, generator, critic, noise)
        expected = torch.tensor([[-3.0, -4.0]] * 2).double() * share
        torch.testing.assert_close(gradients, expected, rtol=1e-5, atol=0)
        norm, variance = norm_and_variance(gradients)
        assert norm == pytest.approx(5 * share, rel=1e-5)
        assert variance == 0


def test_norm_and_variance_know_the_definition() -> None:
    gradients = np.random.default_rng(0).normal(size=(7, 3))
    norm, variance = norm_and_variance(torch.as_tensor(gradients))
    assert norm == pytest.approx(np.linalg.norm(gradients, axis=1).mean())
    assert variance == pytest.approx(np.trace(np.cov(gradients.T)))


@pytest.mark.parametrize("steps", [1, 2, 7, 300, 4000])
def test_steps_begin_and_end(steps: int) -> None:
    kept = steps_to_measure(steps)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == steps


def test_cases_of_a_seed_start_from_the_same_networks_and_samples() -> None:
    clip, gp = (EXPERIMENT.measure(TINY, case, 0) for case in ("clip", "gp"))
    # Before the first step both have the same critic, and so the same gradients.
    for name in ("norm", "variance", "cosine"):
        assert clip["clip"][name][0] == gp["gp"][name][0]
    assert clip["told apart"][0] == gp["told apart"][0]


def test_the_global_random_state_is_left_alone() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = EXPERIMENT.measure(TINY, "gp", 1)
    torch.rand(3)
    torch.testing.assert_close(EXPERIMENT.measure(TINY, "gp", 1), first, rtol=0, atol=0)
    torch.set_rng_state(before)
    EXPERIMENT.measure(TINY, "orthogonal", 1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
