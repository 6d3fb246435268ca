"""Ctrl-C where pairs are forbidden, a part of the mass moves, points repeat, or p is infinite."""

from __future__ import annotations

import math
import re
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otgan
from otgan.exact import bottleneck, simplex, small
from otgan.exact.partial import PartialSolution
from otgan.exact.sparse import generation
from otgan.exact.sparse.network import Network
from otgan.runtime.interrupts import Interrupts
from otgan.solution import Status

if TYPE_CHECKING:
    from collections.abc import Callable


class Interrupting:
    """A function that is interrupted when it is called for the so many-th time, counted from 1."""

    def __init__(self, work: Callable[..., Any], call: int) -> None:
        self.work, self.call, self.calls = work, call, 0

    def __get__(self, owner: Any, kind: Any = None) -> Callable[..., Any]:
        return lambda *args, **options: self(owner, *args, **options)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls == self.call:
            signal.raise_signal(signal.SIGINT)
        return self.work(*args, **options)


def chains(last: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row sends to its own column and the next one, the last row of a chain to its own alone.

    That is more than the column takes where ``last`` is above 1.
    """
    n, length = 15, 5
    ends = np.arange(length - 1, n, length)
    C = np.full((n, n), np.inf)
    C[np.arange(n), np.arange(n)] = np.arange(1.0, n + 1)
    C[np.arange(n - 1), np.arange(1, n)] = 0.0
    C[ends[:-1], ends[:-1] + 1] = np.inf
    a = np.ones(n)
    a[ends - length + 1], a[ends] = 2 - last, last
    return C, a, np.ones(n)


@pytest.fixture
def one_pivot_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "PIVOTS_PER_LOOK", 1)


def solved_or_impossible(C: np.ndarray, a: np.ndarray, b: np.ndarray, throw: bool) -> None:
    try:
        otgan.solve_cost(C, a, b, throw=throw)
    except otgan.Infeasible:
        assert a[4] > 1


@pytest.mark.usefixtures("one_pivot_a_look")
@pytest.mark.parametrize("last", [0.5, 1.5])
@pytest.mark.parametrize("throw", [True, False])
def test_forbidden_pairs_at_every_pivot(last: float, throw: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is sought whether there is a plan, of which there is none for 1.5, and while it is made cheaper."""
    C, a, b = chains(last)
    truth = otgan.solve_cost(C, a, b).value if last < 1 else math.inf
    uppers, call = set[float](), 0
    while True:
        call += 1
        monkeypatch.setattr(Network, "solve", solve := Interrupting(vars(Network)["solve"], call))
        stop = stopped(lambda: solved_or_impossible(C, a, b, throw))
        monkeypatch.setattr(Network, "solve", solve.work)
        if stop is None:
            assert solve.calls < call
            break
        assert isinstance(stop, otgan.Interrupted)
        assert "interrupted, when the optimal cost lies in [" in str(stop)
        found = stop.solution
        assert found.status is (Status.OPTIMAL if found.gap <= 1e-9 else Status.INTERRUPTED)
        assert found.lower <= truth <= found.upper
        assert found.lower <= found.value <= found.upper
        assert found.moves.marginal_error(found.problem.masses) == 0
        assert (found.f[:, None] + found.g <= C).all()
        assert (found.upper == math.inf) == bool(np.isinf(C[found.plan.row, found.plan.col]).any())
        uppers.add(found.upper)
    assert math.inf in uppers
    assert (len(uppers) > 1) == (last < 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("last", [0.5, 1.5])
def test_few_pivots_leave_a_valid_interval_where_pairs_are_forbidden(last: float) -> None:
    C, a, b = chains(last)
    truth = otgan.solve_cost(C, a, b).value if last < 1 else math.inf
    with pytest.raises(otgan.NotConverged, match="max_steps") as caught:
        otgan.solve_cost(C, a, b, max_steps=1)
    found = caught.value.solution
    assert found.status is Status.MAX_STEPS
    assert found.lower <= truth <= found.upper == found.gap == math.inf
    if last < 1:
        assert otgan.solve_cost(C, a, b, max_steps=1000).value == truth
    else:
        with pytest.raises(otgan.Infeasible):
            otgan.solve_cost(C, a, b, max_steps=1000)


@pytest.mark.usefixtures("one_pivot_a_look")
def test_a_differentiable_cost_raises_what_the_solve_does(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    C, a, b = chains(0.5)
    monkeypatch.setattr(Network, "solve", Interrupting(vars(Network)["solve"], 1))
    with pytest.raises(otgan.Interrupted) as caught:
        otgan.transport_cost(torch.tensor(C, requires_grad=True), a, b)
    assert caught.value.solution.upper == math.inf


@pytest.mark.parametrize("done", [False, True])
def test_a_part_of_the_mass_is_what_the_exception_carries(done: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    truth = otgan.solve(x, y, mass=0.5)
    if done:
        monkeypatch.setattr(small, "proven", Interrupting(small.proven, 1))
    else:
        monkeypatch.setattr(small, "FEW_PAIRS", 0)
        monkeypatch.setattr(simplex, "PIVOTS_PER_LOOK", 1)
        monkeypatch.setattr(simplex, "asked", Interrupting(simplex.asked, 5))
    with pytest.raises(otgan.Interrupted) as caught:
        otgan.solve(x, y, mass=0.5)
    found = caught.value.solution
    assert isinstance(found, PartialSolution)
    assert found.status is (Status.OPTIMAL if done else Status.INTERRUPTED)
    assert found.plan.shape == (40, 30)
    assert (len(found.f), len(found.g), found.mass) == (40, 30, 0.5)
    assert found.lower <= truth.value <= found.upper
    assert found.lower < truth.lower or done


def test_all_copies_of_repeated_points_are_what_the_exception_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    places = rng.normal(size=(60, 2))
    x, y = places[rng.integers(60, size=300)], places[rng.integers(60, size=200)] + 0.5
    truth = otgan.solve(x, y)
    monkeypatch.setattr(small, "FEW_PAIRS", 0)
    monkeypatch.setattr(simplex, "PIVOTS_PER_LOOK", 1)
    monkeypatch.setattr(simplex, "asked", Interrupting(simplex.asked, 5))
    with pytest.raises(otgan.Interrupted) as caught:
        otgan.solve(x, y, method="network-simplex")
    found = caught.value.solution
    assert found.status is Status.INTERRUPTED
    assert found.plan.shape == (300, 200)
    assert found.moves.marginal_error(found.problem.masses) == 0
    assert found.lower < truth.lower
    assert found.upper > truth.upper


def places(kind: str) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    n, m = (30, 30) if kind == "equal" else (30, 25)
    return {"x": rng.normal(size=(n, 2)), "y": rng.normal(size=(m, 2)) + 0.3}


@pytest.mark.parametrize("kind", ["equal", "weights"])
def test_p_infinite_ends_with_bounds_and_no_solution_of_another_problem(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = places(kind)
    truth, call = otgan.wasserstein(**given, p=math.inf), 1
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(bottleneck, "asked", work := Interrupting(bottleneck.asked, call))
            stop = stopped(lambda: otgan.wasserstein(**given, p=math.inf))
        if stop is None:
            assert work.calls < call
            break
        assert not isinstance(stop, otgan.Interrupted)
        low, high = (float(number) for number in re.findall(r"[\d.]+", str(stop).partition("[")[2]))
        assert low * (1 - 1e-14) <= truth <= high * (1 + 1e-14)
        call += 1
    assert call > 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def stopped(work: Callable[[], Any]) -> KeyboardInterrupt | None:
    """What Ctrl-C raised, if it was raised."""
    try:
        work()
    except KeyboardInterrupt as stop:
        return stop
    return None


def test_a_ctrl_c_that_was_meant_for_a_block_outside_does_not_stop_p_infinite() -> None:
    given = places("weights")
    truth = otgan.wasserstein(**given, p=math.inf)
    with Interrupts() as outer:
        signal.raise_signal(signal.SIGINT)
        assert otgan.wasserstein(**given, p=math.inf) == truth
        assert outer.asked
