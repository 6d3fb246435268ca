"""One table of what must be refused: InvalidInput, naming the argument, in one or two sentences."""

from __future__ import annotations

import math
import re
import tracemalloc
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from scipy import sparse

import otgan
from otgan import inputs
from otgan.errors import InvalidInput, OTError
from otgan.exact import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = np.array([[0.0], [1.0], [3.0]])
LINE = GOOD[:, 0]
MANY = np.arange(20.0)[:, None]
NAN, INF = math.nan, math.inf


class Door(NamedTuple):
    """A public function, and how to reach its arguments."""

    call: Callable[..., Any]
    points: dict[str, Any]
    weighted: bool = True


DOORS = {
    "solve": Door(otgan.solve, {"x": GOOD, "y": GOOD}),
    "wasserstein": Door(otgan.wasserstein, {"x": GOOD, "y": GOOD}),
    "wasserstein_1d": Door(otgan.wasserstein_1d, {"x": LINE, "y": LINE}),
    "wasserstein_circle": Door(otgan.wasserstein_circle, {"u": LINE, "v": LINE}),
    "solve_cost": Door(otgan.solve_cost, {"C": np.abs(LINE[:, None] - LINE)}),
    "population_interval": Door(otgan.population_interval, {"x": MANY, "y": MANY}, weighted=False),
    "Funnels": Door(otgan.pairs.Funnels, {"centers": GOOD / 3, "offsets": LINE}, weighted=False),
    "MaxCones": Door(otgan.pairs.MaxCones, {"centers": GOOD / 3, "offsets": LINE}, weighted=False),
    "LeastCones": Door(otgan.pairs.LeastCones, {"centers": GOOD, "offsets": LINE}, weighted=False),
    "SphericalShells": Door(otgan.pairs.SphericalShells, {"centers": 2 * GOOD}, weighted=False),
    "Translation": Door(otgan.pairs.Translation, {"shift": LINE}, weighted=False),
    "ShiftedGaussians": Door(otgan.pairs.ShiftedGaussians, {"shift": LINE}, weighted=False),
}

BATCHED = ("wasserstein_1d", "wasserstein_circle")  # more axes are more samples
POINTS = ("solve", "wasserstein", "population_interval")  # both sides are points of one space

BAD_ARRAYS: dict[str, Any] = {
    "NaN": [0.0, NAN, 1.0],
    "inf": [0.0, INF, 1.0],
    "-inf": [0.0, -INF, 1.0],
    "only NaN": [NAN, NAN, NAN],
    "float32 NaN": np.array([0.0, NAN, 1.0], np.float32),
    "empty list": [],
    "empty array": np.zeros((0, 1)),
    "no columns": np.zeros((3, 0)),
    "ragged lists": [[0.0], [1.0, 2.0], [3.0]],
    "ragged arrays": [np.zeros(2), np.zeros(3)],
    "complex": np.array([0.0, 1.0, 2.0 + 0j]),
    "complex list": [0.0, 1j],
    "objects": np.array([0.0, 1.0, 2.0], dtype=object),
    "None": None,
    "None inside": [0.0, None, 1.0],
    "strings": ["0", "1", "2"],
    "bytes": [b"0", b"1"],
    "a string": "0, 1, 2",
    "dates": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]"),
    "time spans": np.array([1, 2], dtype="timedelta64[s]"),
    "records": np.zeros(3, dtype=[("u", float)]),
    "sparse": sparse.csr_array(GOOD),
    "sparse matrix": sparse.coo_matrix(GOOD),
    "masked": np.ma.masked_equal(LINE, 3.0),
    "nothing masked": np.ma.masked_array(LINE),
    "a set": {0.0, 1.0},
    "a dict": {0: 1.0},
    "a generator": (k for k in range(3)),
    "a function": len,
    "integers above 2**53": np.array([2**60, 0, 1]),
    "integers above 2**64": [2**70, 0, 1],
    "a single number": 1.0,
    "a 0-d array": np.array(1.0),
}
BAD_POINTS: dict[str, Any] = {
    "3-D": np.zeros((3, 2, 2)),
    "4-D": np.zeros((3, 1, 1, 1)),
    "wrong dimension": np.zeros((3, 2)),
}
BAD_COSTS: dict[str, Any] = {
    "1-D": [0.0, 1.0],
    "3-D": np.zeros((3, 2, 2)),
    "above 1e140": [[1e200, 0.0], [0.0, 0.0]],
}
BAD_WEIGHTS: dict[str, Any] = {
    "negative": [0.5, 0.75, -0.25],
    "barely negative": [0.5, 0.5, -1e-300],
    "all zero": [0.0, 0.0, 0.0],
    "too few": [0.5, 0.5],
    "too many": [0.25, 0.25, 0.25, 0.25],
    "a row": [[0.25, 0.25, 0.5]],
    "a column": [[0.25], [0.25], [0.5]],
    "heavier": [0.5, 0.5, 0.5],
    "lighter": [0.3, 0.3, 0.3],
    "a little lighter": [0.25, 0.25, 0.4999],
    "overflowing": [1e308, 1e308, 1e308],
    "vanishing": [1e-200, 1e-200, 1e-200],
}


