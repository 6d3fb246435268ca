"""Every named family of pairs, in the dimensions that critics are compared in."""

from __future__ import annotations

import numpy as np
import pytest

import otgan
from otgan import pairs
from otgan.errors import InvalidInput

DIMENSIONS = (2, 16, 64, 784)
EVERY = pytest.mark.parametrize("family", pairs.families())
DIM = pytest.mark.parametrize("dim", DIMENSIONS)


@EVERY
@DIM
def test_pairs_of_a_family_move_mass_optimally(family: str, dim: int) -> None:
    pair = pairs.by_name(family, dim, seed=1)
    assert pair.dimension == dim
    x, y = pair.coupled(100, np.random.default_rng(0))
    moved = np.linalg.norm(x - y, axis=1)
    assert np.mean(moved > 0) > 0.95
    assert otgan.solve(x, y).value == pytest.approx(moved.mean(), rel=1e-9)
    np.testing.assert_allclose(pair.potential(y) - pair.potential(x), moved, rtol=0, atol=1e-11)
    slopes = np.linalg.norm(pair.gradient(pair.gradient_test_points(50, np.random.default_rng(1))), axis=1)
    np.testing.assert_allclose(slopes, 1.0, rtol=1e-12)


@pytest.mark.long
@EVERY
@DIM
def test_distances_of_families_are_known_to_one_part_in_a_hundred(family: str, dim: int) -> None:
    pair = pairs.by_name(family, dim)
    value, stderr = pair.w1
    assert 0 < stderr < 0.01 * value
    moved = np.linalg.norm(np.subtract(*pair.coupled(2000, np.random.default_rng(0))), axis=1)
    assert abs(moved.mean() - value) < 5 * np.hypot(stderr, moved.std() / np.sqrt(2000))


@EVERY
def test_seeds_are_other_potentials_of_one_kind(family: str) -> None:
    x = pairs.by_name(family, 4, seed=0).target(20, np.random.default_rng(0))
    one, same, other = (pairs.by_name(family, 4, seed=seed).potential(x) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


def test_pooled_digits_are_means_of_patches() -> None:
    pair = pairs.by_name("mnist-networks", 64)
    assert isinstance(pair, pairs.Rays)
    base = pair.base
    image = np.arange(784.0)
    patches = image.reshape(28, 28)[2:26, 2:26].reshape(8, 3, 8, 3).mean(axis=(1, 3))
    view = getattr(base, "view")  # noqa: B009 - of digits alone
    np.testing.assert_allclose(image @ view, patches.ravel())


@pytest.mark.parametrize(
    ("family", "dim", "message"),
    [("cones", 2, "family"), ("trees", 0, "dimension"), ("mnist-funnels", 785, "784"), ("networks", 2.5, "dimension")],
)
def test_refused(family: str, dim: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        pairs.by_name(family, dim)
