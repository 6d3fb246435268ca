"""Scores of generated samples against what theorems say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from otgan import InvalidInput
from otgan.data import load, toys
from otgan.data.digits import labels
from otgan.gan.classifier import digit_classifier
from otgan.gan.metrics import class_score, classes_covered, frechet_distance, mixture_modes, near, precision_recall
from otgan.gan.sample_metrics import SampleMetrics

RNG = np.random.default_rng(0)


def cloud(n: int = 80, d: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d))


def test_frechet_distance_of_commuting_covariances_is_known() -> None:
    """Samples scaled by s per axis: covariances commute, and W2^2 = |m - n|^2 + sum (sqrt S_i - sqrt T_i)^2."""
    x = RNG.normal(size=(200, 3))
    scale = np.array([1.0, 2.0, 0.5])
    values, axes = np.linalg.eigh(np.cov(x, rowvar=False))
    y = (x @ axes * scale) @ axes.T + 1.5
    truth = np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + (values * (1 - scale) ** 2).sum()
    assert frechet_distance(x, y) == pytest.approx(truth, rel=1e-9)


@given(st.integers(0, 1000))
def test_frechet_distance_is_a_squared_metric_that_rotations_keep(seed: int) -> None:
    x, y = cloud(seed=seed), cloud(60, seed=seed + 1) + 1
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    distance = frechet_distance(x, y)
    assert frechet_distance(y, x) == pytest.approx(distance, rel=1e-8)
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(distance, rel=1e-8)
    assert frechet_distance(3 * x, 3 * y) == pytest.approx(9 * distance, rel=1e-8)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9 * np.square(x).sum())


def test_frechet_distance_is_that_of_the_eigenvalue_formula() -> None:
    x, y = cloud(), cloud(60, seed=5)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    cross = np.real(np.sqrt(np.linalg.eigvals(s @ t).astype(complex))).sum()
    truth = np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + np.trace(s) + np.trace(t) - 2 * cross
    assert frechet_distance(x, y) == pytest.approx(truth, rel=1e-9)


def test_precision_and_recall_tell_quality_from_variety() -> None:
    real = np.concatenate([RNG.normal(size=(50, 2)), RNG.normal(size=(50, 2)) + 100])
    one_mode = RNG.normal(size=(100, 2)) * 0.5
    precision, recall = precision_recall(real, one_mode)
    assert precision > 0.95
    assert recall < 0.5
    everywhere = np.concatenate([real, RNG.normal(size=(100, 2)) - 300])
    precision, recall = precision_recall(real, everywhere)
    assert (precision, recall) == (0.5, 1.0)


def test_precision_of_one_is_recall_of_the_other() -> None:
    x, y = cloud(seed=1), cloud(70, seed=2)
    assert precision_recall(x, y) == precision_recall(y, x)[::-1]


@given(st.integers(1, 6), st.integers(0, 100))
def test_class_score_lies_between_one_and_the_number_of_classes(k: int, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(k), size=30)
    assert 1 - 1e-12 <= class_score(probabilities) <= k + 1e-12
    assert class_score(np.repeat(probabilities[:1], 5, axis=0)) == pytest.approx(1)
    assert class_score(np.tile(np.eye(k), (3, 1))) == pytest.approx(k)


def test_classes_need_a_fiftieth_of_the_samples() -> None:
    chosen = np.eye(3)[[0] * 150 + [1] * 4 + [2]]
    assert classes_covered(chosen) == 2


def test_a_mixture_covers_its_own_modes() -> None:
    for name, draw, k in (("gaussians8", toys.gaussians8, 8), ("gaussians25", toys.gaussians25, 25)):
        mixture = toys.modes(name)
        assert mixture is not None
        modes, share = mixture_modes(draw(2000, np.random.default_rng(0)), *mixture)
        assert modes == k
        assert share == pytest.approx(1 - np.exp(-9 / 2), abs=0.01)  # within 3 sd in the plane
    assert toys.modes("swissroll") is None


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 2 samples"):
        frechet_distance(np.zeros((1, 2)), np.zeros((5, 2)))
    with pytest.raises(InvalidInput, match="at least 4 samples"):
        precision_recall(np.zeros((3, 2)), np.zeros((5, 2)))


def test_digits_are_better_than_noise_and_one_digit_is_one_mode() -> None:
    points, truth = load("digits").points, labels("digits")
    assert (digit_classifier("digits").predict(points)[1].argmax(axis=1) == truth).mean() > 0.95
    order = np.random.default_rng(0).permutation(len(points))
    a, b, c = (points[order[k : k + 400]] for k in (0, 400, 800))
    metrics = SampleMetrics("digits", a, b)
    good, noise = metrics.measure(c), metrics.measure(np.random.default_rng(0).random(c.shape))
    threes = metrics.measure(points[truth == 3])
    assert good["frechet_distance"] < 3 * good["frechet_floor"] < noise["frechet_distance"]
    assert min(good["precision"], good["recall"]) > 0.8 > noise["precision"]
    assert (good["modes"], threes["modes"]) == (10, 1)
    assert good["modes_of"] == 10
    assert "outside" not in good
    assert good["class_score"] > 8 > 2 > threes["class_score"]
    assert threes["precision"] > 0.8 > 0.3 > threes["recall"]


def test_data_of_one_class_have_one_mode_and_other_classes_are_outside() -> None:
    """More classes than the data have count for nothing: seven threes and three eights cover one class of one."""
    points, truth = load("digits").points, labels("digits")
    threes, eights = points[truth == 3], points[truth == 8]
    metrics = SampleMetrics("digits:3", threes[:80], threes[80:160])
    own = metrics.measure(threes[:70])
    mixed = metrics.measure(np.concatenate([threes[:70], eights[:30]]))
    other = metrics.measure(eights[:50])
    assert [(found["modes"], found["modes_of"]) for found in (own, mixed, other)] == [(1, 1), (1, 1), (0, 1)]
    assert own["outside"] < 0.05
    assert mixed["outside"] == pytest.approx(0.3, abs=0.05)
    assert other["outside"] > 0.9


def test_a_mixture_says_of_how_many_modes() -> None:
    near_one = np.random.default_rng(0).normal(0, 0.001, size=(50, 2))
    for name, k in (("gaussians8", 8), ("gaussians25", 25)):
        mixture = toys.modes(name)
        assert mixture is not None
        found = SampleMetrics(name, near_one, near_one).measure(near_one + mixture[0][0])
        assert (found["modes"], found["modes_of"], found["in_modes"]) == (1, k, 1.0)


def test_other_sets_have_no_metrics() -> None:
    assert SampleMetrics("data", np.zeros((5, 2)), np.zeros((5, 2))).measure(np.zeros((5, 2))) == {}


NOT_FEATURES: dict[str, Any] = {
    "NaN": [[0.0, np.nan], *np.eye(2).tolist() * 3],
    "inf": [[0.0, np.inf], *np.eye(2).tolist() * 3],
    "another width": np.zeros((8, 3)),
    "three axes": np.zeros((8, 2, 1)),
    "nothing": np.zeros((0, 2)),
    "too large to be squared": 1e199 * np.arange(16.0).reshape(8, 2),
    "complex": np.full((8, 2), 1j),
    "ragged": [[0.0], [1.0, 2.0]],
    "words": [["a", "b"]] * 8,
    "None": None,
    "integers that float64 confuses": np.full((8, 2), 2**53 + 1),
}
OF_TWO: dict[str, Any] = {
    "frechet_distance": frechet_distance,
    "precision_recall": precision_recall,
    "near": near,
    "mixture_modes": lambda one, other: mixture_modes(one, other, 0.5),
    "SampleMetrics": lambda one, other: SampleMetrics("data", one, other),
    "measure": lambda one, other: SampleMetrics("gaussians8", one, one).measure(other),
}


@pytest.mark.parametrize("bad", NOT_FEATURES)
@pytest.mark.parametrize("score", OF_TWO)
def test_what_is_no_features_is_refused_on_either_side(score: str, bad: str) -> None:
    good = np.arange(16.0).reshape(8, 2)
    for pair in ((NOT_FEATURES[bad], good), (good, NOT_FEATURES[bad])):
        with pytest.raises(InvalidInput):
            OF_TWO[score](*pair)


@pytest.mark.parametrize(
    "given",
    [
        [[np.nan, 1.0]],
        [[np.inf, -np.inf]],
        [[800.0, -800.0]],  # logits
        [[0.5, 0.4]],
        [[1.5, -0.5]],
        [[[0.5, 0.5]]],
        [],
        None,
    ],
)
def test_what_is_no_probabilities_is_refused(given: Any) -> None:
    for score in (class_score, classes_covered):
        with pytest.raises(InvalidInput, match="probabilities"):
            score(given)


def test_lists_and_other_types_give_the_same_numbers() -> None:
    x, y = cloud(8).astype(np.float32), cloud(9, seed=1).astype(np.float32)
    for score in (frechet_distance, precision_recall):
        assert score(x.tolist(), torch.as_tensor(y)) == pytest.approx(score(x.astype(float), y.astype(float)), abs=0)
    rounded = np.random.default_rng(0).dirichlet(np.ones(5), size=30).astype(np.float16)
    assert class_score(rounded) == pytest.approx(class_score(rounded.astype(float)), abs=0)


@pytest.mark.parametrize("sd", [0.0, -1.0, np.nan, np.inf, None, "1"])
def test_a_mixture_needs_a_width(sd: Any) -> None:
    with pytest.raises(InvalidInput, match="sd"):
        mixture_modes(np.zeros((2, 2)), np.zeros((1, 2)), sd)