def rows() -> list[Any]:
    """Everything that must be refused: function, arguments, and the name that the message must mention."""
    table = []

    def add(door: str, case: str, name: str, **arguments: Any) -> None:
        table.append(pytest.param(door, arguments, name, id=f"{door}-{name}-{case}"))

    for door, (_, points, weighted) in DOORS.items():
        for name in points:
            for case, bad in BAD_ARRAYS.items():
                add(door, case, name, **{**points, name: bad})
            special = BAD_COSTS if name == "C" else BAD_POINTS if door in POINTS else {}
            for case, bad in special.items():
                add(door, case, name, **{**points, name: bad})
        for name in ("a", "b") if weighted else ():
            for case, bad in {**BAD_ARRAYS, **BAD_WEIGHTS}.items():
                if bad is not None:
                    add(door, case, name, **points, **{name: bad})
    for door in (*POINTS, *BATCHED):
        for bad in (0.99, 0, -1, NAN, -INF, True, np.True_, "2", None, 1j, [1], np.array([1, 2])):
            add(door, repr(bad), "p", **DOORS[door].points, p=bad)
    for door in ("solve", "wasserstein", "wasserstein_1d"):
        points = DOORS[door].points
        far = {"x": points["x"] * 1e200, "y": points["y"]}
        add(door, "too far apart", "span", **far)
        add(door, "a power that overflows", "p", x=points["x"] * 1e100, y=points["y"], p=4)
        add(door, "a power that vanishes", "p", x=points["x"] * 1e-100, y=points["y"] * 1e-100, p=4)
        add(door, "beyond float64", "span", x=points["x"] * 5e307, y=-points["x"] * 5e307)
    for door in ("solve", "wasserstein"):
        points = DOORS[door].points
        for bad in ("cosine", "", "Euclidean", None, 2, ["euclidean"], len):
            add(door, repr(bad), "metric", **points, metric=bad)
        if door != "wasserstein":  # which has it in every dimension
            add(door, "inf in the plane", "p", x=np.zeros((2, 2)), y=np.zeros((2, 2)), p=INF)
    add("solve", "inf", "p", **DOORS["solve"].points, p=INF)
    points = DOORS["wasserstein"].points
    add("wasserstein", "p = inf, wrong", "metric", **points, metric="cosine", p=INF)
    add("wasserstein", "p = inf, wrong", "method", **points, method="sinkhorn", p=INF)
    add("wasserstein", "p = inf, wrong", "rtol", **points, rtol=-1.0, p=INF)
    for door in ("solve", "wasserstein", "solve_cost"):
        points = DOORS[door].points
        for bad in ("sinkhorn", "", None, 1, ["line"]):
            add(door, repr(bad), "method", **points, method=bad)
        for bad in (0, -1e-9, 1.5, NAN, INF, "1e-9", None, True):
            add(door, repr(bad), "rtol", **points, rtol=bad)
    for door in ("solve", "solve_cost"):
        for bad in (0, -1, 1.5, "10", True):
            add(door, repr(bad), "max_steps", **DOORS[door].points, max_steps=bad)
        add(door, "without steps", "max_steps", **DOORS[door].points, max_steps=5, method="assignment")
    add("solve", "without steps", "max_steps", x=np.zeros(3), y=np.ones(3), max_steps=5, method="line")
    for bad in ("gpu", "mps", "cuda:99", "meta", "", None, 0, ["cpu"]):
        add("solve", repr(bad), "device", **DOORS["solve"].points, device=bad)
    add("solve_cost", "line", "method", **DOORS["solve_cost"].points, method="line")
    add("solve", "line in the plane", "method", x=np.zeros((2, 2)), y=np.zeros((2, 2)), method="line")
    add("solve", "unequal sizes", "method", x=np.zeros((2, 2)), y=np.zeros((3, 2)), method="assignment")
    add("solve", "weights", "method", **DOORS["solve"].points, a=[0.25, 0.25, 0.5], method="assignment")
    points = DOORS["population_interval"].points
    for bad in (2, 1.5, INF):
        add("population_interval", repr(bad), "p", **points, p=bad)
    for bad in (0, 1, -0.5, 95, NAN, "0.95", None, True):
        add("population_interval", repr(bad), "confidence", **points, confidence=bad)
    for bad in (1, 0, 2.5, "4", None, True, 6):
        add("population_interval", repr(bad), "folds", **points, folds=bad)
    for bad in (-1, 0.5, "0", None, True):
        add("population_interval", repr(bad), "seed", **points, seed=bad)
    for name in ("x", "y"):
        add("population_interval", "few points", name, **{**points, name: GOOD})
    add("population_interval", "too far apart", "span", x=MANY * 1e200, y=MANY)
    for door in ("Funnels", "MaxCones"):
        points = DOORS[door].points
        for case, bad in {"3-D": np.zeros((3, 2, 2)), "outside the box": GOOD}.items():
            add(door, case, "centers", **{**points, "centers": bad})
        for bad in ([0.0, 1.0], np.zeros((3, 1)), np.zeros(4)):
            add(door, f"shape {np.shape(bad)}", "offsets", **{**points, "offsets": bad})
        for bad in (0, -1.0, NAN, INF, "1", None, True):
            add(door, repr(bad), "half_width", **points, half_width=bad)
        for bad in (0.5, NAN, INF, "8", None, True):
            add(door, repr(bad), "power", **points, power=bad)
    shells = DOORS["SphericalShells"].points
    add("SphericalShells", "crossing", "centers", centers=GOOD)
    for bad in (-0.5, 1.0, NAN, "0", None, True):
        add("SphericalShells", repr(bad), "inner", **shells, inner=bad)
    for bad in (0, -1.0, NAN, INF, "1", None, True):
        add("SphericalShells", repr(bad), "outer", **shells, outer=bad)
    for door in ("Translation", "ShiftedGaussians"):
        for case, bad in {"zero": [0.0, 0.0], "a matrix": [[1.0]], "too long": [1e200]}.items():
            add(door, case, "shift", shift=bad)
    for bad in (0, -1.0, NAN, INF, "1", None, True):
        add("Translation", repr(bad), "half_width", shift=LINE, half_width=bad)
    covariances = {
        "too small": np.eye(2),
        "a row": LINE,
        "negative": -np.eye(3),
        "not symmetric": np.triu(np.ones((3, 3))),
    }
    for case, bad in {**BAD_ARRAYS, **covariances, "too large": 1e200 * np.eye(3)}.items():
        if bad is not None:
            add("ShiftedGaussians", case, "covariance", shift=LINE, covariance=bad)
    batch = np.zeros((2, 3))
    for door in BATCHED:
        x, y = DOORS[door].points
        for bad in (2, -3, 0.0, None, "0", (0, 1), True):
            add(door, repr(bad), "axis", **{x: batch, y: batch}, axis=bad)
        add(door, "batches that differ", x, **{x: batch, y: np.zeros((4, 3))})
        both = {x: batch, y: batch}
        add(door, "one batch of weights is bad", "a", **both, a=[[0.5, 0.5, 0], [0.5, -0.5, 1]])
        add(door, "one batch is unequal", "b", **both, b=[[0.5, 0.5, 0], [0.5, 0.5, 1]])
        add(door, "weights of another batch", "a", **both, a=np.full((3, 3), 1 / 3))
    points = DOORS["wasserstein_circle"].points
    for bad in (0, -1.0, NAN, INF, True, "1", None, [1.0], 1j, 1e200, 1e-200):
        add("wasserstein_circle", repr(bad), "period", **points, period=bad)
    add("wasserstein_circle", "a power that overflows", "p", **points, period=1e100, p=4)
    return table


