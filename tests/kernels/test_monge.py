"""Column minima on the line, against the same in rational numbers, and the number of rows that they look at."""

from __future__ import annotations

import decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from decimals import digits
from hypothesis import example, given
from hypothesis import strategies as hst

import otgan
from otgan.costs import PointCost
from otgan.kernels import monge
from otgan.kernels.line_plan import staircase_potentials

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
ORDERS = [1.0, 1.0 + 1e-12, 1.5, 2.0, 3.0, 7.0, 40.0]
PLACES = ["together", "far apart", "far out", "duplicates", "wide", "two clusters"]
ROWS = ["optimal", "tied at one column", "tied in pairs", "none", "steep", "some left out"]


def sides(place: str, n: int, m: int, rng: np.random.Generator) -> tuple[Values, Values]:
    x, y = rng.random(n), rng.random(m)
    if place == "far apart":
        y += 10.0 ** rng.integers(1, 8)
    elif place == "far out":
        x, y = x + 1e9, y + 1e9
    elif place == "duplicates":
        x, y = np.rint(4 * x), np.rint(4 * y)
    elif place == "wide":
        x, y = x * 10.0 ** rng.integers(-7, 7, n), y * 10.0 ** rng.integers(-7, 7, m)
    elif place == "two clusters":
        x, y = x + 1e7 * rng.integers(0, 2, n), y + 1e7 * rng.integers(0, 2, m)
    return x, y


def potentials(rows: str, x: Values, y: Values, p: float, rng: np.random.Generator) -> Values:
    n, m = len(x), len(y)
    if rows == "optimal":
        i, j = np.argsort(x), np.argsort(y)
        size = min(n, m)
        f = np.full(n, -np.inf)
        f[i[:size]] = staircase_potentials(x[i[:size]], y[j[:size]], np.arange(size), np.arange(size), p)[0]
        return f
    if rows == "tied at one column":
        return np.abs(x - y[rng.integers(m)]) ** p
    if rows == "tied in pairs":
        return np.abs(x - y[rng.integers(0, m, n)]) ** p - rng.random(n) * EPS * np.abs(x - y[0]) ** p
    f = np.zeros(n) if rows == "none" else rng.normal(size=n) * np.abs(x - y[rng.integers(m)]) ** p
    if rows == "some left out":
        f[rng.random(n) < 0.5] = -np.inf
    return f


def exact(x: float, y: float, f: float, p: float) -> decimal.Decimal:
    """``|x - y|^p - f`` to more than a hundred digits."""
    return digits(abs(Fraction(x) - Fraction(y))) ** decimal.Decimal(p) - digits(Fraction(f))


@given(
    place=hst.sampled_from(PLACES),
    rows=hst.sampled_from(ROWS),
    p=hst.sampled_from(ORDERS),
    n=hst.integers(1, 40),
    m=hst.integers(1, 8),
    seed=hst.integers(0, 10**6),
)
@example(place="far apart", rows="tied at one column", p=2.0, n=200, m=30, seed=0)
@example(place="far apart", rows="tied at one column", p=1.5, n=200, m=30, seed=1)
@example(place="together", rows="tied at one column", p=1.0 + 1e-12, n=100, m=20, seed=2)
@example(place="together", rows="steep", p=200.0, n=40, m=8, seed=3)
def test_minima_are_right_within_their_errors_which_are_small(
    place: str, rows: str, p: float, n: int, m: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = sides(place, n, m, rng)
    f = potentials(rows, x, y, p, rng)
    values, errors = PointCost(x[:, None], y[:, None], p).column_minima(f)
    kept = np.flatnonzero(f > -np.inf)
    if not len(kept):
        assert np.isposinf(values).all()
        return
    errors = np.broadcast_to(errors, m)
    with decimal.localcontext() as context:
        context.prec = 120
        for j in range(m):
            reduced = [exact(x[i], y[j], f[i], p) for i in kept]
            best = min(range(len(kept)), key=reduced.__getitem__)
            truth = reduced[best]
            low = digits(Fraction(values[j]) - Fraction(errors[j]))
            assert low <= truth <= digits(Fraction(values[j]) + Fraction(errors[j]))
            sizes = np.abs(x[kept] - y[j]) ** p + np.abs(f[kept])
            assert errors[j] <= 8 * (p + 6) * EPS * sizes[best] + 1e-25 * sizes.max() + 1e-300


def looked_at(monkeypatch: pytest.MonkeyPatch, cost: PointCost, f: Values) -> int:
    """How many rows all searches for a minimum look at together."""
    compiled, counted = monge.column_minimum, []

    def count(x: Values, f: Values, target: float, p: float, low: int, high: int) -> object:
        counted.append(high - low + 1)
        return compiled(x, f, target, p, low, high)

    with monkeypatch.context() as patch:
        patch.setattr(monge, "column_minimum", count)
        patch.setattr(monge, "column_minima", monge.column_minima.py_func)
        cost.column_minima(f)
    return sum(counted)


@pytest.mark.parametrize("p", [1.0 + 1e-12, 1.5, 2.0, 7.0])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_ties_no_search_is_quadratic(monkeypatch: pytest.MonkeyPatch, place: str, rows: str, p: float) -> None:
    """Rows without mass, rows that tie everywhere, sides far apart: a few looks a point and a halving, never n."""
    n = m = 512
    rng = np.random.default_rng(0)
    x, y = sides(place, n, m, rng)
    f = potentials(rows, x, y, p, rng)
    cost = PointCost(x[:, None], y[:, None], p)
    assert looked_at(monkeypatch, cost, f) <= (n + m) * 10 + 2 * monge.FEW_ROWS * m


def test_the_right_answer_with_many_points_of_no_mass() -> None:
    """All mass on one point a side, and points without mass all around."""
    n = 20_000
    x, y = np.linspace(-1.0, 1.0, n), np.linspace(-2.0, 2.0, n)
    a, b = np.eye(1, n, 17)[0], np.eye(1, n, n - 1)[0]
    for p in (1, 1.5, 2):
        solution = otgan.solve(x, y, p, a=a, b=b)
        assert solution.value == pytest.approx((2.0 - x[17]) ** p, rel=1e-12)
        assert solution.gap <= 1e-12
