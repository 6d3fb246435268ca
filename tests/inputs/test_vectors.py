"""Vectors of every kind on the line, which take a shorter way than other input: the same numbers, the same refusals."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import otgan
from otgan import inputs
from otgan.errors import InvalidInput

X, Y = [3, 0, 1, 1], [1, 0, 0, 1]
DISTANCE = float(Fraction(3, 4))  # 0, 0, 1, 1 to 0, 1, 1, 3: moved by 0, 1, 0 and 2 quarters
KINDS = ["?", *np.typecodes["AllInteger"], "e", "f", "d", ">f8", ">i4", "<u2"]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_every_kind(kind: str) -> None:
    x, y = np.array(X, kind), np.array(Y, kind)
    truth = 0.25 if kind == "?" else DISTANCE
    for distance in (otgan.wasserstein_1d, otgan.wasserstein):
        found = distance(x, y)
        assert type(found) is float
        assert found == truth
        assert distance(np.repeat(x, 2)[::-2], y[::-1]) == truth
    assert otgan.wasserstein(x[:, None], y[:, None]) == truth


@pytest.mark.parametrize("make", [list, tuple, lambda x: list(map(float, x)), lambda x: list(map(np.float64, x))])
def test_lists(make: Any) -> None:
    assert otgan.wasserstein_1d(make(X), make(Y)) == DISTANCE
    assert otgan.wasserstein(make(X), make(Y)) == DISTANCE
    assert inputs.vector(make(X)) is not None


@pytest.mark.parametrize("mixed", [[0.5, 1], [True, 2], [np.float64(2), 0.5], [1, np.float64(0.25), False]])
def test_mixed_lists(mixed: list[Any]) -> None:
    assert otgan.wasserstein_1d(mixed, [0]) == float(sum(map(Fraction, map(float, mixed))) / len(mixed))


@pytest.mark.parametrize("mixed", [[1e300, 1, 0.5], [1, 1e200, -1e200], [math.inf, 1], [math.nan, 1, 2.0]])
def test_mixed_lists_of_extreme_floats_are_left_to_the_checks(mixed: list[Any]) -> None:
    assert inputs.vector(mixed) is None  # and nothing overflows on the way


def test_mixed_lists_are_read_like_arrays_of_them() -> None:
    for mixed in ([0.5, WHOLE + 1], [0.5, 2**62], [True, 2**31], [1e17, 1], [2**40, -(2**40)], [0.5, 1] * 60):
        assert otgan.wasserstein_1d(mixed, [0.0]) == otgan.wasserstein_1d(np.array(mixed), [0.0])
    with pytest.raises(InvalidInput):
        otgan.wasserstein_1d([0.5, 2**64], [0.0])


WHOLE = 2**53


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("make", [list, np.array, lambda x: [True, *x], lambda x: np.array(x)[::-1]])
def test_whole_numbers_that_float64_cannot_tell_apart(make: Any, sign: int) -> None:
    with pytest.raises(InvalidInput, match=r"x holds integers above 2\*\*53"):
        otgan.wasserstein_1d(make([sign * (WHOLE + 1), 0]), [0])
    assert otgan.wasserstein_1d(make([sign * WHOLE] * 2)[-2:], [0]) == WHOLE
    assert otgan.wasserstein_1d([0], make([sign * (WHOLE - 1)] * 2)[-2:]) == WHOLE - 1


def test_far_too_large_whole_numbers() -> None:
    for huge in (2**62, 2**64, 10**400):
        with pytest.raises(InvalidInput):
            otgan.wasserstein_1d([huge, 0], [0])
    with pytest.raises(InvalidInput):
        otgan.wasserstein_1d(np.array([2**64 - 1], np.uint64), [0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("make", [list, lambda x: np.array(x, "f4"), np.array, tuple])
def test_what_is_not_finite_is_named_with_its_place(make: Any, bad: float) -> None:
    kind = "NaN" if math.isnan(bad) else "infinite"
    for distance in (otgan.wasserstein_1d, otgan.wasserstein):
        with pytest.raises(InvalidInput, match=f"y must be finite, but 1 of 3 values are {kind}, the first at index 1"):
            distance([0.0, 1.0, 2.0], make([2.0, bad, 0.0]))


@pytest.mark.parametrize(
    "bad",
    [
        [],
        ["1", "2"],
        [1.0, None],
        [1.0, "2"],
        [1j, 0],
        [[1.0], [2.0, 3.0]],
        [1.0, [2.0]],
        [Fraction(1, 2)],
        np.array([1j]),
        np.array(["1"]),
        np.array([None]),
        np.array([1], "M8[s]"),
        np.ma.masked_array([1.0, 2.0], [False, True]),
        np.array([]),
        [math.nan],
        None,
        "12",
        {1.0, 2.0},
    ],
    ids=str,
)
def test_refused_as_ever(bad: Any) -> None:
    for distance in (otgan.wasserstein_1d, otgan.wasserstein):
        with pytest.raises(InvalidInput, match=r"^x must"):
            distance(bad, [0.0])
        with pytest.raises(InvalidInput, match=r"^y must"):
            distance([0.0], bad)


def test_lists_of_tensors_are_refused_wherever_the_tensor_stands() -> None:
    torch = pytest.importorskip("torch")
    for bad in ([torch.tensor(1.0)], [0.5, torch.tensor(1.0)], (1, torch.tensor(1))):
        with pytest.raises(InvalidInput, match="of tensors came"):
            otgan.wasserstein_1d(bad, [0.0])


def test_what_is_passed_is_left_alone() -> None:
    x = np.array([3.0, 1.0, 2.0])
    assert inputs.vector(x) is x
    for given in ([3.0, 1.0], np.array([3, 1]), np.array([3, 1], "f4")):
        copy = list(given)
        otgan.wasserstein_1d(given, given)
        assert list(given) == copy


def test_long_ones_go_the_usual_way() -> None:
    long = np.broadcast_to(np.float32(1), 10**12)
    assert inputs.vector(long) is None
    with pytest.raises(InvalidInput, match="must fit into memory"):
        otgan.wasserstein_1d(long, [0.0])