@pytest.mark.parametrize(("door", "arguments", "name"), rows())
def test_refused(door: str, arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        DOORS[door].call(**arguments)
    message = str(refusal.value)
    assert re.search(rf"\b{name}\b", message), message
    assert 1 <= sentences(message) <= 2, message
    assert len(message) <= 400, message
    assert isinstance(refusal.value, ValueError)
    assert isinstance(refusal.value, OTError)


def sentences(message: str) -> int:
    """How many sentences a message has: full stops at the end of a word."""
    assert message.endswith("."), message
    return len(re.findall(r"(?<=[\w)'\"\]])[.!?](?=\s|$)", message))


@pytest.mark.parametrize("method", ["network-simplex", "linprog", "assignment"])
@pytest.mark.parametrize("dim", [1, 2])
def test_huge_problems_are_refused_before_anything_is_allocated(method: str, dim: int) -> None:
    n = 300_000
    x = np.arange(n * dim, dtype=float).reshape(n, dim)  # distinct: equal points would be merged
    y = x + 0.5
    otgan.solve(GOOD, GOOD, method=method)  # what is imported on first use does not count
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput) as refusal:
            otgan.solve(x, y, method=method)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    message = str(refusal.value)
    assert peak < 100 * 2**20
    assert "GiB" in message
    assert "300000 x 300000" in message
    others = [f"'{other}'" for other in METHODS if other != method]
    assert any(other in message for other in others) or dim > 1, message
    assert "Use " in message


