"""Divergences against closed forms, exact rational and 60-digit arithmetic, and quadrature."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otgan import divergences
from otgan.divergences import (
    Gaussian,
    common_support,
    gan_value,
    jensen_shannon,
    kullback_leibler,
    optimal_discriminator,
    total_variation,
)
from otgan.errors import InvalidInput

LOG2 = math.log(2)
DISCRETE: tuple[Any, ...] = (total_variation, kullback_leibler, jensen_shannon, gan_value)
untimed = settings(deadline=None)


# --- what is drawn ---------------------------------------------------------------------------------------------------


def masses(k: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 1000), min_size=k, max_size=k).filter(any)


def same_total(p: list[int], q: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Integer masses with exactly equal totals, so that rounding has no part in what is being asked."""
    return np.array(p, dtype=float) * sum(q), np.array(q, dtype=float) * sum(p)


pairs = st.integers(1, 8).flatmap(lambda k: st.builds(same_total, masses(k), masses(k)))
lines = st.builds(Gaussian, st.integers(-20, 20), st.integers(1, 400).map(lambda v: v / 20))


@st.composite
def gaussian_pairs(draw: st.DrawFn) -> tuple[Gaussian, Gaussian]:
    d = draw(st.integers(1, 4))

    def one() -> Gaussian:
        entries = st.lists(st.integers(-3, 3), min_size=d * d, max_size=d * d)
        a = np.array(draw(entries), dtype=float).reshape(d, d)
        mean = draw(st.lists(st.integers(-5, 5), min_size=d, max_size=d))
        return Gaussian(mean, a @ a.T + np.eye(d))

    return one(), one()


# --- the truth -------------------------------------------------------------------------------------------------------


def exact_total_variation(p: np.ndarray, q: np.ndarray) -> Fraction:
    p_exact, q_exact = [Fraction(v) for v in p.tolist()], [Fraction(v) for v in q.tolist()]
    total_p, total_q = sum(p_exact), sum(q_exact)
    return sum((abs(a / total_p - b / total_q) for a, b in zip(p_exact, q_exact, strict=True)), Fraction(0)) / 2


