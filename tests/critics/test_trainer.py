"""Critics trained for an interval of the population's W1."""

from __future__ import annotations

import numpy as np
import pytest
from problems import gaussians

import otgan
from otgan import InvalidInput
from otgan.critics import fit, trainer


def test_a_trainer_is_a_fit_with_a_proof() -> None:
    x, y = gaussians(shift=3.0)
    critic, constant = trainer("orthogonal", steps=10, width=16, seed=2)(x, y)
    assert np.array_equal(critic(x), fit(x, y, "orthogonal", steps=10, width=16, seed=2).critic(x))
    assert constant == pytest.approx(1.0, abs=1e-5)


def test_methods_without_a_proof_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1-Lipschitz by construction, one of 'spectral'"):
        trainer("gp")
    with pytest.raises(InvalidInput, match="method must be one of"):
        trainer("best")


def test_an_interval_takes_it() -> None:
    x, y = gaussians(n=120, shift=3.0)
    interval = otgan.population_interval(x, y, folds=2, train=trainer("aol", steps=2, width=8))
    assert interval.lower <= 3.0 <= interval.upper
