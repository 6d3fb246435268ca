"""Hard problems by the hundred against rational arithmetic; and what the script that draws them counts as a fault."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import peers_on_hard_masses as peers
import pytest
import stress
from hard import problems as hard_problems
from hard.truth import Truth
from hypothesis import settings

import otgan
from otgan.errors import InvalidInput
from otgan.solution import Solution, Status

COUNT = 50 if settings().max_examples > 50 else 8  # problems a family: more in CI, thousands in the script itself


@pytest.mark.parametrize("family", stress.family_names())
def test_no_bound_excludes_the_truth_and_no_value_is_off(family: str) -> None:
    report = stress.run(COUNT, families=[family])
    assert not report.faults, "\n".join(stress.examples(report, seed=0))
    assert sum(tally.calls for tally in report.tallies.values()) >= COUNT


def solution(value: float, lower: float, upper: float, status: Status = Status.OPTIMAL) -> Solution:
    """A solution with bounds that nobody proved."""
    found = otgan.solve_cost([[1.0]])
    bounds = replace(found.certificate, lower=lower, upper=upper)
    return replace(found, value=value, certificate=bounds, status=status)


ABOVE, BELOW = float(np.nextafter(1.0, 2.0)), float(np.nextafter(1.0, 0.0))


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        (solution(1.0, 1.0, 1.0), ()),
        (solution(1.0, BELOW, ABOVE), ()),
        (solution(ABOVE, ABOVE, ABOVE), ("excludes truth",)),
        (solution(BELOW, BELOW, BELOW), ("excludes truth",)),
        (solution(2.0, 0.0, 2.0), ("off",)),
        (solution(2.0, 0.0, 2.0, Status.GAP), ("not converged",)),
        (solution(1.0, 1.0, BELOW), ("excludes truth", "contradiction")),
        (solution(BELOW, 1.0, 2.0), ("outside",)),
        (solution(1.0, -math.inf, math.inf, Status.GAP), ("not converged",)),
        (solution(1.0, math.nan, 1.0), ("excludes truth", "outside")),
        (solution(math.nan, 1.0, 1.0), ("outside", "off")),
        (InvalidInput("too large"), ("refused",)),
        (ZeroDivisionError(), ("exception",)),
    ],
)
def test_what_is_a_fault(answer: Any, labels: tuple[str, ...]) -> None:
    assert stress.judged("method", answer, Truth(Fraction(1), Fraction(0))).labels == labels


def test_a_truth_that_is_known_to_200_digits_forgives_that_much() -> None:
    truth = Truth(1 + Fraction(1, 2**200), Fraction(1, 2**192))
    assert stress.judged("method", solution(1.0, 1.0, 1.0), truth).labels == ()
    exact = truth._replace(error=Fraction(0))
    assert stress.judged("method", solution(1.0, 1.0, 1.0), exact).labels == ("excludes truth",)


def test_distances() -> None:
    assert stress.compared("line", 1.0 + 1e-13, Fraction(1)).labels == ()
    assert stress.compared("line", 1.0 + 1e-11, Fraction(1)).labels == ("off",)
    assert stress.compared("line", 1e-323, Fraction(0)).labels == ("off",)
    assert stress.compared("line", 0.0, Fraction(1, 2**1075)).labels == ()
    assert stress.compared("line", math.nan, Fraction(1)).labels == ("off",)


def test_the_table_adds_up_and_the_script_says_how_to_see_a_fault_again() -> None:
    report = stress.Report()
    wrong = stress.Finding("sparse", ("off",), 0.5, "1.5, truth 1.0")
    for index, finding in enumerate([wrong, stress.Finding("sparse", (), 1e-16, "")]):
        report.add("far blocks", index, finding)
    one, total = report.rows()
    assert (one["family"], one["calls"], one["off"], one["largest error"]) == ("far blocks", 2, 1, "5e-01")
    assert {**total, "family": "far blocks"} == one
    assert "--family 'far blocks' --seed 7 --only 0" in "".join(stress.examples(report, 7))


def test_processes_find_what_one_finds() -> None:
    families = ["rounded totals", "line: rounded totals"]
    assert stress.run(4, families=families, jobs=2).rows() == stress.run(4, families=families).rows()


@pytest.mark.parametrize("family", hard_problems.POINT_FAMILIES)
def test_families_draw_what_they_say(family: str) -> None:
    for seed in range(200):
        problem = hard_problems.draw_points(family, np.random.default_rng(seed))
        for weights, side in ((problem.a, problem.x), (problem.b, problem.y)):
            assert np.isfinite(side).all()
            if weights is None:
                continue
            assert len(weights) == len(side)
            assert weights.min() >= 0
            if family in ("units of 2^-53", "nearly equal", "far blocks", "two ways"):
                assert sum(map(Fraction, weights.tolist())) == 1
                assert not (weights * 2.0**53 % 1).any()


@pytest.mark.parametrize("name", [name for name in peers.PEERS if name != "otgan solve"])
def test_peers_are_asked_for_what_they_compute(name: str) -> None:
    """Where nothing is hard they are right, in the unit of mass and cost that the truth has."""
    peer = peers.PEERS[name]
    x, y, a, b = np.arange(3.0)[:, None], np.array([[0.5], [4.0]]), np.array([0.5, 1.0, 0.5]), np.array([1.5, 0.5])
    for p in peer.orders:
        problem = hard_problems.Points(x, y, a, b, p, "euclidean")
        assert peers.outcome(peer.solve, problem, *peers.allowed(problem)) == "right"
    for problem in peers.problems("far blocks", peer, 20, seed=0):
        assert problem.p in peer.orders
        assert peer.metric in (None, problem.metric)


def test_outcomes_of_peers() -> None:
    one = hard_problems.Points(np.zeros((1, 1)), np.ones((1, 1)), np.ones(1), np.ones(1), 1.0, "euclidean")

    def warn(problem: hard_problems.Points) -> float:
        warnings.warn("not sure", stacklevel=2)
        return 2.0

    solvers = (lambda _: 1.0 + 1e-7, lambda _: 1.0 + 1e-5, lambda _: math.nan, warn, lambda _: 1 / 0)
    outcomes = [peers.outcome(solver, one, *peers.allowed(one)) for solver in solvers]
    assert outcomes == ["right", "wrong", "wrong", "wrong with a warning", "raised"]
    assert peers.told(Counter(outcomes)) == "2 (1 wrong with a warning, 1 raised)"
    twice = replace(one, y=one.x)
    assert peers.allowed(twice) == (0, 0)
