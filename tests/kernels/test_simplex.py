"""The network simplex on arc lists: optimal values, a sound tree, and bases that survive new arcs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from otgan.costs import MatrixCost
from otgan.exact.sparse.network import Network
from otgan.kernels.spanning import merge_masses
from otgan.kernels.wide import sums
from otgan.masses import BITS, digits

ONE = 2**50
SCALE = 2**60 + 1


def transport(C, a, b, arcs=None):
    """A network over the arcs given (flat indices), or over all."""
    rows, cols = np.divmod(np.arange(C.size) if arcs is None else arcs, C.shape[1])
    return Network(MatrixCost(C), rows, cols, merge_masses(whole(a), whole(b)))


def whole(masses):
    """As numbers of two digits, the first of which is used too, for 62 bits would make it a test of one."""
    return digits([int(mass) * SCALE for mass in masses], 2)


def counts(mass):
    return np.array([(int(high) * 2**BITS + int(low)) // SCALE for high, low in mass])


def exact_value(C, a, b):
    n, m = C.shape
    row, col = np.divmod(np.arange(n * m), m)
    marginals = np.zeros((n + m, n * m))
    marginals[row, np.arange(n * m)] = 1
    marginals[n + col, np.arange(n * m)] = 1
    total = a.sum()
    return total * linprog(C.ravel(), A_eq=marginals, b_eq=np.r_[a, b] / total).fun


def assert_sound(network, a, b):
    """Ring, sizes, last descendants and flows all describe one spanning tree, and it is strongly feasible."""
    tree, n, count = network.tree, network.n, network.n + network.m
    root = np.flatnonzero(tree.parent < 0)
    assert len(root) == 1
    ring = [int(root[0])]
    while len(ring) < count:
        ring.append(int(tree.thread[ring[-1]]))
    assert sorted(ring) == list(range(count))
    assert tree.thread[ring[-1]] == root[0]
    np.testing.assert_array_equal(tree.back[tree.thread], np.arange(count))
    size = np.ones(count, int)
    for u in ring[:0:-1]:
        size[tree.parent[u]] += size[u]
    np.testing.assert_array_equal(tree.size, size)
    place = np.empty(count, int)
    place[ring] = np.arange(count)
    np.testing.assert_array_equal(place[tree.last], place + size - 1)
    child = np.flatnonzero(tree.parent >= 0)
    ends = np.sort([network.tails[tree.arc[child]], network.heads[tree.arc[child]]], axis=0)
    np.testing.assert_array_equal(ends, np.sort([child, tree.parent[child]], axis=0))
    np.testing.assert_array_equal(tree.cost[child], network.costs[tree.arc[child]])
    assert (tree.flow >= 0).all()
    assert (child[~tree.flow[child].any(axis=1)] < n).all()  # arcs without flow point up
    rows, cols, mass, _ = network.plan()
    np.testing.assert_array_equal(sums(rows, mass, n), whole(a))
    np.testing.assert_array_equal(sums(cols, mass, network.m), whole(b))


def value(network):
    _, _, mass, cost = network.plan()
    return float(counts(mass) @ cost)


@st.composite
def problems(draw):
    """Few distinct costs and masses: ties and degenerate bases everywhere."""
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    C = rng.integers(0, draw(st.sampled_from([1, 2, 5, 1000])) + 1, (n, m)).astype(float)
    low = np.maximum(n, m)
    total = int(low * rng.integers(1, 4))
    return C, split(rng, total, n), split(rng, total, m)


def split(rng, total, parts):
    cuts = np.sort(rng.choice(np.arange(1, total), parts - 1, replace=False)) if parts > 1 else []
    return np.diff(np.r_[0, cuts, total]).astype(np.int64)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_agrees_with_linear_programming_and_keeps_the_tree_sound(problem):
    C, a, b = problem
    network = transport(C, a, b)
    assert_sound(network, a, b)
    assert network.solve(10**6)
    assert_sound(network, a, b)
    assert value(network) == pytest.approx(exact_value(C, a, b), rel=1e-9, abs=1e-9)
    reduced = C - network.f[:, None] - network.g
    assert reduced.min() >= -1e-12 * max(1, C.max())


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1))
def test_new_arcs_go_on_from_the_old_basis(problem, seed):
    C, a, b = problem
    n, m = C.shape
    order = np.random.default_rng(seed).permutation(n * m)
    network = transport(C, a, b, order[: len(order) // 3])
    for _ in range(n * m + 1):
        assert network.solve(10**6)
        assert_sound(network, a, b)
        reduced = C - network.f[:, None] - network.g
        if reduced.min() >= -1e-9:
            break
        network.append(*(np.array([k]) for k in np.unravel_index(reduced.argmin(), C.shape)))
        network.prune(n + m)
    assert value(network) == pytest.approx(exact_value(C, a, b), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("degenerate", [False, True])
def test_long_shifts_are_put_off_and_the_answer_stays(degenerate):
    rng = np.random.default_rng(3)
    n, m = 700, 500
    C = rng.random((n, m))
    if degenerate:
        a, b = np.full(n, m, np.int64), np.full(m, n, np.int64)
        C = np.round(C, 1)
    else:
        a, b = split(rng, 10**6, n), split(rng, 10**6, m)
    network = transport(C, a, b)
    assert network.solve(10**7)
    assert_sound(network, a, b)
    from ot.lp.emd_wrap import emd_c

    _, cost, *_ = emd_c(a / a.sum(), b / b.sum(), C, 10**7, 1)
    assert value(network) / a.sum() == pytest.approx(cost, rel=1e-9)


def test_the_budget_ends_it():
    rng = np.random.default_rng(0)
    a = np.full(50, ONE, np.int64)
    network = transport(rng.random((50, 50)), a, a)
    assert not network.solve(3)
    assert network.pivots == 3
    assert_sound(network, a, a)


def test_a_cap_keeps_potentials_small():
    C = np.array([[0.0, 1e14], [1e14, 1.0]])
    a = np.array([ONE, ONE])
    network = transport(C, a, a)
    network.solve(100)
    assert np.abs(network.potential).max() > 1e13
    network.set_cap(4.0)
    network.solve(100)
    assert np.abs(network.potential).max() <= 8
    assert value(network) == ONE
