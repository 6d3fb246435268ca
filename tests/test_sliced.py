"""Sliced distances: lower bounds on the exact one, by the exact distance along each direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import otgan
from otgan.errors import InvalidInput
from otgan.sliced import random_directions


def clouds(seed: int, n: int = 12, m: int = 9, d: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(1, 5, size=n).astype(float), rng.integers(1, 5, size=m).astype(float)
    return rng.normal(size=(n, d)), 0.5 * rng.normal(size=(m, d)) + rng.normal(size=d), a * b.sum(), b * a.sum()


@given(st.integers(0, 10_000), st.sampled_from([1, 1.5, 2, 3]), st.booleans())
def test_both_are_lower_bounds_and_the_largest_is_above_each_direction(seed: int, p: float, weighted: bool) -> None:
    x, y, a, b = clouds(seed)
    weights: Any = {"a": a, "b": b} if weighted else {}
    exact = otgan.wasserstein(x, y, p, **weights)
    sliced = otgan.sliced_wasserstein(x, y, p, **weights, n_directions=20, rng=seed)
    largest = otgan.max_sliced_wasserstein(x, y, p, **weights, n_directions=20, max_steps=20, rng=seed)
    slack = 1 + 1e-12
    assert sliced.distance <= largest.distance * slack <= exact * slack**2
    assert sliced.along.max() <= largest.distance * slack
    for direction, distance in zip(sliced.directions, sliced.along, strict=True):
        assert distance == pytest.approx(otgan.wasserstein_1d(x @ direction, y @ direction, p, **weights), rel=1e-9)
    assert sliced.distance == pytest.approx(np.mean(sliced.along**p) ** (1 / p), rel=1e-12)
    along = otgan.wasserstein_1d(x @ largest.direction, y @ largest.direction, p, **weights)
    assert largest.distance == pytest.approx(along, rel=1e-9)
    assert np.linalg.norm(largest.direction) == pytest.approx(1)


@pytest.mark.parametrize("d", [2, 5])
@pytest.mark.parametrize("p", [1, 2])
def test_a_translation_is_sliced_as_the_sphere_says(d: int, p: int) -> None:
    x = np.random.default_rng(0).normal(size=(30, d))
    shift = np.zeros(d)
    shift[0] = 3.0
    sliced = otgan.sliced_wasserstein(x, x + shift, p, n_directions=4000, rng=1)
    mean = math.gamma(d / 2) / (math.sqrt(math.pi) * math.gamma((d + 1) / 2)) if p == 1 else 1 / math.sqrt(d)
    assert abs(sliced.distance - 3 * mean) < 4 * sliced.stderr
    assert sliced.stderr < 0.05
    assert otgan.max_sliced_wasserstein(x, x + shift, p, rng=0).distance == pytest.approx(3)


def test_the_search_finds_a_direction_that_random_ones_miss() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(300, 20)), rng.normal(size=(300, 20))
    direction = random_directions(20, 1, rng=5)[0]
    y += 2 * np.sign(y @ direction)[:, None] * direction  # two halves, apart along one line: no difference of means
    found = otgan.max_sliced_wasserstein(x, y, 2, rng=0)
    assert abs(found.direction @ direction) > 0.98
    assert found.distance >= otgan.wasserstein_1d(x @ direction, y @ direction, 2)


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_they_move_and_grow_with_the_data(seed: int, p: float) -> None:
    x, y, a, b = clouds(seed)
    directions = random_directions(3, 7, rng=seed)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    sliced = otgan.sliced_wasserstein(x, y, p, a=a, b=b, directions=directions)
    turned = otgan.sliced_wasserstein(
        1e3 * x @ rotation + 1e6, 1e3 * y @ rotation + 1e6, p, a=a, b=b, directions=5 * directions @ rotation
    )
    assert turned.distance == pytest.approx(1e3 * sliced.distance, rel=1e-7)
    back = otgan.sliced_wasserstein(y, x, p, a=b, b=a, directions=directions)
    assert back.distance == pytest.approx(sliced.distance, rel=1e-12)
    twice = otgan.sliced_wasserstein(np.vstack([x, x]), y, p, a=np.r_[a, a] / 2, b=b, directions=directions)
    assert twice.distance == pytest.approx(sliced.distance, rel=1e-12)


@pytest.mark.parametrize("p", [1, 2])
def test_a_batch_is_each_of_its_pairs(p: float) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 10, 3)), rng.normal(size=(6, 3))
    batch = otgan.sliced_wasserstein(x, y, p, n_directions=16, rng=0)
    largest = otgan.max_sliced_wasserstein(x, y, p, n_directions=16, max_steps=5, rng=0)
    assert batch.distance.shape == batch.stderr.shape == largest.distance.shape == (4,)
    assert batch.along.shape == (4, 16)
    assert largest.direction.shape == (4, 3)
    for k in range(4):
        alone = otgan.sliced_wasserstein(x[k], y, p, n_directions=16, rng=0)
        assert (batch.distance[k], batch.stderr[k]) == pytest.approx((alone.distance, alone.stderr), rel=1e-9)
        one = otgan.max_sliced_wasserstein(x[k], y, p, n_directions=16, max_steps=5, rng=0)
        assert largest.distance[k] == pytest.approx(one.distance, rel=1e-9)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_gradients_of_tensors_are_right(p: float) -> None:
    x, y, a, b = (torch.tensor(values) for values in clouds(1, 6, 5, 2))
    a, b = a / a.sum(), b / b.sum()

    def sliced(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return otgan.sliced_wasserstein(x, y, p, a=a, b=b, n_directions=9, rng=0).distance

    assert torch.autograd.gradcheck(sliced, (x.requires_grad_(), y.requires_grad_()))
    y = y[:1].detach()  # of one point, to which there is but one plan
    found = otgan.max_sliced_wasserstein(x, y, p, rng=0, max_steps=200)
    (gradient,) = torch.autograd.grad(found.distance, x)
    step = 1e-6 * torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        moved = [otgan.max_sliced_wasserstein(x + sign * step, y, p, rng=0, max_steps=200).distance for sign in (1, -1)]
    assert float(moved[0] - moved[1]) / 2 == pytest.approx(float((gradient * step).sum()), rel=1e-2)


def test_tensors_keep_their_type() -> None:
    x = torch.randn(5, 3, dtype=torch.float32)
    sliced = otgan.sliced_wasserstein(x, np.zeros((4, 3)), rng=0)
    assert sliced.distance.dtype == sliced.along.dtype == torch.float32
    assert isinstance(sliced.stderr, float)
    assert otgan.max_sliced_wasserstein(np.zeros((4, 3)), x, rng=0).distance.dtype == torch.float32


def test_equal_samples_are_at_distance_zero() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    for p in (1, 2):
        sliced = otgan.sliced_wasserstein(x, x, p, rng=0)
        assert (sliced.distance, sliced.stderr) == (0.0, 0.0)
        assert otgan.max_sliced_wasserstein(x, x, p, rng=0).distance == 0.0
    assert math.isnan(otgan.sliced_wasserstein(x, x + 1, n_directions=1, rng=0).stderr)
    assert otgan.sliced_wasserstein([0.0, 1.0], [2.0, 3.0], rng=0).distance == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.full((3, 2), np.nan)}, "finite"),
        ({"x": np.zeros((0, 2))}, "x must"),
        ({"x": np.zeros((2, 0, 2))}, "at least one value"),
        ({"x": np.zeros((3, 3))}, "columns|dimension"),
        ({"p": 0.5}, "p must"),
        ({"p": math.inf}, "p must"),
        ({"n_directions": 0}, "n_directions"),
        ({"a": np.ones(3), "b": np.full(4, 2.0)}, "total"),
        ({"a": -np.ones(3)}, "a must"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    given = {"x": np.zeros((3, 2)), "y": np.ones((4, 2)), **change}
    for function in (otgan.sliced_wasserstein, otgan.max_sliced_wasserstein):
        with pytest.raises(InvalidInput, match=message):
            function(**given)


@pytest.mark.parametrize("directions", [np.zeros((2, 2)), np.ones((2, 3)), np.full((1, 2), np.inf)])
def test_directions_have_a_length_and_the_dimension(directions: np.ndarray) -> None:
    with pytest.raises(InvalidInput, match="directions"):
        otgan.sliced_wasserstein(np.zeros((3, 2)), np.ones((4, 2)), directions=directions)


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1.0, 1e200, 1.5e308])
def test_directions_of_any_length_are_directions(size: float) -> None:
    found = otgan.sliced_wasserstein([[0.0, 0.0]], [[3.0, 4.0]], directions=[[size, size], [0.0, -size]])
    assert found.along == pytest.approx([7 / 2**0.5, 4])
