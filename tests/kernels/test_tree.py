"""The k-d tree and its envelope, part by part; the answers are tested in tests/pricing/test_pricing.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otgan.kernels.envelope import refit
from otgan.kernels.tree import LEAF, Tree, build

untimed = settings(deadline=None, max_examples=60)


def members(tree: Tree, node: int) -> np.ndarray:
    """Slots of a node that hold a row."""
    leaves = len(tree.points)
    first = last = node
    while first < leaves - 1:
        first, last = 2 * first + 1, 2 * last + 2
    slots = np.arange((first - leaves + 1) * LEAF, (last - leaves + 2) * LEAF)
    return slots[tree.rows[slots] < len(tree.order)]


@pytest.mark.parametrize("n", [1, 2, 32, 33, 64, 65, 1000])
@pytest.mark.parametrize("kind", ["normal", "sorted", "equal", "organ pipe"])
def test_tree_holds_every_row_once_in_balanced_boxes(n: int, kind: str) -> None:
    x = np.random.default_rng(n).normal(size=(n, 3))
    x = {"normal": x, "sorted": np.sort(x, axis=0), "equal": x * 0 + 1, "organ pipe": -np.abs(np.sort(x, axis=0))}[kind]
    tree = build(np.ascontiguousarray(x))
    assert sorted(tree.order) == list(range(n))
    assert sorted(tree.rows[tree.rows < n]) == list(range(n))
    sizes = [np.count_nonzero(leaf < n) for leaf in tree.rows.reshape(-1, LEAF)]
    assert max(sizes) - min(sizes) <= 1
    for node in range(len(tree.low)):
        rows = tree.rows[members(tree, node)]
        np.testing.assert_array_equal(tree.low[node], x[rows].min(axis=0))
        np.testing.assert_array_equal(tree.high[node], x[rows].max(axis=0))
        assert np.all(np.abs(x[rows] - tree.centre[node]) <= tree.half[node])
        assert tree.first_row[node] == rows.min()


@given(
    st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3, st.one_of(st.floats(-1e3, 1e3), st.just(-np.inf))), min_size=1),
    st.sampled_from([1.0, 2.0]),
)
@untimed
def test_plane_is_above_f(rows: list[tuple[float, ...]], p: float) -> None:
    data = np.array(rows * 3)
    x, f = np.ascontiguousarray(data[:, :3]), np.ascontiguousarray(data[:, 3])
    tree = build(x)
    envelope = refit(tree, f, p)
    for node in range(len(tree.low)):
        inside = tree.rows[members(tree, node)]
        assert envelope.largest[node] == f[inside].max()
        plane = envelope.top[node] + (x[inside] - tree.centre[node]) @ envelope.slope[node]
        assert np.all(f[inside] <= plane)


def test_plane_follows_a_linear_function() -> None:
    x = np.random.default_rng(0).normal(size=(4000, 2))
    slope = np.array([3.0, -2.0])
    tree = build(x)
    envelope = refit(tree, x @ slope, 1.0)
    np.testing.assert_allclose(envelope.slope, np.tile(slope, (len(tree.low), 1)), atol=0.03)
