"""The reference values in rational arithmetic: against brute force, closed forms, and decimal arithmetic."""

from __future__ import annotations

import doctest
import math
from decimal import Context, Decimal
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hard import truth as exact_truth
from hard.truth import exact_costs, exact_value, line_distance, line_value, point_value, root

ULP = 2.0**-53


def vertex_cost(C: np.ndarray, tree: list[tuple[int, int]], a: list[int], b: list[int]) -> int | None:
    """Cost of the flow on a tree, taking leaves off one by one; None where it is no tree or the flow is negative."""
    left = {("row", i): mass for i, mass in enumerate(a)} | {("col", j): mass for j, mass in enumerate(b)}
    total = 0
    while tree:
        ends = [end for i, j in tree for end in (("row", i), ("col", j))]
        leaf = next((end for end in ends if ends.count(end) == 1), None)
        if leaf is None:
            return None
        arc = next((i, j) for i, j in tree if leaf in (("row", i), ("col", j)))
        other = ("col", arc[1]) if leaf[0] == "row" else ("row", arc[0])
        mass = left.pop(leaf)
        if mass < 0:
            return None
        left[other] -= mass
        total += mass * int(C[arc])
        tree.remove(arc)
    return None if any(left.values()) else total


def best_vertex(C: np.ndarray, a: list[int], b: list[int]) -> int:
    """The cheapest vertex of the transport polytope: every spanning tree of the bipartite graph is tried."""
    n, m = C.shape
    found = [vertex_cost(C, list(tree), a, b) for tree in combinations(product(range(n), range(m)), n + m - 1)]
    return min(cost for cost in found if cost is not None)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 2), (3, 2), (2, 4), (3, 3)])
def test_against_every_vertex(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(25):
        C = rng.integers(-9, 10, size=shape)
        a, b = rng.integers(0, 3, size=shape[0]), rng.integers(0, 3, size=shape[1])  # many ties: degenerate vertices
        a[0] += max(1, b.sum() - a.sum())
        b[0] += a.sum() - b.sum()
        assert exact_value(C.tolist(), a.tolist(), b.tolist()) == best_vertex(C, a.tolist(), b.tolist())


@pytest.mark.parametrize("n", [2, 4, 6])
def test_against_every_permutation(n: int) -> None:
    rng = np.random.default_rng(n)
    for high in (1, 3, 100):
        C = rng.integers(0, high + 1, size=(n, n))
        best = min(sum(int(C[i, s[i]]) for i in range(n)) for s in permutations(range(n)))
        assert exact_value(C.tolist()) == Fraction(best, n)


def test_every_sliver_of_mass_counts() -> None:
    far = 1e9
    for e in (2.0**-50, 2.0**-47):
        found = point_value([[0.0], [far]], [[1.0], [far + 1]], 1, a=[0.5, 0.5], b=[0.5 + e, 0.5 - e])
        assert found == (1 + Fraction(e) * (10**9 - 1) - Fraction(e), 0)  # e goes from far to 1, and not by 1
    assert point_value([[0.0], [1e20]], [[0.0]], 1, a=[1.0, 1e-17], b=[1.0]).value == Fraction(1e-17) * 10**20
    found = point_value([[0.0], [far]], [[0.0], [far]], 2, a=[0.5, 0.5], b=[0.5 - 8 * ULP, 0.5 + 8 * ULP])
    assert found == (8 * Fraction(ULP) * 10**18, 0)


def test_totals_that_differ_are_made_equal_in_the_unit_of_the_first() -> None:
    assert exact_value([[0, 3], [1, 0]], [1, 1], [1, 3]) == Fraction(3, 2)
    a, b = [0.1] * 10, [1.0]
    assert exact_value([[1]] * 10, a, b) == 10 * Fraction(0.1) != 1
    assert exact_value([[1]] * 3, None, [0.5]) == 1  # None is exactly 1/n


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 3.5, 7])
@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev"])
def test_costs_against_decimal_arithmetic(metric: str, p: float) -> None:
    digits = Context(prec=80)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 3)), 10.0 ** rng.uniform(-9, 9, size=(3, 3))
    y[0] = x[0]
    C = exact_costs(x, y, p, metric)
    for i, j in product(range(4), range(3)):
        apart = [digits.subtract(Decimal(s), Decimal(t)) for s, t in zip(x[i].tolist(), y[j].tolist(), strict=True)]
        if metric == "euclidean":
            size = digits.sqrt(sum((t * t for t in apart), Decimal(0)))
        else:
            size = sum(map(abs, apart), Decimal(0)) if metric == "cityblock" else max(map(abs, apart))
        expected = Fraction(digits.power(size, Decimal(p)) if size else size)
        assert abs(C[i][j] - expected) <= expected / 10**25  # which Decimal's own + and * round to


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 7])
def test_the_line_is_the_linear_program(p: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        n, m = rng.integers(1, 7, size=2)
        x, y = 10.0 ** rng.uniform(-9, 9, size=(n, 1)), rng.integers(0, 3, size=(m, 1)) + 0.0
        a, b = rng.dirichlet(np.ones(n)), rng.integers(0, 2, size=m) + 0.0
        b[0] = 1.0
        value, error = point_value(x, y, p, "cityblock", a, b)
        assert abs(line_value(x[:, 0], y[:, 0], p, a, b) - value) <= 2 * error


def test_the_farthest_distance() -> None:
    assert line_value([0.0, 1.0], [5.0], math.inf) == 5
    assert line_distance([0.0, 9.0], [0.0, 9.0], math.inf, [0.5, 0.5], [0.5 + ULP, 0.5 - ULP]) == 9
    assert line_value([0.0, 9.0], [0.0, 9.0], math.inf, [0.5, 0.0], [1.0, 0.0]) == 0  # no mass, no distance


def test_roots() -> None:
    assert root(Fraction(7), 1) == 7
    assert root(Fraction(0), 3) == 0
    found = root(Fraction(1, 10**900), 1.5)
    assert abs(found * 10**600 - 1) < Fraction(1, 10**55)
    assert line_distance([0.0], [1e-300], 7) == pytest.approx(1e-300, rel=1e-15, abs=0)


def test_examples() -> None:
    failed, attempted = doctest.testmod(exact_truth)
    assert (failed, attempted > 0) == (0, True)
