"""Sparse column generation against the dense network simplex, and on data made to stall it."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as hst
from hypothesis.extra.numpy import arrays

import otgan
from otgan.errors import Interrupted, InvalidInput, NotConverged
from otgan.exact import sparse
from otgan.metric import METRICS
from otgan.pricing import Pricing
from otgan.problem import Problem
from otgan.solution import Solution, Status
from otgan.testing import strategies as st
from otgan.testing.strategies import TransportProblem


def gaussian(n: int, d: int, seed: int = 0, shift: float = 0.5) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)) + shift


def assert_proven(solution: Solution, value: float | None = None, rtol: float = 1e-9) -> None:
    n = solution.problem.shape[0]
    assert solution.status is Status.OPTIMAL
    assert solution.gap <= rtol
    assert sorted(solution.plan.col) == sorted(solution.plan.row) == list(range(n))
    if value is not None:
        assert solution.value == pytest.approx(value, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize(("n", "d"), [(7, 2), (300, 3), (1100, 2)])
def test_agrees_with_network_simplex(n: int, d: int, p: float, metric: str) -> None:
    x, y = gaussian(n, d, seed=n)
    truth = otgan.solve(x, y, p, metric=metric, method="network-simplex")
    assert_proven(otgan.solve(x, y, p, metric=metric, method="sparse"), truth.value)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 3), (2, 1), (900, 1), (900, 40)])
@pytest.mark.parametrize("p", [1, 2])
def test_edges_of_size_and_dimension(n: int, d: int, p: float) -> None:
    x, y = gaussian(n, d)
    assert_proven(otgan.solve(x, y, p, method="sparse"), otgan.solve(x, y, p).value)


def lattice(n: int) -> tuple[Any, Any]:
    side = int(np.sqrt(n))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2).astype(float)
    return grid, grid[:, ::-1] + [3, 1]


def duplicates(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.integers(0, 4, (n, 2)).astype(float), rng.integers(0, 4, (n, 2)).astype(float)


def collinear(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, 1)) * [1.0, 2.0], rng.normal(size=(n, 1)) * [1.0, 2.0] + [1, 0]


def equal(n: int) -> tuple[Any, Any]:
    return np.ones((n, 2)), np.ones((n, 2))


def equal_apart(n: int) -> tuple[Any, Any]:
    return np.ones((n, 2)), np.zeros((n, 2))


def clusters(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(10, 2)) * 100
    return tuple(centres[rng.integers(0, 10, n)] + 0.01 * rng.normal(size=(n, 2)) for _ in range(2))  # type: ignore[return-value]


def heavy_tails(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(4)
    return rng.standard_cauchy((n, 2)), rng.standard_cauchy((n, 2))


def far_pair(n: int) -> tuple[Any, Any]:
    x, y = gaussian(n, 2, seed=5, shift=0.0)
    x[0], y[-1] = 1e7, 1e7
    return x, y


def far_point(n: int) -> tuple[Any, Any]:
    x, y = gaussian(n, 2, seed=6, shift=0.0)
    x[0] = 1e7
    return x, y


def other_shape(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    angle = rng.uniform(0, 2 * np.pi, n)
    return rng.normal(size=(n, 2)) * 0.01, np.stack([np.cos(angle), np.sin(angle)], 1)


NASTY = [lattice, duplicates, collinear, equal, equal_apart, clusters, heavy_tails, far_pair, far_point, other_shape]


@pytest.mark.parametrize("make", NASTY)
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("n", [144, 1024])
def test_nasty_data_are_solved(make: Any, p: float, n: int) -> None:
    x, y = make(n)
    truth = otgan.solve(x, y, p, method="network-simplex", throw=False)
    found = otgan.solve(x, y, p, method="sparse", throw=False)
    assert found.lower <= truth.upper
    assert truth.lower <= found.upper
    assert_proven(found, truth.value if truth.status is Status.OPTIMAL else None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    hst.data(),
    hst.integers(1, 40),
    hst.integers(1, 3),
    hst.sampled_from([1, 1.5, 2, 3]),
    hst.sampled_from(tuple(METRICS)),
)
def test_any_points(data: hst.DataObject, n: int, d: int, p: float, metric: str) -> None:
    numbers = hst.one_of(hst.integers(-3, 3).map(float), hst.floats(-1e3, 1e3, width=32))
    x, y = (data.draw(arrays(np.float64, (n, d), elements=numbers)) for _ in range(2))
    truth = otgan.solve(x, y, p, metric=metric, method="assignment", throw=False)
    found = otgan.solve(x, y, p, metric=metric, method="sparse", throw=False)
    assert found.value <= truth.value + 1e-9 * abs(truth.value)
    assert found.lower <= truth.upper
    if truth.status is Status.OPTIMAL:
        assert found.status is Status.OPTIMAL


def test_order_of_the_points_does_not_matter() -> None:
    x, y = gaussian(500, 2)
    rng = np.random.default_rng(0)
    rows, cols = rng.permutation(500), rng.permutation(500)
    one, other = otgan.solve(x, y, method="sparse"), otgan.solve(x[rows], y[cols], method="sparse")
    assert one.value == pytest.approx(other.value, rel=1e-12)


def test_weights_that_are_all_equal_are_kept() -> None:
    x, y = gaussian(50, 2)
    found = otgan.solve(x, y, a=np.full(50, 3.0), b=np.full(50, 3.0), method="sparse")
    assert found.value == pytest.approx(150 * otgan.solve(x, y).value, rel=1e-9)
    assert found.plan.sum() == pytest.approx(150)


def test_refuses_what_it_cannot_take() -> None:
    with pytest.raises(InvalidInput, match="not a cost matrix"):
        otgan.solve_cost(np.ones((3, 3)), method="sparse")


@pytest.mark.parametrize("max_steps", [1, 2, 4])
def test_out_of_rounds_gives_a_valid_interval(max_steps: int) -> None:
    x, y = gaussian(1500, 3)
    truth = otgan.solve(x, y, method="sparse").value
    with pytest.raises(NotConverged) as error:
        otgan.solve(x, y, method="sparse", max_steps=max_steps)
    found = error.value.solution
    assert found.status is Status.MAX_STEPS
    assert found.stats["rounds"] == max_steps
    assert found.lower <= truth <= found.upper


def test_a_coarse_rtol_ends_early() -> None:
    x, y = gaussian(3000, 2)
    exact, rough = otgan.solve(x, y, method="sparse"), otgan.solve(x, y, method="sparse", rtol=0.01)
    assert_proven(rough, rtol=0.01)
    assert rough.lower <= exact.value <= rough.upper
    assert rough.stats["rounds"] <= exact.stats["rounds"]


@pytest.mark.parametrize("calls", [1, 2, 5, 8])
@pytest.mark.parametrize("m", [2000, 1500])
def test_interrupt_gives_a_valid_interval(m: int, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the ``calls``-th search for arcs, wherever that is; the smaller m goes to the simplex."""
    x, y = gaussian(2000, 3)
    y = y[:m]
    truth = otgan.solve(x, y, method="sparse").value
    search, left = Pricing.below, [calls]

    def interrupted(self: Any, *args: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)
        return search(self, *args)

    monkeypatch.setattr(Pricing, "below", interrupted)
    for throw in (True, False):
        left[0] = calls
        with pytest.raises(Interrupted, match="interrupted") as stop:
            otgan.solve(x, y, method="sparse", throw=throw)
        found = stop.value.solution
        assert found.status is Status.INTERRUPTED
        assert found.lower <= truth <= found.upper
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(*args: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Pricing, "below", twice)
    with pytest.raises(KeyboardInterrupt):
        otgan.solve(*gaussian(2000, 2), method="sparse")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_memory_grows_with_n() -> None:
    assert sparse.memory(100_000, 100_000) < 2**30
    assert sparse.accepts(Problem.from_points(*gaussian(5, 2))) is None


@settings(max_examples=2 * settings().max_examples)
@given(st.problems())
def test_agrees_with_the_linear_program(problem: TransportProblem) -> None:
    x, y, p, a, b, metric = problem.x, problem.y, problem.p, problem.a, problem.b, problem.metric
    found, reference = (
        otgan.solve(x, y, p, a=a, b=b, metric=metric, method=method, throw=False) for method in ("sparse", "linprog")
    )
    rounding = 1e-12 * abs(reference.upper)
    assert found.lower <= reference.upper + rounding
    assert reference.lower <= found.upper + rounding
    if found.status is reference.status is Status.OPTIMAL:
        assert abs(found.value - reference.value) <= 1e-9 * reference.value
