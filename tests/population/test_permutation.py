"""The permutation test: exact where all splits can be listed, uniform where nothing differs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import otgan
from otgan.errors import InvalidInput
from otgan.exact import small


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("p", [1, 2])
def test_null_distances_are_those_of_splits(d: int, p: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, d)), rng.normal(size=(2, d)) + 1
    pooled = np.concatenate([x, y])
    every = [
        otgan.wasserstein(pooled[list(chosen)], np.delete(pooled, chosen, axis=0), p)
        for chosen in itertools.combinations(range(5), 3)
    ]
    result = otgan.permutation_test(x, y, p, n_resamples=300, rng=0)
    assert result.statistic == pytest.approx(otgan.wasserstein(x, y, p))
    distances = np.abs(result.null_distribution[:, None] - every).min(axis=1)
    assert distances.max() < 1e-12
    share = np.mean(np.array(every) >= result.statistic * (1 - 1e-12))
    assert result.pvalue == pytest.approx(share, abs=0.1)


def test_the_p_value_is_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(0)
    values = [
        otgan.permutation_test(rng.normal(size=(8, 2)), rng.normal(size=(6, 2)), n_resamples=39, rng=k).pvalue
        for k in range(200)
    ]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.07)
    assert np.mean(values) == pytest.approx(0.5, abs=0.07)


def test_what_differs_is_seen_and_repeats_with_the_seed() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(25, 2)), rng.normal(size=(20, 2)) + 2
    one, other = (otgan.permutation_test(x, y, n_resamples=99, rng=7) for _ in range(2))
    assert one.pvalue == 0.01
    np.testing.assert_array_equal(one.null_distribution, other.null_distribution)
    assert repr(one).startswith("PermutationTestResult(statistic=")


def test_equal_points_are_no_evidence() -> None:
    result = otgan.permutation_test(np.zeros((4, 2)), np.zeros((3, 2)), n_resamples=19, rng=0)
    assert (result.statistic, result.pvalue) == (0.0, 1.0)


def test_large_samples_are_split_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(7, 2))
    expected = otgan.permutation_test(x, y, 2, n_resamples=9, rng=0)
    monkeypatch.setattr(small, "FEW_PAIRS", 10)
    found = otgan.permutation_test(x, y, 2, n_resamples=9, rng=0)
    np.testing.assert_allclose(found.null_distribution, expected.null_distribution, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_resamples": 0}, "n_resamples must be at least 1"),
        ({"rng": "seed"}, "rng must be"),
        ({"p": np.inf}, "p must be finite"),
        ({"metric": "cosine"}, "metric must be one of"),
        ({"y": np.zeros((3, 3))}, "same number of columns"),
        ({"y": np.full((3, 2), np.nan)}, "y must be finite"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        otgan.permutation_test(**{"x": np.zeros((3, 2)), "y": np.ones((3, 2)), **arguments})
