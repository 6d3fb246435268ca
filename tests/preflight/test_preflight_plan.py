"""Pairs made of samples: their distances against the exact solver, and their sizes."""

from __future__ import annotations

import numpy as np
import pytest

import otgan
from otgan.data import SampleSet
from otgan.preflights.plan import FAMILIES, SIZES, cases, ground


@pytest.mark.parametrize("name", ["digits:8", "gaussians8"])
def test_the_distance_of_every_pair_is_that_of_its_coupled_samples(name: str) -> None:
    at = ground(name, n=200)
    found = cases(at, seed=3)
    assert {case.family for case in found} == set(FAMILIES)
    for case in found:
        pair = case.pair(at)
        x, y = pair.coupled(150, np.random.default_rng(1))
        moved = np.linalg.norm(x - y, axis=1).mean()
        assert otgan.wasserstein(x, y) == pytest.approx(moved, rel=1e-9), case
        assert pair.w1 == (pytest.approx(case.w1, rel=1e-12), 0.0), case


def test_sizes_are_shares_of_the_typical_distance_or_as_far_as_rays_go() -> None:
    at = ground("digits:8")
    shares = {size.name: size.share for size in SIZES}
    for case in cases(at):
        assert 0.5 * shares[case.size] <= case.share <= shares[case.size] * (1 + 1e-9)
        assert case.w1 == pytest.approx(case.share * at.typical)
    near = {case.family for case in cases(at) if case.size == "near"}
    assert near == set(FAMILIES)  # every family has rays of a few per cent


def test_units_do_not_matter() -> None:
    points = np.random.default_rng(0).normal(size=(60, 3))
    one, other = ground(points), ground(1024.0 * points)
    for first, second in zip(cases(one), cases(other), strict=True):
        assert (first.family, first.size, first.direction) == (second.family, second.size, second.direction)
        assert second.w1 == pytest.approx(1024 * first.w1, rel=1e-9)


def test_a_seed_of_its_own_gives_other_pairs() -> None:
    at = ground("digits:8")
    x, _ = cases(at, 0)[0].pair(at).coupled(5, np.random.default_rng(0))
    other, _ = cases(at, 1)[0].pair(at).coupled(5, np.random.default_rng(0))
    assert not np.allclose(x, other)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((19, 2)), "at least 20 samples"),
        (np.ones((30, 2)), "are the same"),
        (SampleSet("w", np.arange(60.0).reshape(30, 2), (2,), "here", weights=np.ones(30)), "has weights"),
    ],
)
def test_samples_that_say_nothing_are_refused(data: object, message: str) -> None:
    with pytest.raises(otgan.InvalidInput, match=message):
        ground(data)


def test_at_most_n_samples_are_used() -> None:
    assert len(ground("digits:8", n=50).samples) == 50
