"""Counts as weights: ``normalize`` divides each side by its sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import otgan
from otgan.errors import InvalidInput

X, Y = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 1.0]]), np.array([[0.0, 3.0], [1.0, 4.0]])
COUNTS_X, COUNTS_Y = np.array([3, 0, 1]), np.array([7, 2])
A, B = COUNTS_X / 4, COUNTS_Y / 9


@pytest.mark.parametrize("kind", [np.asarray, list, torch.tensor], ids=["array", "list", "tensor"])
def test_counts_are_shares(kind: Any):
    counts: Any = {"a": kind(COUNTS_X.tolist()), "b": kind(COUNTS_Y.tolist()), "normalize": True}
    expected = otgan.wasserstein(X, Y, 2, a=A, b=B)
    assert float(otgan.wasserstein(X, Y, 2, **counts)) == pytest.approx(expected, rel=1e-12)
    assert otgan.solve(X, Y, 2, **counts).distance == pytest.approx(expected, rel=1e-12)
    distances = np.linalg.norm(X[:, None] - Y, axis=2) ** 2
    assert otgan.solve_cost(distances, **counts).value == pytest.approx(expected**2, rel=1e-12)


def test_counts_of_one_side_stand_against_equal_weights():
    one = otgan.solve(X, Y, a=COUNTS_X, normalize=True)
    assert one.value == pytest.approx(otgan.solve(X, Y, a=A).value)
    assert otgan.wasserstein(X, Y, normalize=True) == otgan.wasserstein(X, Y)


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_counts_on_the_line(p: float):
    x, y = X[:, 0], Y[:, 0]
    counts: Any = {"a": COUNTS_X, "b": COUNTS_Y, "normalize": True}
    assert otgan.wasserstein(x, y, p, **counts) == pytest.approx(otgan.wasserstein(x, y, p, a=A, b=B))


@pytest.mark.parametrize("solver", [otgan.wasserstein_1d, otgan.wasserstein_circle])
@pytest.mark.parametrize("axis", [0, -1])
def test_counts_of_every_row(solver: Any, axis: int):
    rng = np.random.default_rng(0)
    x, y = rng.random((3, 4)), rng.random((3, 5))
    a, b = rng.integers(1, 9, (3, 4)), rng.integers(1, 9, 5)
    shares = a / a.sum(axis=1, keepdims=True), b / b.sum()
    if axis == 0:
        x, y, a, shares = x.T, y.T, a.T, (shares[0].T, shares[1])
    found = solver(x, y, a=a, b=b, axis=axis, normalize=True)
    np.testing.assert_allclose(found, solver(x, y, a=shares[0], b=shares[1], axis=axis), rtol=1e-12)
    with pytest.raises(InvalidInput, match="axis"):
        solver(x, y, a=a, b=b, axis=7, normalize=True)
    with pytest.raises(InvalidInput, match="normalize must be"):
        solver(x, y, normalize=1)


def test_gradients_are_to_the_counts():
    counts = torch.tensor([3.0, 2.5, 1.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor(Y)

    def distance(a: torch.Tensor) -> Any:
        return otgan.wasserstein(torch.tensor(X), y, a=a, normalize=True)

    assert torch.autograd.gradcheck(distance, (counts,))
    (gradient,) = torch.autograd.grad(distance(counts), counts)
    assert float(gradient @ counts.detach()) == pytest.approx(0, abs=1e-12)  # a common factor changes nothing


def test_the_types_of_tensors_are_kept():
    for dtype in (torch.float32, torch.float16):
        counts = torch.tensor([30000.0, 30000.0, 30000.0], dtype=dtype)  # their sum leaves float16
        distance = otgan.wasserstein(X, Y, a=counts, normalize=True)
        assert distance.dtype == dtype
        assert float(distance) == pytest.approx(otgan.wasserstein(X, Y), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"a": [0, 0, 0], "normalize": True}, "a must have a positive total"),
        ({"a": [-1, 2, 3], "normalize": True}, "a must be non-negative"),
        ({"a": [1, 2], "normalize": True}, "a must have one weight for each"),
        ({"b": [np.nan, 1], "normalize": True}, "b must be finite"),
        ({"normalize": "yes"}, "normalize must be True or False"),
        ({"a": COUNTS_X}, "normalize=True"),
    ],
)
def test_what_has_no_shares_is_refused(options: dict[str, Any], message: str):
    for call in (otgan.solve, otgan.wasserstein):
        with pytest.raises(InvalidInput, match=message):
            call(X, Y, **options)
