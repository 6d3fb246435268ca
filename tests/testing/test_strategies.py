"""The strategies draw what they say, shrink to little, and their answers are right."""

from __future__ import annotations

import builtins
import importlib
import itertools
import math
import sys
from dataclasses import fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hard.truth import point_value
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as hst
from hypothesis.vendor.pretty import pretty

from otgan.errors import InvalidInput
from otgan.testing import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = settings(max_examples=300, database=None, derandomize=True)


@pytest.mark.parametrize("kind", st.CLOUDS)
def test_clouds(kind: str) -> None:
    @given(st.point_clouds(n=hst.integers(1, 9), dim=hst.integers(1, 3), kinds=[kind]))
    def check(x: np.ndarray) -> None:
        assert x.dtype == np.float64
        assert x.flags.c_contiguous
        assert 1 <= x.shape[0] <= 9
        assert 1 <= x.shape[1] <= 3
        assert np.isfinite(x).all()
        # Differences are exact: whole multiples of a unit with less than 53 bits.
        whole = x / {"tiny": 2.0**-37, "huge": 2.0**17}.get(kind, 2.0**-10)
        np.testing.assert_array_equal(whole, np.round(whole))
        assert np.abs(whole).max() < 2**52

    check()


def test_sizes_and_defaults() -> None:
    @given(st.point_clouds(n=5, dim=2), st.point_clouds())
    def check(x: np.ndarray, y: np.ndarray) -> None:
        assert x.shape == (5, 2)
        assert y.ndim == 2
        assert len(y) <= 12

    check()


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("duplicates", lambda x: len(np.unique(x, axis=0)) == 3),
        ("collinear", lambda x: np.linalg.matrix_rank(x - x[0]) == 1 and len(np.unique(x, axis=0)) > 4),
        ("clusters", lambda x: np.ptp(x[:, 0]) > 1e9),
        ("tiny", lambda x: 0 < np.ptp(x) < 1e-7),
        ("huge", lambda x: np.ptp(x) > 1e8),
        ("offset", lambda x: x.min() > 1e7 and np.ptp(x) > 1),
        ("gaussian", lambda x: np.ptp(x) > 4),
        ("lattice", lambda x: len(np.unique(x)) == 7),
    ],
)
def test_kinds_reach_their_extremes(kind: str, seen: Callable[[np.ndarray], bool]) -> None:
    find(
        st.point_clouds(n=6, dim=3, kinds=[kind]), lambda x: bool(seen(x)), settings=settings(SMALL, max_examples=3000)
    )


@pytest.mark.parametrize("kind", [*st.MASSES, *st.HARD_MASSES])
def test_weights(kind: str) -> None:
    @given(hst.integers(1, 9).flatmap(lambda n: hst.tuples(hst.just(n), st.weights(n, kinds=[kind]))))
    def check(drawn: tuple[int, np.ndarray]) -> None:
        n, a = drawn
        assert a.shape == (n,)
        assert a.dtype == np.float64
        assert a.min() >= 0
        assert abs(math.fsum(a) - 1) <= (1e-15 if kind == "tiny" else 2e-16)
        if kind in ("cuts", "unequal", "nearly-equal", "ulps"):
            assert sum(a) == sum(a[::-1]) == 1.0
            assert sum(map(Fraction, a.tolist())) == 1

    check()


@pytest.mark.parametrize(
    "seen",
    [lambda a: a.min() == 0, lambda a: 0 < a.min() < 1e-10, lambda a: np.ptp(a) == 0, lambda a: (a > 0).sum() == 1],
    ids=["a zero", "very unequal", "equal", "all at one point"],
)
def test_weights_reach_their_extremes(seen: Callable[[np.ndarray], bool]) -> None:
    find(st.weights(5), lambda a: bool(seen(a)), settings=settings(SMALL, max_examples=3000))


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("nearly-equal", lambda a: 0 < np.ptp(a) < 1e-14),
        ("ulps", lambda a: 0 < a.min() < 1e-14),
        ("tiny", lambda a: 0 < a.min() < 1e-299),
        ("tiny", lambda a: (a > 0.1).sum() > 1 and a.min() < 1e-15),
    ],
)
def test_hard_weights_reach_their_extremes(kind: str, seen: Callable[[np.ndarray], bool]) -> None:
    find(st.weights(5, kinds=[kind]), lambda a: bool(seen(a)), settings=settings(SMALL, max_examples=3000))


