"""Powers, masses and sums at the edge of float64: what fits is right, what does not is refused with a way out."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import otgan
from otgan.errors import InvalidInput
from otgan.exact import METHODS
from otgan.metric import METRICS


def normal(n: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


BEYOND: dict[str, dict[str, Any]] = {
    "cityblock sums": {"x": np.zeros((3, 4)), "y": np.full((3, 4), 1.9), "p": 1000, "metric": "cityblock"},
    "the Euclidean norm": {"x": np.zeros((3, 4)), "y": np.full((3, 4), 1.9), "p": 1000},
    "each coordinate": {"x": np.zeros((3, 4)), "y": np.full((3, 4), 1.97), "p": 1000, "metric": "chebyshev"},
    "many columns": {"x": normal(3, 10_000, 0) * 1e40, "y": normal(3, 10_000, 1) * 1e40, "p": 7, "metric": "cityblock"},
    "images": {"x": normal(50, 784, 0), "y": normal(50, 784, 1), "p": 260},
    "the line": {"x": [0.0, 1.0], "y": [2.0, 3.0], "p": 1000},
    "no power": {"x": np.zeros((2, 3)), "y": np.full((2, 3), 9e139), "p": 1},
    "tiny": {"x": np.zeros((2, 3)), "y": np.full((2, 3), 0.1), "p": 1000},
    "far too tiny": {"x": np.zeros((2, 3)), "y": np.full((2, 3), 1e-200), "p": 1},
    "a power that leaves no room for a power of two": {"x": [[0.0, 0.0]], "y": [[1.3, 0.0]], "p": 10_000},
}


@pytest.mark.parametrize("case", BEYOND)
def test_powers_that_leave_float64_are_refused_and_the_way_out_works(case: str) -> None:
    """Dividing by what the message says, as it says, gives the distance between the scaled data."""
    given = BEYOND[case]
    with pytest.raises(InvalidInput, match="leave float64") as refused:
        otgan.solve(**given)
    message = str(refused.value)
    base, power = re.search(r"divide the data by ([\d.]+)(?:\*\*(-?\d+))?", message).groups()  # type: ignore[union-attr]
    factor = float(base) ** int(power or 1)
    x, y = (np.asarray(given[side]) / factor for side in "xy")
    solution = otgan.solve(**{**given, "x": x, "y": y}, throw=False)
    assert 0 <= solution.lower <= solution.value <= solution.upper < math.inf
    if not np.ptp(given["y"]):  # all pairs are equally far apart
        apart = {"cityblock": given["y"].size / len(given["y"]), "chebyshev": 1.0}
        sides = np.asarray(given["y"])[0].size
        truth = np.asarray(given["y"]).flat[0] * apart.get(given.get("metric", "euclidean"), math.sqrt(sides))
        assert factor * solution.distance == pytest.approx(truth, rel=1e-9, abs=0)


def test_on_the_line_the_message_names_the_limit_that_needs_no_power() -> None:
    with pytest.raises(InvalidInput, match="p = inf") as refused:
        otgan.wasserstein([0.0, 1.0], [2.0, 3.5], p=1000)
    assert "smaller p" in str(refused.value)
    assert otgan.wasserstein([0.0, 1.0], [2.0, 3.5], p=math.inf) == 2.5
    with pytest.raises(InvalidInput) as refused:
        otgan.wasserstein([[0.0, 1.0]], [[2.0, 3.5]], p=1000)
    assert "inf" not in str(refused.value)


def test_an_order_of_which_distances_keep_no_digits_is_refused() -> None:
    with pytest.raises(InvalidInput, match="p must be at most"):
        otgan.solve([0.0, 0.5], [0.25, 1.0], p=1e12)


def exact_value(x: np.ndarray, y: np.ndarray, p: int, metric: str) -> Fraction:
    """The least mean cost over all permutations, in whole numbers; for the Euclidean metric p must be even."""

    def cost(u: np.ndarray, v: np.ndarray) -> int:
        apart = [abs(int(s) - int(t)) for s, t in zip(u, v, strict=True)]
        if metric == "euclidean":
            return sum(side * side for side in apart) ** (p // 2)
        return (sum(apart) if metric == "cityblock" else max(apart)) ** p

    n = len(x)
    table = [[cost(u, v) for v in y] for u in x]
    least = min(sum(table[i][j] for i, j in enumerate(order)) for order in itertools.permutations(range(n)))
    return Fraction(least, n)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "line"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [2, 6, 40, 200])
def test_the_largest_powers_that_fit(method: str, metric: str, p: int) -> None:
    """The diagonal of the box to the power p is just below the limit, 1e290 or for squares 1e280."""
    rng = np.random.default_rng(p)
    x, y = rng.integers(0, 16, (4, 3)).astype(float), rng.integers(0, 16, (4, 3)).astype(float)
    reach = otgan.inputs.reach(x, y, metric)
    shift = math.floor(math.log2(10.0) * min(289.9 / p, 139.9) - math.log2(reach))
    fits = otgan.solve(math.ldexp(1.0, shift) * x, math.ldexp(1.0, shift) * y, p, metric=metric, method=method)
    truth = exact_value(x, y, p, metric) * Fraction(2) ** (shift * p)
    assert Fraction(fits.lower) <= truth <= Fraction(fits.upper)
    assert Fraction(fits.value) == pytest.approx(truth, rel=1e-9, abs=0)
    with pytest.raises(InvalidInput, match="leave float64"):
        otgan.solve(math.ldexp(4.0, shift) * x, math.ldexp(4.0, shift) * y, p, metric=metric, method=method)


@pytest.mark.parametrize("p", [1, 3.5, 8])
@pytest.mark.parametrize("m", [300, 250])
def test_trees_and_ladders_at_the_edge(p: float, m: int) -> None:
    """Scaling the data by a power of two scales the value by its p-th power, and changes nothing else."""
    x, y = normal(300, 2, 0), normal(m, 2, 1)
    shift = 2 * (int(math.log2(10.0) * min(289.0 / p, 139.0) - 4) // 2)
    small = otgan.solve(x, y, p, method="sparse")
    large = otgan.solve(math.ldexp(1.0, shift) * x, math.ldexp(1.0, shift) * y, p, method="sparse")
    assert math.ldexp(large.value, -round(shift * p)) == pytest.approx(small.value, rel=1e-9, abs=0)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "assignment"])
@pytest.mark.parametrize("exponents", [(139, 150), (100, 185), (-139, 139), (-139, -139)])
def test_masses_times_costs_that_fit(method: str, exponents: tuple[int, int]) -> None:
    """Two points a side on the line; what the value may be is summed up in rational numbers."""
    mass, cost = 2.0 ** int(exponents[0] * math.log2(10)), 10.0 ** (exponents[1] / 2)
    x, y = np.array([0.0, 0.75]) * cost, np.array([0.25, 1.0]) * cost
    a, b = [2 * mass, mass], [1.5 * mass, 1.5 * mass]
    X, Y, A, B = (list(map(Fraction, values)) for values in (x, y, a, b))
    assert sum(A) == sum(B)
    truth = B[0] * (X[0] - Y[0]) ** 2 + (A[0] - B[0]) * (X[0] - Y[1]) ** 2 + A[1] * (X[1] - Y[1]) ** 2
    solution = otgan.solve(x, y, 2, a=a, b=b, method=method)
    assert Fraction(solution.lower) <= truth <= Fraction(solution.upper)


@pytest.mark.parametrize("exponents", [(139, 278), (80, 240), (-139, -200)])
def test_masses_times_costs_that_leave_float64_are_refused_and_the_way_out_works(exponents: tuple[int, int]) -> None:
    mass, cost = 10.0 ** exponents[0], 10.0 ** (exponents[1] / 2)
    x, y = np.array([[0.0, 0.0], [0.75, 0.0]]) * cost, np.array([[0.25, 0.0], [1.0, 0.0]]) * cost
    with pytest.raises(InvalidInput, match=r"masses of .* leave float64; normalise the weights"):
        otgan.solve(x, y, 2, a=[2 * mass, mass], b=[1.5 * mass, 1.5 * mass])
    value = otgan.solve(x, y, 2, a=[2 / 3, 1 / 3], b=[0.5, 0.5]).value
    assert value / cost**2 == pytest.approx((1.5 / 16 + 0.5 + 1 / 16) / 3, rel=1e-9, abs=0)


def test_the_dearest_matrices_and_the_heaviest_masses_together() -> None:
    """1e139 each: every product stays inside float64, so the bounds are numbers and hold the truth."""
    C = [[1e139, 0.0], [0.0, -1e139]]
    for method in ("network-simplex", "linprog", "assignment"):
        solution = otgan.solve_cost(C, [1e139, 1e139], [1e139, 1e139], method=method, throw=False)
        assert Fraction(solution.lower) <= 0 <= Fraction(solution.upper) < 10**266, method