def exact_kullback_leibler(p: Any, q: Any) -> Decimal:
    """KL of the floats given, normalised without rounding, to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        p_exact, q_exact = [Decimal(float(v)) for v in p], [Decimal(float(v)) for v in q]
        shares = [(a / sum(p_exact), b / sum(q_exact)) for a, b in zip(p_exact, q_exact, strict=True)]
        if any(a > 0 and b == 0 for a, b in shares):
            return Decimal("inf")
        return sum((a * (a / b).ln() for a, b in shares if a > 0), Decimal(0))


def density(gaussian: Gaussian, x: np.ndarray) -> np.ndarray:
    """The density on the line."""
    mean, variance = gaussian.mean.item(), gaussian.covariance.item()
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def fine_grid(p: Gaussian, q: Gaussian, points: int = 200_001) -> np.ndarray:
    reach = 14 * math.sqrt(max(p.covariance.item(), q.covariance.item()))
    return np.linspace(min(p.mean.item(), q.mean.item()) - reach, max(p.mean.item(), q.mean.item()) + reach, points)


def standard(mu: float = 0.0, variance: float = 1.0) -> Gaussian:
    return Gaussian(mu, variance)


def relatively(expected: Any, rel: float) -> Any:
    """Equal within ``rel``, however small: pytest.approx alone forgives 1e-12."""
    return pytest.approx(expected, rel=rel, abs=0)


# --- masses over the same atoms --------------------------------------------------------------------------------------


@untimed
@given(pairs)
def test_total_variation_is_the_exact_fraction(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert total_variation(*pair) == pytest.approx(float(exact_total_variation(*pair)), rel=1e-12, abs=1e-15)


@untimed
@given(pairs)
def test_kullback_leibler_and_jensen_shannon_to_many_digits(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    assert kullback_leibler(p, q) == pytest.approx(float(exact_kullback_leibler(p, q)), rel=1e-9, abs=0)
    half = (exact_kullback_leibler(p, p + q) + exact_kullback_leibler(q, p + q)) / 2
    assert jensen_shannon(p, q) == pytest.approx(float(half), rel=1e-9, abs=0)


@untimed
@given(pairs)
def test_inequalities_and_symmetry(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    tv, js = total_variation(p, q), jensen_shannon(p, q)
    assert total_variation(q, p) == relatively(tv, 1e-13)
    assert jensen_shannon(q, p) == relatively(js, 1e-13)
    assert kullback_leibler(p, q) * (1 + 1e-9) >= 2 * tv**2  # Pinsker
    assert 0 <= tv <= 1
    assert tv**2 / 2 <= js * (1 + 1e-9)
    assert js <= LOG2
    assert js <= LOG2 * tv * (1 + 1e-9)  # Lin 1991
    for function in (total_variation, kullback_leibler, jensen_shannon):
        assert function(p, p) == 0


@untimed
@given(pairs, st.randoms(use_true_random=False))
def test_neither_order_nor_splitting_nor_scale_matters(pair: tuple[np.ndarray, np.ndarray], random: Any) -> None:
    p, q = pair
    order = random.sample(range(len(p)), len(p))
    for function in DISCRETE:
        expected = pytest.approx(function(p, q), rel=1e-9, abs=1e-15)
        assert function(p[order], q[order]) == expected
        assert function(np.append(p, p) / 2, np.append(q, q) / 2) == expected
        assert function(np.append(3 * p, 0), np.append(3 * q, 0)) == expected


@pytest.mark.parametrize("shift", [1e-3, 1e-7, 1e-9, 1e-12])
def test_nearly_equal_masses_keep_their_digits(shift: float) -> None:
    p, q = np.array([1 + shift, 1 - shift, 1.0]), np.ones(3)
    change = p[0] - 1  # what shift became in floats
    assert kullback_leibler(p, q) == relatively(float(exact_kullback_leibler(p, q)), 1e-14 / change)
    assert jensen_shannon(p, q) == relatively(change**2 / 12, max(1e-14 / change, 2 * change))
    assert kullback_leibler(q, p) > 0


def test_limits_at_zero_mass_and_at_the_smallest_floats() -> None:
    tiny = 5e-324
    assert kullback_leibler([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kullback_leibler([1.0, 0.0], [0.5, 0.5]) == relatively(LOG2, 1e-15)
    assert kullback_leibler([0.0, 1.0, 0.0], [0.0, 1.0, 0.0]) == 0
    assert kullback_leibler([1.0, tiny], [tiny, 1.0]) == relatively(1074 * LOG2, 1e-14)
    assert jensen_shannon([1.0, 0.0, tiny], [0.0, 1.0, 0.0]) == LOG2
    assert jensen_shannon([1.0, tiny], [1.0, 0.0]) == 0
    assert -1e-300 < gan_value([1.0, tiny], [tiny, 1.0]) <= 0


def test_single_precision_masses_need_not_sum_to_one_in_double_precision() -> None:
    p = np.full(7, 1 / 7, dtype=np.float32)
    q = np.linspace(0.5, 1.5, 7, dtype=np.float32) / np.float32(7)
    assert total_variation(p, q) == relatively(1 / 7, 1e-5)
    assert kullback_leibler(p, p) == 0


# --- masses over atoms of their own ----------------------------------------------------------------------------------


def test_equal_points_are_one_atom() -> None:
    atoms, p, q = common_support([[0.0, 1.0], [0.0, 1.0], [2.0, 2.0]], [[-0.0, 1.0], [3.0, 0.0]], q=[1, 3], p=[1, 1, 2])
    np.testing.assert_array_equal(atoms, [[0, 1], [2, 2], [3, 0]])
    np.testing.assert_array_equal(p, [0.5, 0.5, 0])
    np.testing.assert_array_equal(q, [0.25, 0, 0.75])
    assert total_variation([1, 3], [2, 2], x=[7, 8], y=[8, 7]) == 0.25


@untimed
@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_samples_are_their_histograms(x: list[int], y: list[int]) -> None:
    p, q = np.bincount(x, minlength=6) / len(x), np.bincount(y, minlength=6) / len(y)
    for function in DISCRETE:
        assert function(None, None, x=x, y=y) == pytest.approx(function(p, q), rel=1e-9, abs=1e-15)
    atoms = common_support(x, y).atoms[:, 0].astype(int)
    np.testing.assert_allclose(optimal_discriminator(None, None, x=x, y=y), optimal_discriminator(p, q)[atoms])


@pytest.mark.parametrize("theta", [-1.0, -1e-12, 0.0, 1e-12, 0.5, 1.0])
def test_parallel_lines_see_no_distance(theta: float) -> None:
    """Arjovsky et al. 2017, Example 1: only whether theta is 0 shows."""
    height = np.random.default_rng(0).uniform(size=40)
    x = np.column_stack([np.zeros(40), height])
    y = np.column_stack([np.full(40, theta), height])
    seen = [function(None, None, x=x, y=y) for function in (kullback_leibler, total_variation, jensen_shannon)]
    assert seen == ([0, 0, 0] if theta == 0 else [math.inf, pytest.approx(1), pytest.approx(LOG2)])


# --- the discriminator and the GAN's game ----------------------------------------------------------------------------


@untimed
@given(pairs, st.data())
def test_no_discriminator_beats_the_optimal_one(pair: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    p, q = pair
    best = gan_value(p, q)
    assert best == pytest.approx(2 * jensen_shannon(p, q) - 2 * LOG2, rel=1e-12, abs=1e-15)
    assert gan_value(p, q, optimal_discriminator(p, q)) == pytest.approx(best, rel=1e-12, abs=1e-15)
    other = data.draw(st.lists(st.floats(0, 1), min_size=len(p), max_size=len(p)))
    assert gan_value(p, q, other) <= best + 1e-12


@untimed
@given(pairs)
def test_the_optimal_discriminator_is_the_share_of_p(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    shares = [a / (a + b) if a + b else 0.5 for a, b in zip(p.tolist(), q.tolist(), strict=True)]
    np.testing.assert_allclose(optimal_discriminator(p, q), shares, rtol=1e-13)
    np.testing.assert_allclose(optimal_discriminator(p, q) + optimal_discriminator(q, p), 1, rtol=1e-13)


def test_a_discriminator_that_is_surely_wrong_loses_everything() -> None:
    assert gan_value([0.5, 0.5], [0.5, 0.5], [0, 1]) == -math.inf
    assert gan_value([1.0, 0.0], [0.0, 1.0], [0, 1]) == -math.inf
    assert gan_value([1.0, 0.0], [0.0, 1.0], [1, 0]) == 0
    assert gan_value([0.3, 0.7], [0.6, 0.4], [0.5, 0.5]) == relatively(-2 * LOG2, 1e-15)


# --- Gaussians -------------------------------------------------------------------------------------------------------


@untimed
@given(gaussian_pairs())
def test_kullback_leibler_is_the_textbook_formula(pair: tuple[Gaussian, Gaussian]) -> None:
    p, q = pair
    precision, delta = np.linalg.inv(q.covariance), p.mean - q.mean
    ratio = precision @ p.covariance
    expected = (np.trace(ratio) - len(delta) - np.linalg.slogdet(ratio)[1] + delta @ precision @ delta) / 2
    assert kullback_leibler(p, q) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert kullback_leibler(p, q) >= 0
    assert kullback_leibler(p, p) == 0


@untimed
@given(gaussian_pairs(), st.integers(1, 5), st.integers(-4, 4))
def test_kullback_leibler_does_not_depend_on_coordinates(
    pair: tuple[Gaussian, Gaussian], scale: int, shear: int
) -> None:
    d = len(pair[0].mean)
    change = scale * np.eye(d) + shear * np.eye(d, k=1)
    moved = [Gaussian(change @ g.mean + 7, change @ g.covariance @ change.T) for g in pair]
    assert kullback_leibler(*moved) == pytest.approx(kullback_leibler(*pair), rel=1e-6, abs=1e-9)


def test_independent_coordinates_add_up() -> None:
    p, q = Gaussian([0, 1, 2], np.diag([1, 2, 3])), Gaussian([1, 1, -1], np.diag([2, 0.5, 3]))
    parts = [
        kullback_leibler(Gaussian(m, v), Gaussian(n, w))
        for m, v, n, w in zip(p.mean, np.diag(p.covariance), q.mean, np.diag(q.covariance), strict=True)
    ]
    assert kullback_leibler(p, q) == relatively(sum(parts), 1e-14)


@untimed
@given(lines, lines)
def test_gaussians_on_the_line_against_a_fine_grid(p: Gaussian, q: Gaussian) -> None:
    x = fine_grid(p, q)
    at_p, at_q = density(p, x), density(q, x)
    # The integrand of JS is smooth and vanishes at both ends, where the trapezoidal rule is exact to rounding.
    entropy = [np.where(f > 0, f * np.log(f, where=f > 0, out=np.zeros_like(f)), 0) for f in (at_p, at_q, at_p + at_q)]
    expected = LOG2 + np.trapezoid(entropy[0] + entropy[1] - entropy[2], x) / 2
    assert jensen_shannon(p, q) == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert total_variation(p, q) == pytest.approx(np.trapezoid(np.abs(at_p - at_q), x) / 2, abs=1e-6)


@untimed
@given(lines, lines)
def test_gaussians_obey_the_same_inequalities(p: Gaussian, q: Gaussian) -> None:
    tv, js = total_variation(p, q), jensen_shannon(p, q)
    assert total_variation(q, p) == tv
    assert jensen_shannon(q, p) == relatively(js, 1e-12)
    assert kullback_leibler(p, q) * (1 + 1e-9) >= 2 * tv**2
    assert tv**2 / 2 <= js * (1 + 1e-9)
    assert js <= LOG2 * min(1, tv * (1 + 1e-9))
    assert gan_value(p, q) == pytest.approx(2 * js - 2 * LOG2, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("sigma", [1 + 1e-6, 1.5, 2.0, 30.0, 1e6])
def test_total_variation_of_concentric_gaussians(sigma: float) -> None:
    """The densities of N(0, 1) and N(0, sigma^2) cross at r and -r, r^2 = 2 log(sigma) / (1 - sigma^-2)."""
    r = math.sqrt(2 * math.log(sigma) / (1 - sigma**-2))
    expected = math.erf(r / math.sqrt(2)) - math.erf(r / sigma / math.sqrt(2))
    assert total_variation(standard(), standard(0, sigma**2)) == relatively(expected, 1e-9)


@pytest.mark.parametrize("change", [1e-4, 1e-7, 1e-10])
def test_nearly_equal_gaussians_keep_their_digits(change: float) -> None:
    """The first terms of the expansions around N(0, 1), in the mean and in the variance."""
    height = math.exp(-0.5) / math.sqrt(2 * math.pi)
    p, moved, wider = standard(), standard(change), standard(0, 1 + change)
    grown = wider.covariance.item() - 1  # what change became in floats
    near = 2 * change
    assert total_variation(p, moved) == relatively(change / math.sqrt(2 * math.pi), near)
    assert kullback_leibler(p, moved) == relatively(change**2 / 2, near)
    assert jensen_shannon(p, moved) == relatively(change**2 / 8, near)
    assert total_variation(p, wider) == relatively(height * grown, near)
    assert jensen_shannon(p, wider) == relatively(grown**2 / 16, near)
    # The Cholesky factors round at 1e-16, so that much of their difference is noise.
    assert kullback_leibler(p, wider) == relatively(grown**2 / 4, near + 1e-15 / change)


@pytest.mark.parametrize("mu", [0.0, 0.5, 5.0])
def test_equal_covariances_leave_the_mahalanobis_distance(mu: float) -> None:
    mixing = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [-3.0, 0.5, 0.25]])
    direction = np.array([2.0, -1.0, 2.0]) / 3
    p = Gaussian([1, 2, 3], mixing @ mixing.T)
    q = Gaussian(p.mean + mu * mixing @ direction, mixing @ mixing.T)
    for function in (total_variation, jensen_shannon, kullback_leibler, gan_value):
        assert function(p, q) == pytest.approx(function(standard(), standard(mu)), rel=1e-11, abs=1e-15)
    assert total_variation(p, q) == pytest.approx(math.erf(mu / math.sqrt(8)), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("mu", [0, 5, 30, 35])
def test_shifted_gaussians_saturate(mu: int) -> None:
    """KL grows with the square of the shift, but TV and JS stop growing, and D* leaves no slope to follow."""
    p, q = standard(), standard(mu)
    assert kullback_leibler(p, q) == mu**2 / 2
    assert total_variation(p, q) == math.erf(mu / math.sqrt(8))
    known = {0: 0.0, 5: 0.67594257738098, 30: LOG2, 35: LOG2}  # at 5 by 50-digit quadrature
    assert jensen_shannon(p, q) == relatively(known[mu], 1e-12)
    discriminator = optimal_discriminator(p, q)
    np.testing.assert_allclose(discriminator.logit([0, mu / 2, mu]), [mu**2 / 2, 0, -(mu**2) / 2])
    np.testing.assert_allclose(
        discriminator([0, mu / 2, mu]), [1 / (1 + math.exp(-(mu**2) / 2)), 0.5, 1 / (1 + math.exp(mu**2 / 2))]
    )
    if mu >= 30:
        assert jensen_shannon(p, standard(mu + 1)) == jensen_shannon(p, q)


@pytest.mark.parametrize(("mu", "known"), [(12, -6.01154125258517e-09), (30, -2.29416580562486e-50)])
def test_what_a_saturated_game_still_shows_keeps_its_digits(mu: float, known: float) -> None:
    assert gan_value(standard(), standard(mu)) == relatively(known, 1e-10)  # by 400-digit quadrature


def test_narrow_and_far_gaussians_do_not_slip_through_the_quadrature() -> None:
    wide = standard(0, 1e12)
    assert jensen_shannon(standard(3e5, 1e-12), wide) == pytest.approx(LOG2, abs=1e-9)
    assert jensen_shannon(wide, wide) == 0
    # 50-digit quadrature
    assert jensen_shannon(standard(1, 1e-4), standard()) == relatively(0.65721738227394, 1e-10)


@untimed
@given(gaussian_pairs(), st.lists(st.integers(-9, 9), min_size=4, max_size=4))
def test_the_logit_is_the_difference_of_log_densities(pair: tuple[Gaussian, Gaussian], at: list[int]) -> None:
    p, q = pair
    x = np.array(at[: len(p.mean)], dtype=float)

    def log_density(g: Gaussian) -> float:
        centred = x - g.mean
        return -float(np.linalg.slogdet(g.covariance)[1] + centred @ np.linalg.solve(g.covariance, centred)) / 2

    discriminator = optimal_discriminator(p, q)
    expected = log_density(p) - log_density(q)
    assert discriminator.logit(x[None]).item() == pytest.approx(expected, rel=1e-9, abs=1e-8)
    assert 0 <= discriminator(x[None]).item() <= 1
    swapped = optimal_discriminator(q, p)
    assert discriminator(x[None]).item() + swapped(x[None]).item() == relatively(1, 1e-8)


@pytest.mark.parametrize("slope", [-3.0, 0.0, 0.5, 1.9, 2.1, 40.0])
def test_no_function_beats_the_optimal_discriminator(slope: float) -> None:
    p, q = standard(2), standard(0)  # the optimal logit is 2 (x - 1)
    best = gan_value(p, q)
    assert gan_value(p, q, optimal_discriminator(p, q)) == relatively(best, 1e-10)
    assert gan_value(p, q, lambda x: (1 + np.tanh(slope * (x - 1) / 2)) / 2) < best


def test_functions_as_discriminators() -> None:
    p, q = standard(), standard(1)
    assert gan_value(p, q, lambda x: 0.5) == relatively(-2 * LOG2, 1e-12)
    assert gan_value(p, q, lambda x: 1.0 * (x > 0)) == -math.inf
    x = fine_grid(p, q)
    expected = -np.trapezoid(density(p, x) * np.logaddexp(0, -x) + density(q, x) * np.logaddexp(0, x), x)
    assert gan_value(p, q, lambda x: 1 / (1 + np.exp(-x))) == relatively(expected, 1e-10)
    far = standard(30)
    assert gan_value(p, far, optimal_discriminator(p, far)) == relatively(gan_value(p, far), 1e-6)


def test_a_gaussian_keeps_what_it_was_given() -> None:
    mean = np.zeros(2)
    g = Gaussian(mean, 2.0)
    mean[0] = 9
    assert g.mean.tolist() == [0, 0]
    np.testing.assert_array_equal(g.covariance, 2 * np.eye(2))
    np.testing.assert_allclose(g.factor @ g.factor.T, g.covariance)
    assert repr(Gaussian(0, 4)) == "Gaussian(mean=[0.0], covariance=[[4.0]])"
    with pytest.raises(ValueError, match="read-only"):
        g.mean[0] = 1


# --- what is refused -------------------------------------------------------------------------------------------------

GOOD = [0.5, 0.5]
BAD_MASSES = {
    "NaN": [math.nan, 1.0],
    "infinite": [math.inf, 1.0],
    "negative": [-0.5, 1.5],
    "empty": [],
    "complex": [0.5j, 1.0],
    "unequal mass": [0.5, 0.4],
    "other length": [0.5, 0.25, 0.25],
    "two-dimensional": [[0.5, 0.5]],
    "a number": 1.0,
    "no mass": [0.0, 0.0],
    "nothing": None,
    "text": ["a", "b"],
    "a Gaussian": Gaussian(0, 1),
}


@pytest.mark.parametrize("function", [*DISCRETE, optimal_discriminator])
@pytest.mark.parametrize("bad", BAD_MASSES.values(), ids=BAD_MASSES)
def test_bad_masses_are_refused(function: Any, bad: Any) -> None:
    with pytest.raises(InvalidInput):
        function(bad, GOOD)
    with pytest.raises(InvalidInput):
        function(GOOD, bad)


@pytest.mark.parametrize("function", [*DISCRETE, optimal_discriminator])
@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([0, 1], None),
        (None, [0, 1]),
        ([0, 1, 2], [0, 1]),
        ([0, math.nan], [0, 1]),
        ([[0, 0], [1, 1]], [0, 1]),
        ([], [0, 1]),
        ([1j, 0], [0, 1]),
    ],
)
def test_bad_supports_are_refused(function: Any, x: Any, y: Any) -> None:
    with pytest.raises(InvalidInput):
        function(GOOD, GOOD, x=x, y=y)


@pytest.mark.parametrize(
    ("mean", "covariance"),
    [
        (math.nan, 1.0),
        ([], 1.0),
        ([[0.0]], 1.0),
        (1j, 1.0),
        (1e200, 1.0),
        (0.0, 0.0),
        (0.0, -1.0),
        (0.0, math.inf),
        (0.0, 1e-200),
        ([0, 0], [1, 1]),
        ([0, 0], np.eye(3)),
        ([0, 0], [[1, 2], [0, 1]]),
        ([0, 0], [[1, 2], [2, 1]]),
        ([0, 0], [[1, 1], [1, 1]]),
        ([0, 0], [[1, 1], [1, 1 + 1e-15]]),
    ],
)
def test_bad_gaussians_are_refused(mean: Any, covariance: Any) -> None:
    with pytest.raises(InvalidInput):
        Gaussian(mean, covariance)


def test_pairs_of_gaussians_without_an_answer_are_refused() -> None:
    round_, long = Gaussian([0, 0], 1.0), Gaussian([0, 0], np.diag([1, 2]))
    for function in (total_variation, jensen_shannon, gan_value):
        with pytest.raises(InvalidInput, match=r"Estimate it from samples.*logit"):
            function(round_, long)
    with pytest.raises(InvalidInput, match="samples"):
        gan_value(round_, round_, lambda x: 0.5)
    everything: list[Any] = [*DISCRETE, optimal_discriminator]
    for function in everything:
        with pytest.raises(InvalidInput, match="same dimension"):
            function(round_, standard())
        with pytest.raises(InvalidInput, match="supports"):
            function(standard(), standard(), x=[0], y=[0])
    with pytest.raises(InvalidInput, match=r"\(n, 2\)"):
        optimal_discriminator(round_, long)([0.0, 1.0])


@pytest.mark.parametrize("bad", [[0.5], [0.5, 1.5], [-0.1, 0.5], [math.nan, 0.5], 0.5, [[0.5, 0.5]]])
def test_bad_discriminators_are_refused(bad: Any) -> None:
    with pytest.raises(InvalidInput, match="discriminator"):
        gan_value(GOOD, GOOD, bad)


@pytest.mark.parametrize("bad", [[0.5], lambda x: 1.5, lambda x: math.nan, lambda x: [0.5, 0.5], lambda x: 0.5j])
def test_bad_functions_are_refused(bad: Any) -> None:
    with pytest.raises(InvalidInput, match="discriminator"):
        gan_value(standard(), standard(1), bad)


def test_the_estimate_that_messages_suggest_is_right() -> None:
    """The means over samples named in the messages, on the line, where the answers are known."""
    p, q = standard(), standard(1, 2)
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, 200_000), rng.normal(1, math.sqrt(2), 200_000)
    logit = optimal_discriminator(p, q).logit
    real, fake = np.logaddexp(0, -logit(x)).mean(), np.logaddexp(0, logit(y)).mean()
    assert np.maximum(0, 1 - np.exp(-logit(x))).mean() == pytest.approx(total_variation(p, q), abs=5e-3)
    assert LOG2 - (real + fake) / 2 == pytest.approx(jensen_shannon(p, q), abs=5e-3)
    assert -real - fake == pytest.approx(gan_value(p, q), abs=1e-2)


def test_public_names() -> None:
    for name in divergences.__all__:
        assert getattr(divergences, name).__doc__