def test_what_is_hard_is_drawn_only_where_it_is_asked_for() -> None:
    assert not set(st.MASSES) & set(st.HARD_MASSES)
    assert not set(st.THEOREMS) & set(st.HARD_THEOREMS)

    @given(st.solved_problems(), st.problems(masses=st.HARD_MASSES))
    def check(known: st.SolvedProblem, hard: st.TransportProblem) -> None:
        assert known.theorem in st.THEOREMS
        assert min(hard.a.min(), hard.b.min()) >= 0

    check()


@given(st.problems(n=4, m=hst.integers(1, 3), dim=2, p=[1, 2], metric=["cityblock"]))
def test_problems(problem: st.TransportProblem) -> None:
    assert problem.x.shape == (4, 2)
    assert problem.y.shape == (len(problem.b), 2)
    assert problem.a.shape == (4,)
    assert problem.p in (1.0, 2.0)
    assert problem.metric == "cityblock"
    C = problem.costs()
    for i, j in itertools.product(range(4), range(len(problem.y))):
        assert C[i, j] == sum(abs(problem.x[i] - problem.y[j])) ** problem.p


@pytest.mark.parametrize(
    ("metric", "p", "expected"),
    [("euclidean", 1, 5), ("euclidean", 2, 25), ("euclidean", 3, 125), ("cityblock", 2, 49), ("chebyshev", 1.5, 8)],
)
def test_costs(metric: str, p: float, expected: float) -> None:
    one = np.ones(1)
    problem = st.TransportProblem(np.array([[1.0, 2.0]]), np.array([[-2.0, 6.0]]), one, one, p, metric)
    np.testing.assert_allclose(problem.costs(), [[expected]], rtol=1e-15)


@pytest.mark.parametrize("theorem", [*st.THEOREMS, *st.HARD_THEOREMS])
def test_answers_are_those_of_rational_arithmetic(theorem: str) -> None:
    """Without any of otgan's code."""

    @given(st.solved_problems(n=hst.integers(1, 5), theorems=[theorem], masses=[*st.MASSES, *st.HARD_MASSES]))
    def check(known: st.SolvedProblem) -> None:
        assert known.theorem == theorem
        assert known.distance == known.value ** (1 / known.p)
        truth = point_value(known.x.tolist(), known.y.tolist(), known.p, known.metric, known.a, known.b).value
        assert abs(Fraction(known.value) - truth) <= Fraction(st.EXACT_RTOL) * truth

    check()


@pytest.mark.parametrize("far", [2.0**30, 2.0**66])
def test_slivers_of_mass_go_all_the_way_between_blocks(far: float) -> None:
    def seen(known: st.SolvedProblem) -> bool:
        sliver = np.abs(np.sort(known.a) - np.sort(known.b)).max()
        return bool(0 < sliver < 1e-14 and np.ptp(known.x) >= far and known.value > 0.9 * far * 2.0**-53)

    strategy = st.solved_problems(n=2, p=1, dim=1, theorems=["nearly balanced blocks"])
    find(strategy, seen, settings=settings(SMALL, max_examples=3000, phases=[Phase.generate]))


@pytest.mark.parametrize("theorem", [*st.THEOREMS, *st.HARD_THEOREMS])
def test_theorems_are_drawn_with_answers_that_are_not_zero(theorem: str) -> None:
    if theorem in ("permutation", "one measure twice"):
        return
    quick = settings(SMALL, phases=[Phase.generate])
    known = find(st.solved_problems(theorems=[theorem]), lambda drawn: drawn.value > 0, settings=quick)
    assert known.theorem == theorem


