"""Masses are exact: the real numbers that weights are, down to the last bit, in every solver and in every bound."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hard.truth import line_distance, line_value, shares
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.masses import BITS, whole_masses
from otgan.solution import Status
from otgan.testing import strategies as st

METHODS = ["line", "network-simplex", "linprog", "sparse"]
L = 1e9

# (x, y, p, a, b): where a sliver of mass has to travel far, a bound that forgets it excludes the truth.
SLIVERS = {
    "blocks, 2^-50": ([0, L], [1, L + 1], 1, [0.5, 0.5], [0.5 + 2**-50, 0.5 - 2**-50]),
    "blocks, 2^-47": ([0, L], [1, L + 1], 1, [0.5, 0.5], [0.5 + 2**-47, 0.5 - 2**-47]),
    "blocks, p = 2": ([0, L], [0, L], 2, [0.5, 0.5], [0.5 - 1e-15, 0.5 + 1e-15]),
    "one far point": ([0, 1e20], [0], 1, [1, 1e-17], [1]),
    "one very far point": ([0, 1e20], [0], 2, [1, 1e-37], [1]),
    "duplicates": ([0, 0, 1e6], [0, 1e6], 7, [0.25, 0.25, 0.5], [0.5, 0.5]),
    "three blocks": ([0, L, 2 * L], [1, L + 1, 2 * L + 1], 1, [0.25, 0.5, 0.25], [0.25 + 2**-50, 0.5, 0.25 - 2**-50]),
    "totals by rounding": ([0, L], [0, L], 1, [0.1, 0.9], [0.1, 0.9000000000000001]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SLIVERS)
def test_slivers_of_mass_are_moved_and_proven(name: str, method: str) -> None:
    x, y, p, a, b = SLIVERS[name]
    solution = otgan.solve(x, y, p, a=a, b=b, method=method, throw=False)
    truth = line_value(x, y, p, a, b)
    assert Fraction(solution.lower) <= truth <= Fraction(solution.upper)
    assert solution.lower <= solution.value <= solution.upper
    assert float(truth) == pytest.approx(solution.value, rel=1e-14, abs=0)
    assert solution.gap <= 1e-8
    assert solution.status is Status.OPTIMAL or name == "one very far point"  # potentials of 1e40 round a little more


@pytest.mark.parametrize("name", SLIVERS)
def test_the_line_moves_slivers_too(name: str) -> None:
    *points, p, a, b = SLIVERS[name]
    x, y, a, b = (np.asarray(values, float) for values in (*points, a, b))
    for order in (float(p), math.inf):
        truth = float(line_distance(x, y, order, a, b))
        assert otgan.wasserstein_1d(x, y, order, a=a, b=b) == pytest.approx(truth, rel=1e-14, abs=0)
        batch = otgan.wasserstein_1d([x, x[::-1]], [y, y[::-1]], order, a=[a, a[::-1]], b=[b, b[::-1]])
        assert batch == pytest.approx(truth, rel=1e-14, abs=0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("order", [1.0, 2.0])
def test_one_measure_written_twice_but_for_what_splitting_rounds(order: float, seed: int) -> None:
    """Its totals agree in the first two floats of their sums, and differ beyond."""
    rng = np.random.default_rng(seed)
    x, a = rng.normal(size=4), np.append(10.0 ** rng.uniform(-150, -40, 3), 1.0)
    y, b = np.repeat(x, 2), np.outer(a, [0.25, 0.75]).ravel()
    truth = float(line_distance(x, y, order, a, b))
    assert otgan.wasserstein_1d(x, y, order, a=a, b=b) == pytest.approx(truth, rel=1e-13, abs=0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("order", [1.0, 2.0, math.inf])
def test_slivers_beyond_the_reach_of_two_floats(order: float, sign: float) -> None:
    x, y = sign * np.array([1.0, 0.0, 1.0, 1.0]), sign * np.ones(4)
    a, b = np.array([1.3e-66, 7.8e-62, 1.5e-29, 1.0]), np.array([1e-30, 1e-30, 5e-324, 1.0])
    truth = float(line_distance(x, y, order, a, b))
    assert truth > 0
    assert otgan.wasserstein_1d(x, y, order, a=a, b=b) == pytest.approx(truth, rel=1e-14, abs=0)
    assert otgan.wasserstein_1d([x], [y], order, a=[a], b=[b]) == pytest.approx(truth, rel=1e-14, abs=0)
    assert otgan.wasserstein_circle(x, y, order, a=a, b=b, period=10) == pytest.approx(truth, rel=1e-14, abs=0)


def test_a_far_point_without_mass_costs_nothing() -> None:
    assert otgan.wasserstein_1d([0.0], [-1e3, 1e-4], p=50, b=[0.0, 1.0]) == 1e-4
    assert otgan.wasserstein_1d([0.0, 5.0], [-1e3, 1e-4], p=math.inf, a=[1.0, 0.0], b=[0.0, 1.0]) == 1e-4


@pytest.mark.parametrize("seed", range(4))
def test_costs_too_small_for_float64_are_no_zeros(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tiny = 5e-324 * rng.integers(1, 9, 2)
    solution = otgan.solve_cost([[tiny[0], 1.0], [1.0, tiny[1]]], throw=False)
    truth = (Fraction(tiny[0]) + Fraction(tiny[1])) / 2
    assert Fraction(solution.lower) <= truth <= Fraction(solution.upper)
    assert solution.lower <= solution.value <= solution.upper


@pytest.mark.parametrize("cost", [5e-324, 1e-322])
def test_a_cost_below_the_least_float_is_no_zero(cost: float) -> None:
    weights = [1e-3, 0.999]
    solution = otgan.solve_cost([[cost, 1.0], [1.0, 0.0]], weights, weights, throw=False)
    assert solution.lower <= 0
    assert Fraction(solution.upper) >= Fraction(1e-3) * Fraction(cost)


@pytest.mark.parametrize("method", ["network-simplex", "linprog", "sparse"])
def test_one_measure_in_another_order_is_at_distance_zero(method: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(60, 2)), np.exp(20 * rng.normal(size=60))
    order = rng.permutation(60)
    solution = otgan.solve(x, x[order], 2, a=w, b=w[order], method=method)
    assert solution.value == 0
    half = np.concatenate([w, w]) / 2
    assert otgan.solve(x, np.concatenate([x, x]), 2, a=w, b=half, method=method).value == 0


def numbers(rows: np.ndarray) -> list[int]:
    return [sum(int(digit) << BITS * k for k, digit in enumerate(row[::-1])) for row in rows]


@given(st.weights(hst.integers(1, 9)), st.weights(hst.integers(1, 9)), hst.booleans())
def test_whole_masses_are_the_weights(a: np.ndarray, b: np.ndarray, equal: bool) -> None:
    masses = whole_masses(a, len(b) if equal else b)
    whole_a, whole_b = numbers(masses.a), numbers(masses.b)
    assert sum(whole_a) == sum(whole_b)
    for whole, weights in ((whole_a, shares(a, len(a))), (whole_b, shares(None if equal else b, len(b)))):
        assert [Fraction(v, sum(whole)) for v in whole] == [w / sum(weights) for w in weights]
    k = masses.a.shape[1]
    total = float(Fraction(sum(whole_a), 1 << BITS * (k - 1)) * Fraction(masses.unit))
    assert total == pytest.approx(math.fsum(a), rel=4e-16, abs=0)
