"""Data frames, by the names of their columns, and other things that hold arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import otgan
from otgan.divergences import common_support
from otgan.errors import InvalidInput

pandas = pytest.importorskip("pandas")

X = np.random.default_rng(0).normal(size=(6, 2))
Y = X + np.array([0.0, 1.0])
FRAME = pandas.DataFrame(X, columns=["u", "v"])
TURNED = pandas.DataFrame(Y, columns=["u", "v"])[["v", "u"]]


def _arrow(points: np.ndarray, names: list[str]) -> Any:
    return pytest.importorskip("pyarrow").table({name: points[:, k] for k, name in enumerate(names)})


def _polars(points: np.ndarray, names: list[str]) -> Any:
    return pytest.importorskip("polars").DataFrame(points, schema=names)


@pytest.mark.parametrize("table", [_arrow, _polars])
def test_tables_of_other_libraries_are_compared_by_name_too(table: Any):
    x, y = table(X, ["u", "v"]), table(Y[:, ::-1], ["v", "u"])
    assert otgan.wasserstein(x, y) == otgan.wasserstein(X, Y) == otgan.wasserstein(FRAME, y)
    assert otgan.wasserstein(x, TURNED) == otgan.wasserstein(X, Y)
    assert (otgan.solve(x, y).potentials.f(y) == otgan.solve(X, Y).potentials.f(Y)).all()
    with pytest.raises(InvalidInput, match="x and y must have the same columns"):
        otgan.wasserstein(x, table(Y, ["u", "w"]))


@pytest.mark.parametrize("p", [1, 2])
def test_columns_are_compared_by_name(p: float):
    assert otgan.wasserstein(FRAME, TURNED, p) == otgan.wasserstein(X, Y, p)
    assert otgan.solve(TURNED, FRAME, p).value == pytest.approx(otgan.solve(Y, X, p).value)
    assert len(common_support(FRAME, FRAME[["v", "u"]]).p) == 6


def test_potentials_read_frames_by_the_names_solved_for():
    for solution in (otgan.solve(FRAME, TURNED), otgan.solve(FRAME, Y), otgan.solve(X, TURNED[["u", "v"]])):
        potentials = solution.potentials
        assert potentials.f(TURNED) == pytest.approx(otgan.solve(X, Y).potentials.f(Y))
        assert (potentials.f(TURNED.to_numpy()[:, ::-1]) == potentials.f(TURNED)).all()
        assert (potentials.gradient(TURNED) == potentials.gradient(Y)).all()
        with pytest.raises(InvalidInput, match="the points solved for and x must have the same columns"):
            potentials.g(FRAME.rename(columns={"u": "w"}))


def test_intervals_compare_columns_by_name():
    points = np.random.default_rng(1).normal(size=(20, 2))
    frame = pandas.DataFrame(points, columns=["u", "v"])
    turned = (frame + np.array([0.0, 1.0]))[["v", "u"]]
    found = otgan.population_interval(frame, turned)
    same = otgan.population_interval(points, points + np.array([0.0, 1.0]))
    assert (found.lower, found.upper) == (same.lower, same.upper)


def test_fits_compare_columns_by_name():
    options: Any = {"steps": 1, "seed": 0}
    fit, same = otgan.critics.fit(FRAME, TURNED, **options), otgan.critics.fit(X, Y, **options)
    assert fit.estimate == same.estimate
    assert fit.lower_bound(FRAME, TURNED) == same.lower_bound(X, Y)
    assert (fit.estimates_on(FRAME, TURNED) == same.estimates_on(X, Y)).all()
    assert (fit.critic(TURNED) == same.critic(Y)).all()
    assert (fit.gradient(TURNED) == same.gradient(Y)).all()
    assert (fit.potentials.g(TURNED) == same.potentials.g(Y)).all()
    assert fit.lower_bound(TURNED, FRAME) == same.lower_bound(Y, X)
    with pytest.raises(InvalidInput, match="the points trained on and x must have the same columns"):
        fit.critic(FRAME.rename(columns={"u": "w"}))
    held_out = otgan.critics.fit(FRAME, TURNED, held_out=(FRAME, TURNED), **options)
    assert held_out.held_out_estimates is not None
    assert held_out.held_out_estimates == pytest.approx(same.estimates_on(X, Y), rel=1e-4)


@pytest.mark.parametrize("columns", [[0, 1], ["u", "w"]])
def test_other_names_are_refused_unless_they_are_positions(columns: list[Any]):
    other = pandas.DataFrame(Y, columns=columns)
    if columns == [0, 1]:
        assert otgan.wasserstein(FRAME, other) == otgan.wasserstein(X, Y)
        assert otgan.wasserstein(other[[1, 0]], pandas.DataFrame(X)) == pytest.approx(otgan.wasserstein(Y, X))
    else:
        with pytest.raises(InvalidInput, match="x has 'u', 'v' and y has 'u', 'w'"):
            otgan.wasserstein(FRAME, other)


def test_names_are_refused_on_the_line_for_every_p():
    x, y = pandas.DataFrame({"u": [0.0, 1.0]}), pandas.DataFrame({"v": [0.0, 1.0]})
    for p in (1, 2, np.inf):
        with pytest.raises(InvalidInput, match="same columns"):
            otgan.wasserstein(x, y, p)
        assert otgan.wasserstein(x, x, p) == otgan.wasserstein(x, y.to_numpy(), p) == 0.0


def test_twice_the_same_name_is_a_position_or_refused():
    twice = pandas.DataFrame(np.ones((2, 3)), columns=["u", "u", "v"])
    assert otgan.wasserstein(twice, twice) == 0
    with pytest.raises(InvalidInput, match="same columns"):
        otgan.wasserstein(twice, twice[["v"]].assign(u=1.0, w=2.0))


@pytest.mark.parametrize(
    "columns",
    [
        {"u": [1, 2], "v": [True, False]},
        {"u": pandas.array([1, 2], dtype="Int64"), "v": pandas.array([True, False], dtype="boolean")},
        {"u": pandas.array([1.0, 2.0], dtype="Float32"), "v": np.array([1, 0], np.uint8)},
        {"u": pandas.arrays.SparseArray([1.0, 2.0]), "v": [1.0, 0.0]},
    ],
    ids=["int and bool", "nullable", "mixed", "sparse"],
)
def test_frames_of_every_type_of_numbers(columns: dict[str, Any]):
    frame = pandas.DataFrame(columns)
    assert otgan.wasserstein(frame, [[1.0, 1.0], [2.0, 0.0]]) == 0


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pandas.array([1, None], dtype="Int64"), r"1 of 4 values are NaN, in column 'v'"),
        ([1.0, np.nan], r"1 of 4 values are NaN, in column 'v'"),
        ([1.0, np.inf], r"infinite, in column 'v'"),
        (["a", "b"], r"column 'v' holds .*Leave the column out \(x.drop\(columns='v'\)\)"),
        (["1", "2"], "column 'v' holds"),
        (pandas.Categorical([1, 2]), "column 'v' holds category"),
        (pandas.to_datetime(["2020-01-01", "2020-01-02"]), "column 'v' holds datetime"),
        ([1j, 2], "column 'v' holds complex"),
        ([2**60, 1], r"2\*\*53, .* its column 'v' does"),
    ],
)
def test_columns_that_hold_no_numbers_are_named(column: Any, message: str):
    with pytest.raises(InvalidInput, match=message):
        otgan.wasserstein(pandas.DataFrame({"u": [1, 2], "v": column}), X)


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float32", "int8", "Sparse[float]"])
def test_columns_by_themselves(dtype: str):
    series = pandas.Series([1, 0, 1]).astype(dtype)
    assert otgan.wasserstein(series, [1.0, 0.0, 1.0]) == 0
    assert otgan.wasserstein([0.0, 1.0, 2.0], [0.0, 2.0], a=series, b=[1.0, 1.0]) == 0
    assert otgan.wasserstein_1d(series, series) == 0


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (pandas.Series([True, None], dtype="boolean"), "1 of 2 values are NaN, the first at index 1"),
        (pandas.Series(["1", "2"]), "but it holds .*. Encode it as numbers"),
        (pandas.Series([1, 2**60]), r"2\*\*53, which float64 cannot tell apart: it does"),
    ],
)
def test_columns_by_themselves_that_hold_no_numbers(series: Any, message: str):
    with pytest.raises(InvalidInput, match=message):
        otgan.wasserstein(series, [1.0, 2.0])


def test_many_columns_are_not_all_listed():
    x = pandas.DataFrame(np.ones((2, 30)), columns=[f"c{k}" for k in range(30)])
    with pytest.raises(InvalidInput, match=r"30 columns, of which 'c0' and y has 30 columns, of which 'other'"):
        otgan.wasserstein(x, x.rename(columns={"c0": "other"}))
    with pytest.raises(InvalidInput, match=r"in columns 'c0', 'c1', 'c2' and 27 more"):
        otgan.wasserstein(x * np.nan, x)


class Lent:
    """An array that can be had by way of DLPack alone."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def test_arrays_of_other_libraries_come_by_dlpack():
    assert otgan.wasserstein(Lent(X), Lent(Y)) == otgan.wasserstein(X, Y)
    with pytest.raises(InvalidInput, match="NumPy cannot read the Lent"):
        otgan.wasserstein(Lent(torch.zeros(2, 2, dtype=torch.bfloat16)), Y)


def test_datasets_of_torch_are_called_by_their_name():
    with pytest.raises(InvalidInput, match=r"a TensorDataset came. Pass x.tensors\[0\]"):
        otgan.wasserstein(torch.utils.data.TensorDataset(torch.zeros(3, 2)), Y)
