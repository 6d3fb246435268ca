"""Transport between images: what solve says of the pixels, and what lattices are known to do."""

from __future__ import annotations

import signal
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import otgan
from otgan.errors import Interrupted, InvalidInput, NotConverged
from otgan.exact.pixels import PixelCost

METRICS = ("euclidean", "cityblock", "chebyshev")
SHAPES = ((5,), (4, 5), (1, 6), (7, 1), (3, 4, 2), (2, 1, 3), (9, 8))

images = st.integers(0, 2**32 - 1)  # seeds


def drawn(seed: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Whole masses of one total, with empty pixels."""
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 9, shape) * (rng.random(shape) < 0.7) for _ in range(2))
    a.flat[0] += 1 + max(0, b.sum() - a.sum())
    b.flat[-1] += a.sum() - b.sum()
    return a.astype(float), b.astype(float)


def pixels(shape: tuple[int, ...], spacing: Any = 1.0) -> np.ndarray:
    return np.stack([index.ravel() for index in np.indices(shape)], axis=-1) * np.asarray(spacing, float)


def check_proof(solution: otgan.Solution, a: np.ndarray, b: np.ndarray, C: np.ndarray) -> None:
    """Marginals, feasibility over all pairs, and bounds that meet, from the definitions."""
    plan = solution.plan.toarray()
    np.testing.assert_allclose(plan.sum(axis=1), a.ravel(), rtol=1e-15)
    np.testing.assert_allclose(plan.sum(axis=0), b.ravel(), rtol=1e-15)
    assert (plan * C).sum() == pytest.approx(solution.value)
    assert (solution.f[:, None] + solution.g - C).max() <= 1e-12 * max(C.max(), 1)
    assert solution.f @ a.ravel() + solution.g @ b.ravel() == pytest.approx(
        solution.value, abs=1e-12 * C.max() * a.sum()
    )
    assert solution.certificate.is_optimal(1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize("equal", [True, False])
def test_is_what_solve_says_of_the_pixels(shape: tuple[int, ...], metric: str, p: float, equal: bool) -> None:
    a, b = drawn(sum(shape), shape)
    spacing = 0.75 if equal else np.random.default_rng(3).uniform(0.1, 3, len(shape))
    x = pixels(shape, spacing)
    truth = otgan.solve(x, x, p, a=a.ravel(), b=b.ravel(), metric=metric)
    found = otgan.solve_grid(a, b, p, metric, spacing=spacing)
    assert found.value == pytest.approx(truth.value)
    check_proof(found, a, b, truth.problem.cost.block(slice(None), slice(None)))


@given(images, st.sampled_from([(3, 3), (2, 5), (2, 3, 2)]), st.sampled_from(METRICS))
def test_linear_program(seed: int, shape: tuple[int, ...], metric: str) -> None:
    """The textbook program, by HiGHS, of distances between whole places."""
    a, b = drawn(seed, shape)
    x, n = pixels(shape), a.size
    difference = np.abs(x[:, None] - x)
    C = {"cityblock": difference.sum(-1), "chebyshev": difference.max(-1)}.get(metric, np.sqrt((difference**2).sum(-1)))
    rows = np.vstack([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
    program = linprog(C.ravel(), A_eq=rows, b_eq=np.r_[a.ravel(), b.ravel()])
    found = otgan.solve_grid(a, b, 1, metric)
    assert found.value == pytest.approx(program.fun, rel=1e-9, abs=1e-9)
    check_proof(found, a, b, C)


@given(images, st.sampled_from(["cityblock", "chebyshev"]))
def test_whole_masses_and_places_have_a_whole_cost(seed: int, metric: str) -> None:
    """A program of a network has a whole optimum, which the bounds enclose to the last digits."""
    a, b = drawn(seed, (6, 7))
    found = otgan.solve_grid(a, b, 1, metric)
    assert found.value == round(found.value)
    np.testing.assert_array_equal(found.plan.data, np.rint(found.plan.data))
    assert found.lower <= round(found.value) <= found.upper


@given(images, st.sampled_from(METRICS), st.sampled_from([1, 2]))
def test_laws(seed: int, metric: str, p: int) -> None:
    """Sides and axes may be exchanged, images moved within a larger one, and units changed."""
    a, b = drawn(seed, (4, 5))
    spacing = (0.5, 2.0)
    value = otgan.solve_grid(a, b, p, metric, spacing=spacing).value
    assert otgan.solve_grid(b, a, p, metric, spacing=spacing).value == pytest.approx(value)
    assert otgan.solve_grid(a.T, b.T, p, metric, spacing=spacing[::-1]).value == pytest.approx(value)
    assert otgan.solve_grid(a[::-1], b[::-1], p, metric, spacing=spacing).value == pytest.approx(value)
    wide_a, wide_b = (np.pad(image, ((3, 1), (2, 6))) for image in (a, b))
    assert otgan.solve_grid(wide_a, wide_b, p, metric, spacing=spacing).value == pytest.approx(value)
    tripled = otgan.solve_grid(a, b, p, metric, spacing=[3 * step for step in spacing])
    assert tripled.value == pytest.approx(3**p * value)
    assert otgan.solve_grid(7 * a, 7 * b, p, metric, spacing=spacing).value == pytest.approx(7 * value)


@pytest.mark.parametrize(("metric", "length"), [("euclidean", 5.0), ("cityblock", 7.0), ("chebyshev", 4.0)])
def test_translation_moves_all_mass_as_far(metric: str, length: float) -> None:
    """No plan is cheaper than one translation (Jensen), nor is common mass paid for."""
    image = np.random.default_rng(0).random((6, 6))
    a, b = np.pad(image, ((0, 3), (0, 4))), np.pad(image, ((3, 0), (4, 0)))
    for p in (1, 2):
        assert otgan.solve_grid(a, b, p, metric).distance ** p == pytest.approx(
            length**p * image.sum() if p == 1 else length**2 * image.sum()
        )
    assert otgan.solve_grid(a + 0.1, b + 0.1, 1, metric).value == pytest.approx(length * image.sum())


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2])
def test_equal_images_cost_nothing(metric: str, p: int) -> None:
    image = np.random.default_rng(1).random((5, 6))
    found = otgan.solve_grid(image, image, p, metric)
    assert (found.value, found.upper, found.gap) == (0, 0, 0) or (found.upper == 0 and found.status.name == "OPTIMAL")
    np.testing.assert_array_equal(found.plan.toarray(), np.diag(found.plan.toarray().diagonal()))


def test_masses_of_very_different_size_are_kept() -> None:
    """A mass of 1e-30 beside one of 1 travels too."""
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[0, 0], a[3, 3] = 1.0, 1e-30
    b[0, 0], b[0, 3] = 1.0, 1e-30
    for metric in METRICS:
        assert otgan.solve_grid(a, b, 1, metric).value == pytest.approx(3e-30, abs=1e-42)


@pytest.mark.parametrize(("metric", "p"), [("cityblock", 1.0), ("euclidean", 2.0), ("chebyshev", 1.0)])
@given(seed=images, left_out=st.booleans())
def test_transforms_along_axes_enclose_the_minimum(metric: str, p: float, seed: int, left_out: bool) -> None:
    """The minimum over all pairs lies below what one pass along each axis returns, by at most what it says."""
    rng = np.random.default_rng(seed)
    step = rng.uniform(0.1, 3)
    axes = tuple(np.arange(n, dtype=np.float64) * step for n in (3, 1, 4)[: 3 if metric != "chebyshev" else 2])
    cost = PixelCost.on(axes, p, metric)
    f = rng.normal(size=cost.shape[0]) * 10.0 ** rng.integers(-3, 6)
    if left_out:
        f[1:] = np.where(rng.random(len(f) - 1) < 0.5, -np.inf, f[1:])
    exact = (cost.block(slice(None), slice(None)).astype(np.longdouble) - f[:, None]).min(axis=0)
    minima, error = cost.column_minima(f)
    assert (np.asarray(minima - error) <= exact).all()
    np.testing.assert_allclose(minima, exact.astype(float), rtol=1e-13, atol=1e-13 * np.abs(f[np.isfinite(f)]).max())


def test_potentials_are_lipschitz_along_edges() -> None:
    a, b = drawn(5, (8, 8))
    found = otgan.solve_grid(a, b, 1, "cityblock", spacing=(1.0, 0.25))
    f = found.f.reshape(8, 8)
    assert np.abs(np.diff(f, axis=0)).max() <= 1.0 + 1e-12
    assert np.abs(np.diff(f, axis=1)).max() <= 0.25 + 1e-12
    np.testing.assert_allclose(found.g, -found.f, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image_b": np.ones((2, 3))}, "one shape"),
        ({"image_b": 2 * np.ones((2, 2))}, "image_b must have the same total mass as image_a"),
        ({"image_a": -np.ones((2, 2))}, "image_a must be non-negative"),
        ({"image_a": np.zeros((2, 2))}, "image_a must have a positive total"),
        ({"image_a": np.full((2, 2), np.nan)}, "image_a must be finite"),
        ({"image_a": 3.0, "image_b": 3.0}, "at least one axis"),
        ({"spacing": (1.0, 2.0, 3.0)}, "one for each of the 2 axes"),
        ({"spacing": 0.0}, "spacing must lie in"),
        ({"spacing": "far"}, "spacing must be an array of real numbers"),
        ({"p": np.inf}, "p must be finite"),
        ({"metric": "cosine"}, "metric must be one of"),
        ({"normalize": 1}, "normalize must be True or False"),
    ],
)
def test_refuses(change: dict[str, Any], says: str) -> None:
    given = {"image_a": np.ones((2, 2)), "image_b": np.ones((2, 2)), **change}
    with pytest.raises(InvalidInput, match=says):
        otgan.solve_grid(**given)


def test_normalize_divides_by_the_sums() -> None:
    a, b = drawn(2, (4, 4))
    found = otgan.solve_grid(a, 3 * b, normalize=True)
    assert found.value == pytest.approx(otgan.solve_grid(a / a.sum(), b / b.sum()).value)


def test_interval_where_the_bounds_do_not_meet() -> None:
    """Spacings of which no sum is a float, and an rtol beyond float64."""
    a, b = drawn(4, (9, 9))
    with pytest.raises(NotConverged) as caught:
        otgan.solve_grid(a, b, 1, "euclidean", spacing=0.1, rtol=1e-18)
    solution = caught.value.solution
    truth = otgan.solve_grid(a, b, 1, "euclidean", spacing=0.1)
    assert solution.lower <= truth.upper
    assert truth.lower <= solution.upper
    assert otgan.solve_grid(a, b, 1, "euclidean", spacing=0.1, rtol=1e-18, throw=False).status.name == "GAP"


@pytest.mark.parametrize(
    ("module", "name", "metric"),
    [("otgan.exact.lattice", "lattice_simplex", "cityblock"), ("otgan.certified", "solver", "euclidean")],
)
def test_an_interrupted_solve_gives_all_pixels_back(
    module: str, name: str, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((40, 40)), rng.random((40, 40))
    truth = otgan.solve_grid(a, b, 1, metric, normalize=True)
    home = import_module(module)
    before = getattr(home, name)

    def interrupting(*args: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return before(*args)

    monkeypatch.setattr(home, name, interrupting)
    with pytest.raises(Interrupted) as caught:
        otgan.solve_grid(a, b, 1, metric, normalize=True)
    found = caught.value.solution
    assert found.problem.shape == (1600, 1600)
    assert found.status.name in ("INTERRUPTED", "OPTIMAL")
    assert found.lower <= truth.upper
    assert truth.lower <= found.upper < np.inf


def test_levels_of_all_sizes() -> None:
    """Odd and even sizes halve to one cell, along edges and diagonals."""
    for shape, metric in product([(1, 1), (2, 2), (3, 5), (16, 1), (17, 9)], ["cityblock", "chebyshev"]):
        a, b = drawn(7, shape)
        x = pixels(shape)
        truth = otgan.solve(x, x, a=a.ravel(), b=b.ravel(), metric=metric).value
        assert otgan.solve_grid(a, b, 1, metric).value == pytest.approx(truth)