@pytest.mark.parametrize("method", ["network-simplex", "linprog", "assignment"])
def test_huge_cost_matrices_are_refused(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otgan.runtime.memory.BLINK", 0)
    monkeypatch.setattr("otgan.runtime.memory.available", lambda: 2**17)
    with pytest.raises(InvalidInput, match="GiB"):
        otgan.solve_cost(np.zeros((100, 100)), method=method)


GOOD_ARRAYS: dict[str, Any] = {
    "lists": [[0], [1], [3]],
    "tuples": ((0.0,), (1.0,), (3.0,)),
    "a range": range(0, 4, 2),
    "integers": np.array([0, 1, 3]),
    "booleans": np.array([False, True]),
    "float16": GOOD.astype(np.float16),
    "float32": GOOD.astype(np.float32),
    "long double": GOOD.astype(np.longdouble),
    "not contiguous": np.zeros((6, 4))[::2, ::2],
    "read only": np.broadcast_to(0.0, (3, 1)),
    "a matrix": np.asmatrix(GOOD) if hasattr(np, "asmatrix") else GOOD,
    "big endian": GOOD.astype(">f8"),
    "negative zero": [-0.0, 0.0],
    "largest": [0.0, 1e139],
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("good", GOOD_ARRAYS.values(), ids=GOOD_ARRAYS.keys())
def test_accepted(good: Any) -> None:
    assert otgan.solve(good, good).value == 0.0
    assert otgan.wasserstein(good, good) == 0.0


def test_totals_that_differ_by_rounding_are_equal() -> None:
    third = [1 / 3, 1 / 3, 1 / 3]
    assert otgan.wasserstein(GOOD, GOOD + 1, a=third, b=[1 / 3, 1 / 3, 1 / 3 + 1e-11]) == pytest.approx(1.0, rel=1e-9)
    assert otgan.wasserstein(GOOD, GOOD + 1, a=np.array(third, np.float32), b=third) == pytest.approx(1.0, rel=1e-6)
    with pytest.raises(InvalidInput, match=r"sum\(a\) = 1, sum\(b\) = 1.00001"):
        otgan.wasserstein(GOOD, GOOD, a=third, b=[1 / 3, 1 / 3, 1 / 3 + 1e-5])


def test_a_message_says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match=r"1 of 3 values are NaN, the first at index 1\. Drop or fill them\."):
        otgan.solve([0.0, NAN, 1.0], [0.0])
    with pytest.raises(InvalidInput, match=r"toarray\(\)"):
        otgan.solve(sparse.eye_array(2), GOOD)
    with pytest.raises(InvalidInput, match=r"x\.reshape\(len\(x\), -1\)"):
        otgan.solve(np.zeros((3, 2, 2)), GOOD)
    with pytest.raises(InvalidInput, match=r"otgan\.wasserstein"):
        otgan.solve(GOOD, GOOD, INF)


def test_checks_are_also_for_other_modules() -> None:
    assert inputs.count(np.int64(3), "n") == 3
    with pytest.raises(InvalidInput, match="n must be at least 1 and at most 5, but 6 came"):
        inputs.count(6, "n", high=5)
    assert inputs.real(np.float32(0.5), "t", low=0, high=1) == 0.5
    with pytest.raises(InvalidInput, match=r"t must lie in \[0, 1\]"):
        inputs.real(2, "t", low=0, high=1)
    assert not inputs.is_tensor(GOOD)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_are_told_apart_or_refused(dtype: Any) -> None:
    """2**53 is the last below which float64 holds every integer; 2**53 + 1 must not become it."""
    edges = [
        2**53 + 1,
        2**53 + 2,
        2**62 + 1,
        np.iinfo(dtype).max,
        *([-(2**53) - 1, -(2**63)] if dtype == np.int64 else []),
    ]
    for number in edges:
        with pytest.raises(InvalidInput, match=re.escape("2**53")):
            inputs.real_array(np.array([0, number], dtype), "x")
    for number in (2**53, 2**53 - 1, 1, *([-(2**53), 1 - 2**53] if dtype == np.int64 else [])):
        clean = inputs.real_array(np.array([0, number], dtype), "x")
        assert [int(value) for value in clean] == [0, number]


def test_distances_of_large_integers_are_theirs_or_refused() -> None:
    assert otgan.wasserstein([2**53], [2**53 - 1]) == 1.0
    for far in (2**53 + 1, -(2**53) - 1, -(2**63)):
        for call in (otgan.wasserstein, otgan.wasserstein_1d):
            with pytest.raises(InvalidInput, match=re.escape("2**53")):
                call([far], [far - 1 if far == 2**53 + 1 else far + 1])


def test_the_package_shows_what_it_is_for_and_nothing_else() -> None:
    shown = {name for name in dir(otgan) if not name.startswith("__")}
    assert shown == set(otgan.__all__)
    assert all(hasattr(otgan, name) for name in shown)


@pytest.mark.parametrize("weight", [1e308, 1e-320])
def test_a_total_out_of_range_is_not_called_no_positive_total(weight: float) -> None:
    with pytest.raises(InvalidInput, match=r"a must have a total mass between .*Divide it by its largest weight"):
        inputs.weights(np.full(20, weight), 20, "a")


@pytest.mark.parametrize("value", [1.0, 0.9999999999])
def test_limits_are_shown_exactly_where_six_digits_would_hide_the_difference(value: float) -> None:
    shown = "1" if value == 1 else "0.9999999999"
    with pytest.raises(InvalidInput, match=rf"must lie in \(0, 0\.999999999\], but {shown} came"):
        inputs.real(value, "confidence", low=0.0, high=1 - 1e-9, open_low=True)