def test_every_choice_is_respected() -> None:
    @given(st.solved_problems(p=3, metric="chebyshev", dim=2, n=4, masses=["equal"]))
    def check(known: st.SolvedProblem) -> None:
        assert known.theorem != "convex gradient"
        assert known.p == 3.0
        assert known.metric == "chebyshev"
        assert known.x.shape[1] == known.y.shape[1] == 2
        assert {len(known.x), len(known.y)} <= {1, 4}
        assert np.ptp(known.a) == np.ptp(known.b) == 0

    check()


def test_examples_shrink_to_little() -> None:
    cloud = find(st.point_clouds(), lambda x: len(x) >= 3, settings=SMALL)
    np.testing.assert_array_equal(cloud, np.zeros((3, 1)))
    mass = find(hst.integers(1, 9).flatmap(st.weights), lambda a: np.ptp(a) > 0, settings=SMALL)
    assert len(mass) == 2
    moved = find(st.solved_problems(theorems=["translation"]), lambda known: known.value > 1, settings=SMALL)
    assert len(moved.x) == 1
    assert moved.x.item() == 0
    problem = find(st.problems(), lambda drawn: len(drawn.x) > len(drawn.y) and drawn.p == 2, settings=SMALL)
    np.testing.assert_array_equal(problem.x, np.zeros((2, 1)))


BAD: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (st.point_clouds, {"kinds": ["round"]}, "kinds"),
    (st.point_clouds, {"kinds": "gaussian"}, "kinds"),
    (st.point_clouds, {"kinds": []}, "kinds"),
    (st.point_clouds, {"n": 0}, "n"),
    (st.point_clouds, {"n": 1.5}, "n"),
    (st.point_clouds, {"dim": True}, "dim"),
    (st.weights, {"n": 0}, "n"),
    (st.weights, {"n": 3, "kinds": ["heavy"]}, "kinds"),
    (st.problems, {"m": -1}, "m"),
    (st.problems, {"p": 0.5}, "p"),
    (st.problems, {"p": math.inf}, "p"),
    (st.problems, {"metric": "cosine"}, "metric"),
    (st.problems, {"masses": ["heavy"]}, "masses"),
    (st.solved_problems, {"theorems": ["fermat"]}, "theorems"),
    (st.solved_problems, {"theorems": ["convex gradient"], "p": 1}, "theorems"),
    (st.solved_problems, {"theorems": ["convex gradient"], "metric": "chebyshev"}, "theorems"),
    (st.solved_problems, {"p": [1, "2"]}, "p"),
]


@pytest.mark.parametrize(("strategy", "arguments", "name"), BAD)
def test_bad_arguments_are_refused_at_once(strategy: Callable[..., Any], arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"\b{name}\b"):
        strategy(**arguments)


def test_without_hypothesis_the_asserts_work_and_the_strategies_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a machine without hypothesis: no module of it can be imported."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "hypothesis":
            raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.split(".")[:2] == ["otgan", "testing"]]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    testing = importlib.import_module("otgan.testing")
    testing.assert_metric(lambda x, y: float(np.abs(x.mean() - y.mean())), [[0.0], [1.0], [3.0]])
    with pytest.raises(ImportError, match=r"pip install 'otgan\[testing\]'"):
        _ = testing.strategies
    with pytest.raises(AttributeError, match="nothing"):
        _ = testing.nothing


def test_a_failing_example_can_be_pasted_and_is_shown_once() -> None:
    drawn = st.SolvedProblem(
        np.array([[0.1, -2.0]]), np.array([[1 / 3, 5e-324]]), np.ones(1), np.ones(1), 2.0, "euclidean", 1e17, "dirac"
    )
    pasted = eval(pretty(drawn), {"np": np, "SolvedProblem": st.SolvedProblem})
    for field in fields(drawn):
        assert np.array_equal(getattr(pasted, field.name), getattr(drawn, field.name))
    assert repr(drawn).startswith("SolvedProblem(x=<(1, 2)>, y=<(1, 2)>, a=<(1,)>")
    assert "\n" not in repr(drawn)
