"""The circle against every cut, in whole numbers: masses that nearly meet, slivers, ties, duplicates, the seam."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from circle_truth import circle_problem, circle_truth

import otgan
from otgan import OTError
from otgan.kernels.circle import cheapest_cut, cumulated, power_difference, shift, spare_bits
from otgan.masses import digits

ORDERS = [1, 1.5, 2, 3, 7, math.inf]
LONG = 2**100 + 3  # does not fit into one digit


def assert_exact(u: Any, v: Any, p: float, a: Any = None, b: Any = None, period: float = 1.0) -> None:
    truth = circle_truth(u, v, p, a, b, period)
    assert otgan.wasserstein_circle(u, v, p, a=a, b=b, period=period) == pytest.approx(truth, rel=1e-13, abs=5e-324)


@pytest.mark.parametrize("seed", range(150))
def test_problems_on_which_rounding_decides(seed: int) -> None:
    assert_exact(*circle_problem(np.random.default_rng(seed)))


def test_the_truth_itself() -> None:
    assert circle_truth([23.5, 22.0], [0.5, 1.0], 1, period=24) == 2.0
    assert circle_truth([0.0, 0.5], [0.125, 0.625], 2) == 0.125
    assert circle_truth([0.0], [0.25, 0.5], 2, [4.0], [4.0, 0.0]) == 0.5
    assert circle_truth([0.0, 0.5], [1.0, 0.25], math.inf, [3, 1], [3, 1]) == 0.25
    assert circle_truth([0.0], [1e-300, 0.5], 1, [1.0], [1.0, 0.0]) == 1e-300


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("turn", [0.0, 1 / 3, 0.5, 0.999])
def test_points_of_which_two_end_together(p: float, turn: float) -> None:
    """Five equal masses and one; the best cut of the next is one of many that are equally far, but for one sliver."""
    u = np.array([1 / 3, 0.001, 0.3353333333333333, 0.6686666666666666, 0.3353333333333333])
    assert_exact(u + turn, [0.3343333333333333 + turn], p)
    u, v = np.array([0, -0.001, -0.001, -0.001]), np.array([-0.001])
    assert_exact(u + turn, v + turn, p, [1, 1, 3, 26], [31])
    assert_exact(u + turn, v + turn, p, [1 / 31, 1 / 31, 3 / 31, 26 / 31], [1])


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("tiny", [1e-15, 1e-16, 1e-17, 1e-40, 1e-200, 5e-324])
def test_a_distribution_is_at_no_distance_from_itself(p: float, tiny: float) -> None:
    """However little mass decides about the cut."""
    u, a = np.array([0.1, 0.2, 0.5, 0.55, 0.9]), np.array([0.4, tiny, 0.3, tiny, 0.3])
    assert otgan.wasserstein_circle(u, u[::-1] + 3, p, a=a, b=a[::-1]) <= 1e-15
    assert otgan.wasserstein_circle(u, u[::-1], p, a=a, b=a[::-1]) == 0.0
    assert otgan.wasserstein_circle(u, np.repeat(u, 2), p, a=2 * a, b=np.repeat(a, 2)) == 0.0


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("tiny", [2.0**-53, 1e-20, 1e-100, 1e-300, 5e-324])
def test_slivers_of_mass_count(p: float, tiny: float) -> None:
    assert_exact([0.0, 0.5], [0.0, 0.75], p, [1.0, tiny], [1.0, tiny])
    assert_exact([0.0, 0.5, 0.7], [0.0, 0.75], p, [1.0, tiny, 0.0], [1.0, 2 * tiny])
    assert_exact([0.0, 0.25], [0.0, 0.25], p, [0.5 + 2.0**-53, 0.5 - 2.0**-53], [0.5, 0.5])
    if p < math.inf:
        found = otgan.wasserstein_circle([0.0, 0.5], [0.0, 0.75], p, a=[1.0, tiny], b=[1.0, tiny])
        assert found == pytest.approx(tiny ** (1 / p) * 0.25, rel=1e-12, abs=5e-324)


@pytest.mark.parametrize("p", ORDERS)
def test_totals_that_differ_by_rounding(p: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        a, b = rng.dirichlet(np.ones(5)), 1.0000000001 * rng.dirichlet(np.ones(4))
        assert_exact(rng.random(5), rng.random(4), p, a, b)


@pytest.mark.parametrize("p", [40, 300, 1000])
def test_orders_whose_powers_leave_float64(p: float) -> None:
    """Most of all at cuts far from the best one."""
    rng = np.random.default_rng(1)
    for spread in (1.0, 0.1, 1e-9):
        u, v = spread * rng.random(4), spread * rng.random(5)
        assert_exact(u, v, p, rng.dirichlet(np.ones(4)), None)
        assert_exact(u, np.append(u[1:], u[0] + 0.25), p)


def test_both_ends_of_the_period_are_one_point() -> None:
    for period in (1.0, 24.0, 0.1, 2 * math.pi):
        for p in ORDERS:
            ends = [0.0, period, -period, 3 * period if (3 * period) % period == 0 else 0.0]
            assert otgan.wasserstein_circle(ends, [0.0], p, period=period) == 0.0
            assert_exact([0.0, math.nextafter(period, 0)], [period, 0.0], p, period=period)


@pytest.mark.parametrize("p", [1.5, 2, 3, math.inf])
@pytest.mark.parametrize("unit", [1, 2**40, 2**61 // 50, LONG, 3**90])
def test_the_search_in_any_number_of_digits(p: float, unit: int) -> None:
    """Small masses times a unit: the same cut whatever the unit."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        x, y = np.sort(rng.random(5) - 0.5), np.sort(rng.random(6) - 0.5)
        b = rng.integers(1, 5, size=6)
        a = np.append(rng.integers(1, 2, size=4), b.sum() - 4)
        cuts = []
        for scale in (1, unit):
            k = -(-(int(b.sum()) * scale).bit_length() // 62)
            one, other = (digits([int(w) * scale for w in side], k) for side in (a, b))
            ends_a, ends_b = cumulated(one), cumulated(other)
            bits = spare_bits(ends_a[-1])
            shift(ends_a, bits)
            shift(ends_b, bits)
            cuts.append(cheapest_cut(x, ends_a, y, ends_b, p, 1.0)[0])
        n, m = len(x), len(y)
        assert len({(i % n, j % m, i // n - j // m) for i, j in cuts}) == 1


def test_power_differences_keep_their_digits() -> None:
    for p in (1, 1.5, 2, 3, 7, 40):
        for distance, gap in ((0.3, 1e-9), (-0.3, 1e-9), (0.3, 0.3), (0.1, 0.25), (0.3, 0.6), (0.0, 0.1)):
            with localcontext() as context:
                context.prec = 60
                exact = abs(Decimal(distance)) ** Decimal(p) - abs(Decimal(distance) - Decimal(gap)) ** Decimal(p)
            assert power_difference(distance, gap, float(p)) == pytest.approx(float(exact), rel=1e-13 * p, abs=1e-16)


def test_what_cannot_be_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otgan.kernels.circle.circle_distances", lambda *_: np.array([0.6]))
    with pytest.raises(OTError, match="half the period"):
        otgan.wasserstein_circle([0.0], [0.5])
