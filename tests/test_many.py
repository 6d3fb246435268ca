"""Matrices of distances between many clouds: each entry is what ``wasserstein`` says, and goes where matrices go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst
from scipy.spatial.distance import squareform

import otgan
from otgan.errors import InvalidInput, NotConverged
from otgan.exact import small


def clouds(sizes: tuple[int, ...] = (3, 7, 12, 1), d: int = 3, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) + rng.normal(size=d) for n in sizes]


def weights(of: list[np.ndarray], seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(len(cloud))) for cloud in of]


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("metric", ["euclidean", "cityblock"])
@pytest.mark.parametrize("p", [1, 2, 2.5])
def test_entries_are_the_distances(d: int, metric: str, p: float) -> None:
    X, Y = clouds(d=d), clouds((5, 2), d, 7)
    a, b = weights(X), weights(Y)
    plain = otgan.pairwise(X, Y, p, metric=metric)
    weighted = otgan.pairwise(X, Y, p, a=a, b=b, metric=metric)
    for i, x in enumerate(X):
        for j, y in enumerate(Y):
            assert plain[i, j] == pytest.approx(otgan.wasserstein(x, y, p, metric=metric), rel=1e-13)
            exact = otgan.solve(x, y, p, a=a[i], b=b[j], metric=metric)
            assert weighted[i, j] == pytest.approx(exact.distance, rel=1e-13)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_bounds_enclose_the_distance(p: float) -> None:
    X = clouds()
    distances, lower, upper = otgan.pairwise(X, p=p, bounds=True)
    assert (lower <= distances).all()
    assert (distances <= upper).all()
    assert (upper - lower <= 1e-12 * upper).all()
    solution = otgan.solve(X[0], X[1], p)
    assert lower[0, 1] ** p <= solution.upper
    assert solution.lower <= upper[0, 1] ** p


def test_the_matrix_is_symmetric_and_goes_into_squareform() -> None:
    distances = otgan.pairwise(clouds())
    np.testing.assert_array_equal(distances, distances.T)
    assert not distances.diagonal().any()
    assert squareform(distances).shape == (6,)
    np.testing.assert_array_equal(distances, np.maximum(distances, 0.0))


@given(hst.integers(1, 12), hst.integers(2, 5), hst.integers(0, 2**32 - 1))
def test_it_is_a_metric(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (k, n, 2)).astype(float)
    distances = otgan.pairwise(X)
    assert (distances[:, :, None] <= (distances[:, None, :] + distances[None, :, :]) * (1 + 1e-12) + 1e-12).all()
    moved = otgan.pairwise(X + 4.0)
    np.testing.assert_allclose(moved, distances, rtol=1e-12)
    order = rng.permutation(k)
    np.testing.assert_allclose(otgan.pairwise(X[order]), distances[np.ix_(order, order)], rtol=1e-12, atol=1e-13)


def test_arrays_lists_and_tensors_are_the_same() -> None:
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(0).normal(size=(4, 6, 2))
    expected = otgan.pairwise(X)
    np.testing.assert_array_equal(otgan.pairwise(X.tolist()), expected)
    np.testing.assert_array_equal(otgan.pairwise(torch.as_tensor(X)), expected)
    np.testing.assert_array_equal(otgan.pairwise(tuple(X), X), otgan.pairwise(X, list(X)))


def test_frames_are_compared_by_their_columns_names() -> None:
    pandas = pytest.importorskip("pandas")
    X = clouds(d=2)
    given = [pandas.DataFrame(x, columns=["u", "v"])[["v", "u"] if i % 2 else ["u", "v"]] for i, x in enumerate(X)]
    np.testing.assert_array_equal(otgan.pairwise(given), otgan.pairwise(X))
    np.testing.assert_array_equal(otgan.pairwise(given, given[::-1]), otgan.pairwise(X, X[::-1]))
    with pytest.raises(InvalidInput, match=r"X\[1\]"):
        otgan.pairwise([given[0], given[1].rename(columns={"u": "w"})])
    for one in (given[0], given[0]["u"], np.array(1.0)):
        with pytest.raises(InvalidInput, match="X must be a list of arrays"):
            otgan.pairwise(one)


def test_many_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otgan.many.blocks.WORK_A_PART", 100)
    X = clouds((4,) * 9)
    np.testing.assert_array_equal(otgan.pairwise(X, n_jobs=3), otgan.pairwise(X, n_jobs=1))


def test_what_the_compiled_way_leaves_is_solved_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    X = clouds()
    a = weights(X)
    a[1] = np.array([0.5, 0.0, 0.25, 0.25, 0.0, 0.0, 0.0])
    far = [1e30 * x for x in X]
    np.testing.assert_allclose(otgan.pairwise(far, a=a), 1e30 * otgan.pairwise(X, a=a), rtol=1e-12)
    expected = otgan.pairwise(X)
    monkeypatch.setattr(small, "FEW_PAIRS", 10)
    np.testing.assert_allclose(otgan.pairwise(X), expected, rtol=1e-12)


def test_an_unproven_pair_is_named_after_the_others_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otgan.many.blocks.RTOL", 1e-18)
    with pytest.raises(NotConverged, match=r"the pair \(0, 1\) and 5 other pairs could not be proven") as caught:
        otgan.pairwise(clouds())
    assert caught.value.solution.problem.shape == (3, 7)


def test_progress_is_quiet_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    otgan.pairwise(clouds(), progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": []}, "X must hold at least one cloud"),
        ({"X": 3}, "X must be a list of arrays"),
        ({"X": "clouds"}, "X must be a list of arrays"),
        ({"X": [np.zeros((2, 2)), np.zeros((2, 3))]}, r"X\[0\] has 2 and X\[1\] has 3"),
        ({"X": [np.zeros((2, 2)), np.full((2, 2), np.nan)]}, r"X\[1\] must be finite"),
        ({"X": [np.zeros((2, 2))], "Y": [np.zeros((2, 3))]}, "X has 2 and Y has 3"),
        ({"a": [np.ones(2)]}, "a must have weights for each cloud of X, 2, but has 1"),
        ({"a": [np.ones(3), np.ones(2)]}, r"a\[0\] must have one weight for each of the points of X\[0\]"),
        ({"a": [np.ones(2), -np.ones(2)]}, r"a\[1\] must be non-negative"),
        ({"a": [np.ones(2), 2 * np.ones(2)]}, r"a\[1\] must have the same total mass as a\[0\]"),
        ({"b": [np.ones(2), np.ones(2)]}, "b are weights for Y, but Y is None"),
        ({"p": 0.5}, "p must"),
        ({"p": np.inf}, "p must be finite"),
        ({"metric": "cosine"}, "metric must be one of"),
        ({"n_jobs": 0}, "n_jobs must be at least 1"),
        ({"bounds": 1}, "bounds must be True or False"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], message: str) -> None:
    usual = {"X": [np.zeros((2, 2)), np.ones((2, 2))]}
    with pytest.raises(InvalidInput, match=message):
        otgan.pairwise(**{**usual, **arguments})


class TestBatch:
    """One distance for each pair of a batch."""

    @pytest.mark.parametrize("p", [1, 2])
    def test_entries_are_the_distances(self, p: float) -> None:
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(4, 9, 2)), rng.normal(size=(4, 6, 2)) + 1
        a, b = rng.dirichlet(np.ones(9), size=4), rng.dirichlet(np.ones(6))
        plain, weighted = otgan.wasserstein_batch(x, y, p), otgan.wasserstein_batch(x, y, p, a=a, b=b)
        for k in range(4):
            assert plain[k] == pytest.approx(otgan.wasserstein(x[k], y[k], p), rel=1e-13)
            assert weighted[k] == pytest.approx(otgan.solve(x[k], y[k], p, a=a[k], b=b).distance, rel=1e-13)

    def test_tensors_give_tensors_with_the_gradients_of_each_pair(self) -> None:
        torch = pytest.importorskip("torch")
        torch.manual_seed(0)
        x, y = torch.randn(3, 5, 2, dtype=torch.float64), torch.randn(3, 4, 2, dtype=torch.float64)
        plain = otgan.wasserstein_batch(x.float(), y.float())
        assert plain.dtype == torch.float32
        x.requires_grad_()
        a = torch.full((5,), 0.2, dtype=torch.float64, requires_grad=True)
        for weights in (None, a, a.expand(3, 5)):
            (gradient,) = torch.autograd.grad(otgan.wasserstein_batch(x, y, 2, a=weights).sum(), x)
            singly = sum(otgan.wasserstein(x[k], y[k], 2) for k in range(3))
            (expected,) = torch.autograd.grad(singly, x)
            assert torch.allclose(gradient, expected, rtol=1e-10)

    def test_vmap_is_told_where_to_go(self) -> None:
        torch = pytest.importorskip("torch")
        with pytest.raises(InvalidInput, match="wasserstein_batch"):
            torch.func.vmap(otgan.wasserstein)(torch.zeros(2, 3, 2), torch.ones(2, 3, 2))

    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            (np.zeros((2, 3)), np.zeros((2, 3)), "use otgan.wasserstein_1d"),
            (np.zeros((2, 3, 2)), np.zeros((3, 3, 2)), "as many clouds, but x has 2 and y has 3"),
            (np.zeros((2, 3, 2)), np.zeros((2, 3, 1)), "same number of columns"),
            (np.full((2, 3, 2), np.inf), np.zeros((2, 3, 2)), "x must be finite"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, x: Any, y: Any, message: str) -> None:
        with pytest.raises(InvalidInput, match=message):
            otgan.wasserstein_batch(x, y)
        with pytest.raises(InvalidInput, match=r"a\[0\] must have one weight for each"):
            otgan.wasserstein_batch(np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), a=np.ones(2))


def test_no_plan_is_made_on_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "FEW_PAIRS", 0)
    monkeypatch.setattr("otgan.exact.line.solve", lambda *given, **options: pytest.fail("a plan was made"))
    assert otgan.pairwise([[[0.0], [1.0]]], [[[3.0], [4.0], [5.0]]]).tolist() == [[3.5]]
