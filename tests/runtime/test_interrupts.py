"""Ctrl-C, sent to other processes at random moments, and to this one at chosen ones."""

from __future__ import annotations

import pickle
import signal
import sys
import threading
from typing import Any

import interrupts as stress
import numpy as np
import pytest

import otgan
from otgan.exact import assignment, dense, line, small
from otgan.line import distance
from otgan.runtime.interrupts import Interrupts, asked
from otgan.solution import Status

CASES = ["assignment", "sparse, weights", "wasserstein_1d, weights", "wasserstein_1d, many small", "the command"]


def gaussian(n: int, m: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(n)
    return rng.standard_normal((n, 2)), rng.standard_normal((m, 2)) + 0.3


def test_random_moments() -> None:
    outcomes = list(stress.run(10, CASES, scale=0.3))
    assert not [outcome for outcome in outcomes if outcome.failure]
    assert len(outcomes) == 10
    solves = [outcome for outcome in outcomes if outcome.case in CASES[:2]]
    assert any(outcome.status in ("INTERRUPTED", "OPTIMAL") for outcome in solves)  # "none" came between two solves


@pytest.fixture
def in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small problems take the way of large ones, which can be interrupted."""
    monkeypatch.setattr(small, "FEW_PAIRS", 0)


@pytest.mark.usefixtures("in_rounds")
@pytest.mark.parametrize("chunks", [0, 1, 40])
def test_the_assignment_stops_between_two_chunks(chunks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = gaussian(300, 300)
    truth = otgan.solve(x, y, method="assignment")
    done = [0]

    def stop() -> bool:
        if done[0] == chunks:
            signal.raise_signal(signal.SIGINT)
        done[0] += 1
        return asked()

    monkeypatch.setattr(assignment, "COSTS_PER_LOOK", 1)
    monkeypatch.setattr(assignment, "asked", stop)
    with pytest.raises(otgan.Interrupted, match=r"interrupted, when the optimal cost lies in \[") as caught:
        otgan.solve(x, y, method="assignment")
    found = caught.value.solution
    assert done[0] == chunks + 1
    assert found.status is Status.INTERRUPTED
    assert found.lower <= truth.lower
    assert found.upper > truth.upper
    assert found.plan.sum(axis=1) == pytest.approx(np.full(300, 1 / 300))
    assert found.plan.sum(axis=0) == pytest.approx(np.full(300, 1 / 300))
    assert (found.f[:, None] + found.g <= np.linalg.norm(x[:, None] - y, axis=2) * (1 + 1e-12)).all()


def test_in_chunks_the_assignment_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = gaussian(200, 200)
    whole = otgan.solve(x, y, method="assignment")
    monkeypatch.setattr(assignment, "COSTS_PER_LOOK", 1)
    parts = otgan.solve(x, y, method="assignment")
    assert parts.value == whole.value
    assert np.array_equal(parts.plan.col, whole.plan.col)


@pytest.mark.usefixtures("in_rounds")
@pytest.mark.parametrize("method", ["network-simplex", "linprog", "assignment", "sparse"])
@pytest.mark.parametrize("throw", [True, False])
def test_an_interrupt_in_a_solve_that_ends_optimal_is_not_lost(
    method: str, throw: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when the proof is being made, too late to stop anything."""
    x, y = gaussian(30, 30)
    truth = otgan.solve(x, y, method=method)
    certified, proven = otgan.Solution.certified.__func__, small.proven  # type: ignore[attr-defined]

    def interrupted(work: Any) -> Any:
        def wrapped(*args: Any, **options: Any) -> Any:
            signal.raise_signal(signal.SIGINT)
            return work(*args, **options)

        return wrapped

    monkeypatch.setattr(otgan.Solution, "certified", classmethod(interrupted(certified)))
    monkeypatch.setattr(small, "proven", interrupted(proven))
    with pytest.raises(otgan.Interrupted, match=r"interrupted, .* optimal within rtol") as caught:
        otgan.solve(x, y, method=method, throw=throw)
    assert caught.value.solution.status is Status.OPTIMAL
    assert caught.value.solution.value == truth.value
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("throw", [True, False])
@pytest.mark.parametrize("rtol", [1e-9, 1e-13])
def test_an_interrupt_on_the_line_is_not_lost(throw: bool, rtol: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether order is proof enough, or plan and potentials have to be."""
    x, y = np.arange(30.0), np.arange(30.0) + 0.5
    quick, usual = distance.cost_on_the_line, line.solve

    def interrupted(work: Any) -> Any:
        def wrapped(*args: Any, **options: Any) -> Any:
            signal.raise_signal(signal.SIGINT)
            return work(*args, **options)

        return wrapped

    monkeypatch.setattr(distance, "cost_on_the_line", interrupted(quick))
    monkeypatch.setattr(line, "solve", interrupted(usual))
    with pytest.raises(otgan.Interrupted, match=r"interrupted, .* optimal within rtol") as caught:
        otgan.solve(x, y, rtol=rtol, throw=throw)
    assert caught.value.solution.status is Status.OPTIMAL
    assert caught.value.solution.value == 0.5


@pytest.mark.parametrize("method", ["network-simplex", "assignment"])
def test_an_interrupt_in_a_small_problem_is_not_lost(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = gaussian(30, 30)
    truth = otgan.solve(x, y, method=method)
    in_one_go = small.solve

    def interrupted(*args: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return in_one_go(*args)

    monkeypatch.setattr(small, "solve", interrupted)
    with pytest.raises(otgan.Interrupted, match="optimal within rtol") as caught:
        otgan.solve(x, y, method=method)
    assert caught.value.solution.value == truth.value


def test_an_interrupt_while_a_quick_way_is_looked_for_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["otgan.solve"], "_quick_solution", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        otgan.solve(*gaussian(4, 5))


@pytest.mark.usefixtures("in_rounds")
def test_rounds_of_refinement_end_with_the_one_that_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = [0]

    def poor(C: Any, a: Any, b: Any, max_steps: Any) -> dense.RawAnswer:
        rounds[0] += 1
        signal.raise_signal(signal.SIGINT)
        return dense.RawAnswer(np.arange(30), np.arange(30), a, np.zeros(30), np.zeros(30))

    monkeypatch.setattr(assignment, "solve_in_parts", lambda problem, rtol: None)
    monkeypatch.setattr(assignment, "assign", poor)
    with pytest.raises(otgan.Interrupted) as caught:
        otgan.solve(*gaussian(30, 30), method="assignment")
    assert rounds == [1]
    assert caught.value.solution.status is Status.INTERRUPTED


def test_nothing_that_goes_on_after_errors_goes_on_after_it() -> None:
    assert not issubclass(otgan.Interrupted, Exception)
    solution = otgan.solve([0.0], [1.0])
    error = pickle.loads(pickle.dumps(otgan.Interrupted("interrupted", solution)))
    assert (str(error), error.solution.value) == ("interrupted", 1.0)


def test_a_block_inside_another_leaves_it_alone() -> None:
    """Such as a solve while a GAN is trained, whose step comes to its end first."""
    with Interrupts() as outer:
        with Interrupts() as inner:
            signal.raise_signal(signal.SIGINT)
            assert (outer.asked, inner.asked, asked()) == (True, False, False)
            assert otgan.solve([0.0], [1.0]).value == 1.0
        assert asked()
    assert not asked()


def test_other_threads_are_not_asked() -> None:
    answers: list[bool] = []
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
        thread = threading.Thread(target=lambda: answers.append(asked()))
        thread.start()
        thread.join()
    assert answers == [False]


def two() -> None:
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)


def test_a_second_one_ends_it_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        two()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not asked()


def failed() -> None:
    signal.raise_signal(signal.SIGINT)
    raise otgan.OTError("no proof")


def test_an_error_after_the_first_one_is_an_interrupt_too() -> None:
    """A loop that goes on after errors would lose it."""
    with pytest.raises(KeyboardInterrupt) as caught, Interrupts():
        failed()
    assert isinstance(caught.value.__cause__, otgan.OTError)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not asked()
