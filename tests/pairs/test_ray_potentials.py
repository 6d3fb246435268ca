"""Potentials with known rays, against their definitions, their slopes, and closed forms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from drawn_potentials import DIMENSIONS, POTENTIALS, cloud
from hypothesis import given
from hypothesis import strategies as hst

from otgan.errors import InvalidInput
from otgan.pairs import Blocks, GreatestCones, LeastCones, LipschitzNetwork, MinMaxTree, Planes

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = pytest.mark.parametrize("kind", POTENTIALS)
DIM = pytest.mark.parametrize("dim", DIMENSIONS)


@EVERY
@given(
    dim=hst.sampled_from((1, *DIMENSIONS)), seed=hst.integers(0, 5), draw=hst.integers(0), log_apart=hst.floats(-9, 3)
)
def test_no_slope_is_above_one(kind: str, dim: int, seed: int, draw: int, log_apart: float) -> None:
    """Between points near and far, in random directions and along the gradient."""
    if dim == 1 and kind == "blocks":
        return
    u, rng = POTENTIALS[kind](dim, seed), np.random.default_rng(draw)
    x = 2 * rng.standard_normal((8, dim))
    steps = rng.standard_normal((8, dim))
    steps[::2] = u.gradient(x[::2])
    y = x + 10**log_apart * steps
    rounding = 1e-13 * (np.linalg.norm(x, axis=1) + np.linalg.norm(y, axis=1) + np.abs(u.values(x)))
    assert (np.abs(u.values(x) - u.values(y)) <= np.linalg.norm(x - y, axis=1) + rounding).all()


@EVERY
@DIM
def test_rays_have_slope_one_up_to_their_ends_and_less_beyond(kind: str, dim: int) -> None:
    u, x = POTENTIALS[kind](dim, 1), cloud(dim, seed=8, n=100)
    ray = u.rays(x)
    np.testing.assert_allclose(np.linalg.norm(ray.direction, axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(u.values(x), ray.value)
    np.testing.assert_array_equal(u.gradient(x), ray.direction)
    for sign, reach in ((-1.0, ray.down), (1.0, ray.up)):
        assert (reach >= 0).all()
        length = np.minimum(reach, 100.0)

        def change(share: float, sign: float = sign, length: np.ndarray = length) -> np.ndarray:
            return sign * (u.values(x + sign * share * length[:, None] * ray.direction) - ray.value)

        for share in (0.25, 1.0):
            np.testing.assert_allclose(change(share), share * length, rtol=0, atol=1e-11)
        ends = np.isfinite(reach) & (reach < 100)
        beyond = (1.01 * length - change(1.01))[ends]
        assert (beyond > -1e-11).all()
        assert np.sum(beyond > 1e-9) >= 0.95 * ends.sum()


@EVERY
@DIM
def test_gradients_are_those_of_the_values(kind: str, dim: int) -> None:
    u, x = POTENTIALS[kind](dim, 2), cloud(dim, seed=7, n=30)
    direction = np.random.default_rng(0).standard_normal((30, dim)) / math.sqrt(dim)
    step = 1e-6
    slope = (u.values(x + step * direction) - u.values(x - step * direction)) / (2 * step)
    expected = np.einsum("kd,kd->k", u.gradient(x), direction)
    assert np.mean(np.abs(slope - expected) < 1e-5) > 0.9  # all but the kinks


def test_a_tree_is_what_it_says() -> None:
    points = cloud(3)
    u = MinMaxTree(points[:6], np.linspace(-0.3, 0.2, 6), [[0, [1, 2]], 3, [4, 5]])
    x = cloud(3, seed=1)
    c = (np.linalg.norm(x[:, None] - u.centers, axis=2) + u.offsets).T
    first = np.maximum(c[0], np.minimum(c[1], c[2]))
    np.testing.assert_allclose(u.values(x), np.minimum(np.minimum(first, c[3]), np.maximum(c[4], c[5])), atol=1e-12)


@pytest.mark.parametrize(("kind", "tree"), [(LeastCones, [0, 1, 2, 3]), (GreatestCones, [[0, 1, 2, 3]])])
@DIM
def test_flat_trees_are_least_and_greatest_cones(kind: type[LeastCones], tree: list[Any], dim: int) -> None:
    plain = kind.random(cloud(dim), 4, seed=3)
    nested = MinMaxTree(plain.centers, plain.offsets, tree)
    for one, other in zip(plain.rays(cloud(dim, 4)), nested.rays(cloud(dim, 4)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


def test_random_trees_differ_in_depth() -> None:
    def depth(tree: Any) -> int:
        return 1 + max(map(depth, tree)) if isinstance(tree, list) else 0

    assert len({depth(MinMaxTree.random(cloud(2), 24, seed=seed).tree) for seed in range(20)}) > 2


def test_rays_of_two_cones_on_the_line_end_between_them() -> None:
    least = LeastCones([0.0, 4.0], [0.0, 1.0]).rays([1.0, 3.5])
    assert least.down.tolist() == [1.0, 0.5]
    assert least.up.tolist() == [1.5, 1.0]  # |x| = |x - 4| + 1 at 2.5
    greatest = GreatestCones([0.0, 4.0], [0.0, 1.0]).rays([1.0, 3.5])
    assert greatest.down.tolist() == [1.5, 1.0]
    assert greatest.up.tolist() == [math.inf, math.inf]


def test_a_network_of_one_layer_is_a_unit_vector_times_the_sorted_units() -> None:
    rng = np.random.default_rng(0)
    turn, out = np.linalg.qr(rng.standard_normal((6, 6)))[0], rng.standard_normal((1, 6))
    x, bias = rng.standard_normal((20, 6)), rng.standard_normal(6)
    units = x @ turn.T + bias
    for group, places in ((2, [(0, 2), (2, 4), (4, 6)]), (3, [(0, 3), (3, 6)]), (4, [(0, 4)]), (6, [(0, 6)])):
        expected = units.copy()
        for start, end in places:
            expected[:, start:end].sort(axis=1)
        u = LipschitzNetwork([turn, out], [bias, [2.0]], group)
        np.testing.assert_allclose(u.values(x), expected @ out[0] / np.linalg.norm(out) + 2, atol=1e-12)


def test_behind_a_wider_layer_slopes_are_below_one_and_nothing_goes_on() -> None:
    rng = np.random.default_rng(0)
    u = LipschitzNetwork([rng.standard_normal((8, 3)), rng.standard_normal((1, 8))], [np.zeros(8), [0.0]])
    ray = u.rays(cloud(3))
    assert not ray.direction.any()
    assert not ray.down.any()
    assert not ray.up.any()


@pytest.mark.parametrize("width", [2, 3, 7])
def test_every_width_up_to_the_dimension_keeps_slope_one(width: int) -> None:
    u = LipschitzNetwork.random(cloud(7), width=width, depth=4)
    np.testing.assert_allclose(np.linalg.norm(u.gradient(cloud(7, 1)), axis=1), 1.0, rtol=1e-12)


def test_blocks_add_up_with_their_weights() -> None:
    first, second = LeastCones.random(cloud(2), 3), Planes.random(cloud(3), 3)
    x = cloud(5, 1)
    expected = (3 * first.values(x[:, :2]) + 4 * second.values(x[:, 2:])) / 5
    np.testing.assert_allclose(Blocks([first, second], [3.0, 4.0]).values(x), expected, atol=1e-12)


def test_a_block_without_slope_one_stops_the_others() -> None:
    flat = LipschitzNetwork([np.eye(3)[:, :1], np.ones((1, 3))], [np.zeros(3), [0.0]])  # slope 1 / sqrt(3)
    u = Blocks([LeastCones([0.0], [0.0]), flat])
    assert not u.rays([[1.0, 1.0]]).direction.any()


def test_the_same_seed_gives_the_same_potential() -> None:
    x = cloud(16, 5)
    for kind in (LeastCones, GreatestCones, MinMaxTree, LipschitzNetwork, Planes):
        one, same, other = (kind.random(cloud(16), seed=seed).values(x) for seed in (0, 0, 1))
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()


def test_potentials_do_not_change_with_the_arrays_they_were_made_of() -> None:
    centers, offsets = np.zeros((1, 2)), np.zeros(1)
    u = LeastCones(centers, offsets)
    centers += 1.0
    assert u.centers.max() == 0.0
    with pytest.raises(ValueError, match="read-only"):
        u.centers[0] = 5.0


NAN = math.nan
ONE = LeastCones([[0.0]], [0.0])
REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("few offsets", lambda: LeastCones([[0.0], [1.0]], [0.0]), r"offsets.*\(2,\)"),
    ("NaN centre", lambda: GreatestCones([[NAN]], [0.0]), "centers.*NaN"),
    ("more cones than points", lambda: LeastCones.random(cloud(2), 201), "at most 200"),
    ("no tree", lambda: MinMaxTree([[0.0]], [0.0], 0), "tree"),
    ("an empty list", lambda: MinMaxTree([[0.0]], [0.0], [0, []]), "tree"),
    ("a cone twice", lambda: MinMaxTree([[0.0], [1.0]], [0.0, 0.0], [0, [0, 1]]), "tree"),
    ("a cone left out", lambda: MinMaxTree([[0.0], [1.0]], [0.0, 0.0], [0]), "tree"),
    ("half a cone", lambda: MinMaxTree([[0.0]], [0.0], [0.0]), "tree"),
    ("zero normal", lambda: Planes([[0.0, 0.0]]), "normals"),
    ("offsets of planes", lambda: Planes([[1.0]], [0.0, 1.0]), r"offsets.*\(1,\)"),
    ("no layers", lambda: LipschitzNetwork([], []), "weights"),
    ("two outputs", lambda: LipschitzNetwork([np.eye(2)], [np.zeros(2)]), "weights.*one row"),
    ("layers apart", lambda: LipschitzNetwork([np.eye(2), np.ones((1, 3))], [np.zeros(2), [0.0]]), "as many units"),
    ("biases", lambda: LipschitzNetwork([np.ones((1, 3))], [np.zeros(3)]), "biases"),
    ("groups of one", lambda: LipschitzNetwork([np.ones((1, 3))], [[0.0]], 1), "group"),
    ("wider than the space", lambda: LipschitzNetwork.random(cloud(2), width=3), "width"),
    ("no critic", lambda: LipschitzNetwork.of(len), "orthonormal"),
    ("no parts", lambda: Blocks([]), "parts"),
    ("a function as part", lambda: Blocks([len]), "parts"),
    ("negative weight", lambda: Blocks([ONE, ONE], [1.0, -1.0]), "weights"),
    ("few weights", lambda: Blocks([ONE, ONE], [1.0]), "weights"),
    ("negative seed", lambda: Planes.random(cloud(2), seed=-1), "seed"),
    ("other space", lambda: ONE.values(np.zeros((3, 2))), "1 columns"),
    ("NaN point", lambda: ONE.rays([[NAN]]), "NaN"),
]


@pytest.mark.parametrize(("make", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refusal:
        make()
    assert str(refusal.value).endswith(".")
