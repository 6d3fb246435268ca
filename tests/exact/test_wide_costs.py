"""Costs that span many orders of magnitude: where float64 solvers are wrong without a warning."""

from __future__ import annotations

import numpy as np
import pytest
from exact_answers import ROUNDING, assert_right, assert_right_or_bounded
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import InvalidInput, NotConverged
from otgan.exact import METHODS

MATRIX = [method for method in METHODS if method not in ("line", "sparse")]
POINTS = [method for method in METHODS if method != "line"]


def with_a_far_pair(n: int, dim: int, far: float, apart: float, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """n Gaussian points and one pair far out, and the value for p = 2.

    The far points must be matched with each other: any other plan pays about far^2 / n more than once. So the value
    is (n W + apart^2) / (n + 1) with W the value without the pair.
    """
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dim)), rng.normal(size=(n, dim))
    without = otgan.solve(x, y, 2, method="line" if dim == 1 else "assignment").value
    axis = np.eye(1, dim)
    truth = (n * without + apart**2) / (n + 1)
    return np.vstack([x, far * axis]), np.vstack([y, (far + apart) * axis]), truth


@pytest.mark.parametrize("far", [1e6, 1e7, 1e8, 1e9])
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_one_far_pair_among_200(method: str, dim: int, far: float) -> None:
    if method == "line" and dim > 1:
        return
    n = 60 if method == "linprog" else 200
    x, y, truth = with_a_far_pair(n, dim, far, apart=0.5, seed=0)
    assert_right_or_bounded(otgan.solve(x, y, 2, method=method, throw=False), truth)
    assert_right(otgan.solve(x, y, 2), truth)


@given(hst.integers(2, 12), hst.integers(1, 3), hst.sampled_from([1e3, 1e5, 1e7, 1e9]), hst.integers(0, 100))
def test_far_pairs_of_small_clouds(n: int, dim: int, far: float, seed: int) -> None:
    x, y, truth = with_a_far_pair(n, dim, far, apart=1.0, seed=seed)
    for method in POINTS:
        assert_right(otgan.solve(x, y, 2, method=method, throw=False), truth)


@pytest.mark.parametrize("method", POINTS)
def test_a_sentinel_on_both_sides(method: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    x[7] = y[21] = -999999.0
    without = otgan.solve(np.delete(x, 7, axis=0), np.delete(y, 21, axis=0), 2).value
    assert_right(otgan.solve(x, y, 2, method=method), without * 49 / 50)


@pytest.mark.parametrize("method", POINTS)
def test_a_sentinel_on_one_side(method: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    x[7] = -999999.0
    solution = otgan.solve(x, y, 2, method=method)
    assert solution.gap <= 1e-9
    assert solution.value == pytest.approx(3 * 999999.0**2 / 50, rel=1e-3, abs=0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("p", [1, 2])
def test_scales_from_1e_minus_8_to_1e8(method: str, dim: int, p: int) -> None:
    if method == "line" and dim > 1:
        return
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(25, dim)), rng.normal(size=(25, dim))
    plain = otgan.solve(x, y, p, method=method).distance
    for exponent in range(-8, 9, 2):
        scale = 10.0**exponent
        assert otgan.solve(scale * x, scale * y, p, method=method).distance == pytest.approx(
            scale * plain, rel=1e-12, abs=0
        )


@pytest.mark.parametrize("method", METHODS)
def test_offset_of_1e8(method: str) -> None:
    rng = np.random.default_rng(3)
    x, y = (np.round(rng.normal(size=(25, 1)) * 2**20) / 2**20 for _ in "xy")  # the offset rounds nothing away
    for p in (1, 2):
        plain = otgan.solve(x, y, p, method=method).value
        assert otgan.solve(x + 1e8, y + 1e8, p, method=method).value == pytest.approx(plain, rel=1e-12, abs=0)


@pytest.mark.parametrize("method", MATRIX)
def test_costs_from_1e_minus_12_to_1e12(method: str) -> None:
    """A cheap diagonal of many orders of magnitude, in a matrix of dear entries."""
    rng = np.random.default_rng(4)
    n = 13
    diagonal = 10.0 ** np.linspace(-12, 12, 2 * n - 1)
    order = rng.permutation(n)
    for cheap in (diagonal[:n], diagonal[n - 1 :], diagonal[::2]):
        C = np.full((n, n), 1e12)
        C[np.arange(n), order] = cheap
        truth = float(cheap.sum() / n)
        assert_right_or_bounded(otgan.solve_cost(C, method=method, throw=False), truth)


@given(hst.data(), hst.integers(1, 7))
def test_costs_over_24_orders_with_planted_potentials(data: hst.DataObject, n: int) -> None:
    """C = u_i + v_j + c_ij with c >= 0, and zero on a permutation: u and v prove that the permutation is optimal."""

    def powers(size: int) -> np.ndarray:
        return 10.0 ** np.array(data.draw(hst.lists(hst.integers(-12, 12), min_size=size, max_size=size)), float)

    u, v, c = powers(n), powers(n), powers(n * n).reshape(n, n)
    order = list(data.draw(hst.permutations(range(n))))
    c[np.arange(n), order] = 0.0
    C = u[:, None] + v + c
    truth = float(C[np.arange(n), order].sum())
    for method in MATRIX:
        assert_right_or_bounded(otgan.solve_cost(C, np.ones(n), np.ones(n), method=method, throw=False), truth)


@given(hst.lists(hst.integers(-6, 6), min_size=2, max_size=8), hst.integers(0, 100), hst.sampled_from([1, 2]))
def test_scattered_over_twelve_orders(exponents: list[int], seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    size = 10.0 ** np.array(exponents, dtype=float)[:, None]
    x, y = size * rng.normal(size=(len(size), 2)), size * rng.normal(size=(len(size), 2))
    found = [otgan.solve(x, y, p, method=method, throw=False) for method in POINTS]
    assert max(solution.lower for solution in found) <= min(solution.upper for solution in found) * (1 + ROUNDING)
    proven = [solution.value for solution in found if solution.status is otgan.Status.OPTIMAL]
    assert proven
    assert max(proven) - min(proven) <= 1e-9 * max(proven)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("p", [10, 30, 100])
@pytest.mark.parametrize("small", [2.0**-10, 2.0**-20, 2.0**-40])
def test_powers_below_float64_are_not_taken_for_zero(method: str, p: float, small: float) -> None:
    """Right, or refused, or not proven: but no proof of a distance that is wrong."""
    try:
        found = otgan.solve([0.0, 1.0], [small, 1.0 + small], p, method=method).distance
    except (InvalidInput, NotConverged):
        return
    assert found == pytest.approx(small, rel=1e-9, abs=0)


@pytest.mark.parametrize("method", POINTS)
@pytest.mark.parametrize("exponent", [-100, -250, -300, -307, -315, -323])
def test_tiny_cost_matrices_are_right_or_refused(method: str, exponent: int) -> None:
    C = np.array([[1.0, 2.0], [3.0, 1.0]])
    tiny = C * 10.0**exponent
    try:
        found = otgan.solve_cost(tiny, method=method)
    except (InvalidInput, NotConverged):
        return
    assert found.value == pytest.approx(tiny[0, 0], rel=1e-9, abs=0)
