"""Every way of pricing against all pairs, to the last bit, and the bounds that the ways rest on."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from otgan.costs import PointCost
from otgan.kernels.metric import entry
from otgan.metric import EUCLIDEAN, METRICS
from otgan.pricing import Index, Pricing, device, points

POWERS = (1.0, 1.5, 2.0, 3.0)
untimed = settings(deadline=None, max_examples=60)


def every_pair(x: np.ndarray, y: np.ndarray, f: np.ndarray, p: float, metric: str) -> np.ndarray:
    """Reduced costs (n, m), each entry by the kernels' own scalar formula."""
    out = np.empty((len(x), len(y)))
    for i in range(len(x)):
        for j in range(len(y)):
            out[i, j] = entry(x, i, y, j, METRICS[metric].code, p) - f[i]
    return out


def with_powers_of_numpy(x: np.ndarray, y: np.ndarray, f: np.ndarray, p: float, metric: str) -> np.ndarray:
    """As :func:`every_pair`, where powers may be an ulp or two off."""
    exact = every_pair(x[:9], y, np.zeros(len(x[:9])), p, metric)
    costs = np.power(every_pair(x, y, np.zeros(len(x)), 1.0, metric), p)
    np.testing.assert_allclose(costs[:9], exact, rtol=8 * np.finfo(float).eps, atol=1e-300)
    return costs - f[:, None]


def ways(d: int, p: float, metric: str) -> list[str]:
    return ["tree", "scan", "torch", *(["screen", "sift"] if metric == "euclidean" and p in (1, 2) else [])]


def check(x: np.ndarray, y: np.ndarray, f: np.ndarray, p: float, metric: str, guess: Any = None) -> None:
    """Minima and the few best below a limit, by every way that takes the problem."""
    x, y = np.ascontiguousarray(x, float), np.ascontiguousarray(y, float)
    entries = every_pair(x, y, f, p, metric)
    for way in ways(x.shape[1], p, metric):
        reduced = with_powers_of_numpy(x, y, f, p, metric) if way == "torch" and p not in (1, 2) else entries
        least = reduced.min(axis=0)
        priced = Pricing(Index(x), Index(y), p, metric, way, "torch:cpu")
        values, rows = priced.minima(f, guess)
        np.testing.assert_array_equal(values, least, err_msg=way)
        np.testing.assert_array_equal(rows, reduced.argmin(axis=0), err_msg=way)
        above = np.nextafter(least, np.inf)
        few, none = np.where(np.arange(len(y)) % 3 == 1, above, -np.inf), np.full(len(y), -np.inf)
        for limit in (np.full(len(y), np.inf), np.median(reduced, axis=0), least, above, few, none):
            check_below(priced, reduced, f, limit, k=3)


def check_below(priced: Pricing, reduced: np.ndarray, f: np.ndarray, limit: np.ndarray, k: int) -> None:
    rows, cols, values = priced.below(f, limit, k)
    wanted = []
    for j in range(reduced.shape[1]):
        best = np.argsort(reduced[:, j], kind="stable")[:k]
        wanted += [(i, j) for i in best if reduced[i, j] < limit[j]]
    assert list(zip(rows.tolist(), cols.tolist(), strict=True)) == wanted
    np.testing.assert_array_equal(values, reduced[rows, cols])


def clouds(rng: np.random.Generator, kind: str, n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.7
    if kind == "lattice":
        return rng.integers(0, 4, (n, d)).astype(float), rng.integers(0, 4, (m, d)).astype(float)
    if kind == "duplicates":
        return x[rng.integers(0, 3, n)], x[rng.integers(0, 3, m)]
    if kind == "one point":
        return np.repeat(x[:1], n, axis=0), np.repeat(y[:1], m, axis=0)
    if kind == "collinear":
        return x[:, :1] * np.ones(d), y[:, :1] * np.ones(d)
    if kind == "clusters":
        return x + 1e6 * rng.integers(0, 2, (n, 1)), y + 1e6 * rng.integers(0, 2, (m, 1))
    if kind == "offset":
        return x + 1e8, y + 1e8
    if kind == "wide":
        return x * 10.0 ** rng.integers(-40, 30, (n, 1)), y * 10.0 ** rng.integers(-40, 30, (m, 1))
    return x, y


def potentials(rng: np.random.Generator, kind: str, x: np.ndarray, y: np.ndarray, p: float, metric: str) -> np.ndarray:
    if kind == "zero":
        return np.zeros(len(x))
    if kind == "random":
        return rng.normal(size=len(x))
    g = rng.normal(size=len(y))
    f = every_pair(y, x, g, p, metric).min(axis=0)  # c-concave, as optimal potentials are
    if kind == "some rows out":
        f[rng.random(len(f)) < 0.5] = -np.inf
    return f + 1e9 if kind == "large constant" else f


KINDS = ("normal", "lattice", "duplicates", "one point", "collinear", "clusters", "offset", "wide")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", POWERS)
def test_equals_all_pairs(kind: str, metric: str, p: float) -> None:
    rng = np.random.default_rng(KINDS.index(kind))
    for potential in ("zero", "random", "concave", "some rows out", "large constant"):
        for n, m, d in ((150, 70, 2), (90, 97, 3), (40, 20, 9)):
            x, y = clouds(rng, kind, n, m, d)
            f = potentials(rng, potential, x, y, p, metric)
            check(x, y, f, p, metric, guess=rng.integers(0, n, m))


coordinates = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.floats(-1e-150, 1e-150))


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    d = draw(st.integers(1, 5))
    points = st.lists(st.lists(coordinates, min_size=d, max_size=d), min_size=1, max_size=80)
    x, y = np.array(draw(points)), np.array(draw(points))
    values = st.one_of(coordinates, st.just(-np.inf))
    f = np.array(draw(st.lists(values, min_size=len(x), max_size=len(x))))
    return x, y, f


@given(problem=problems(), p=st.sampled_from(POWERS), metric=st.sampled_from(tuple(METRICS)))
@untimed
def test_equals_all_pairs_whatever_is_drawn(problem: Any, p: float, metric: str) -> None:
    x, y, f = problem
    check(x, y, f, p, metric)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("d", [2, 3])
def test_deep_tree_equals_scan(metric: str, p: float, d: int) -> None:
    rng = np.random.default_rng(d)
    x, y = rng.normal(size=(5000, d)), rng.normal(size=(3000, d)) * 1.4 + 0.5
    sites = rng.choice(3000, 60, replace=False)
    f = Pricing(Index(y[sites]), Index(x), p, metric, "scan").minima(rng.normal(size=60))[0]
    x, y, f = np.r_[x, x[:500]], y, np.r_[f, f[:500]]  # ties between rows far apart in number
    tree, scan = (Pricing(Index(x), Index(y), p, metric, way) for way in ("tree", "scan"))
    values, rows = scan.minima(f)
    for guess in (None, rows, rng.integers(0, len(x), len(y))):
        found = tree.minima(f, guess)
        np.testing.assert_array_equal(found[0], values)
        np.testing.assert_array_equal(found[1], rows)
    limit = values + 0.01
    for theirs, ours in zip(scan.below(f, limit, 7), tree.below(f, limit, 7), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_nothing_is_below_where_no_row_is_in() -> None:
    x, y = np.zeros((5, 2)), np.ones((3, 2))
    for way in ("tree", "scan", "screen", "sift", "torch"):
        priced = Pricing(Index(x), Index(y), 2.0, "euclidean", way, "torch:cpu")
        assert len(priced.below(np.full(5, -np.inf), np.full(3, np.inf), 2)[0]) == 0
        values, rows = priced.minima(np.full(5, -np.inf), np.array([4, 1, 0]))
        assert np.all(values == np.inf)
        assert np.all((rows >= 0) & (rows < 5))


@pytest.mark.parametrize("way", ["screen", "sift"])
@pytest.mark.parametrize("d", [16, 200])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_single_precision_leaves_nothing_out(d: int, p: float, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "BLOCK_TARGETS", 70)
    monkeypatch.setattr(points, "BLOCK_ROWS", 130)
    rng = np.random.default_rng(d)
    for scale, offset in ((1.0, 0.0), (1e-60, 0.0), (1e100 if p == 1 else 1e60, 0.0), (1.0, 1e8)):
        x, y = scale * rng.normal(size=(400, d)) + offset, scale * rng.normal(size=(300, d)) + offset
        x[300:] = x[:100]
        f = scale**p * rng.normal(size=400)
        sides = Index(x), Index(y), p, "euclidean"
        there, here = Pricing(*sides, way), Pricing(*sides, "scan")
        values, rows = there.minima(f)
        expected, expected_rows = here.minima(f)
        np.testing.assert_array_equal(values, expected)
        np.testing.assert_array_equal(rows, expected_rows)
        for limit in (np.full(300, np.inf), expected + 1e-3 * abs(expected)):
            for ours, theirs in zip(there.below(f, limit, 7), here.below(f, limit, 7), strict=True):
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_a_far_point_leaves_the_sieve_to_double_precision(p: float) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 9)), rng.normal(size=(1000, 9))
    x[7] += 1e9
    f = rng.normal(size=400)
    sides = Index(x), Index(y), p, "euclidean"
    for ours, theirs in zip(
        Pricing(*sides, "sift").below(f, np.full(1000, np.inf), 5),
        Pricing(*sides, "scan").below(f, np.full(1000, np.inf), 5),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def few_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("CPU_PAIRS", 4000), ("DIRECT_PAIRS", 1400), ("MOST_ROWS", 130)):
        monkeypatch.setattr(device, name, size)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("d", [2, 30])
def test_torch_equals_scan_over_several_blocks(d: int, p: float, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few_blocks(monkeypatch)
    check_device("torch:cpu", d, p, metric)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("d", [1, 3, 8, 30, 300])
def test_cuda_equals_scan(d: int, p: float, metric: str) -> None:
    check_device("cuda", d, p, metric)


def check_device(device: str, d: int, p: float, metric: str) -> None:
    rng = np.random.default_rng(d)
    for kind in ("normal", "lattice", "clusters", "offset"):
        x, y = clouds(rng, kind, 300, 90, d)
        x[200:] = x[:100]  # ties between rows of different blocks
        f = potentials(rng, "random", x, y, p, metric)
        f[:10] = -np.inf
        scan, there = (
            Pricing(Index(x), Index(y), p, metric, "scan"),
            Pricing(Index(x), Index(y), p, metric, None, device),
        )
        values, rows = scan.minima(f)
        for found, expected in zip(there.minima(f, rows), (values, rows), strict=True):
            np.testing.assert_array_equal(found, expected)
        limit = np.where(rng.random(90) < 0.5, np.inf, values + 0.5)
        limit[::7] = -np.inf
        for k in (1, 7, 400):
            for found, expected in zip(there.below(f, limit, k), scan.below(f, limit, k), strict=True):
                np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1.0, 1e9), (1e-60, 0.0), (1e90, 0.0), (1e-3, 1.0)])
def test_what_rules_pairs_out_on_a_device_is_below_their_costs(scale: float, offset: float, p: float) -> None:
    rng = np.random.default_rng(0)
    x, y = scale * rng.normal(size=(12, 200)) + offset, scale * rng.normal(size=(12, 150)) + offset
    y[:, :50] = x[:, :50] * (1 + 1e-15 * rng.normal(size=50))
    rule = device.Rule(EUCLIDEAN, p)
    block = device.Block(torch.from_numpy(x), torch.from_numpy(y), torch.zeros(200, dtype=torch.float64), 0)
    least = device._lower_bounds(block, rule, block.x.mean(dim=1, keepdim=True))
    values = block.values(rule)
    assert torch.all(least <= values)
    squares = values ** (2 / p)
    assert torch.all(least ** (2 / p) >= squares - 1e-12 * squares.max())


def test_both_sides_go_to_a_device_once_and_stay_out_of_pickles() -> None:
    rng = np.random.default_rng(0)
    cost = PointCost(rng.normal(size=(50, 2)), rng.normal(size=(40, 2)), device="torch:cpu")
    cost.pricing.minima(np.zeros(50))
    there = cost.pricing.x.on("torch:cpu")
    cost.T.pricing.minima(np.broadcast_to(0.0, 40))  # read-only
    assert cost.T.pricing.y.on("torch:cpu") is there
    assert cost.between(cost.x[:3], cost.y).device == cost.T.device == "torch:cpu"
    assert vars(pickle.loads(pickle.dumps(cost)).pricing.x).keys() == {"points"}


def test_cost_uses_it_above_a_million_pairs_and_agrees_with_its_blocks() -> None:
    rng = np.random.default_rng(0)
    for d, metric, p in ((2, "euclidean", 1.0), (3, "cityblock", 2.0), (10, "chebyshev", 1.5), (130, "euclidean", 2.0)):
        cost = PointCost(rng.normal(size=(1300, d)), rng.normal(size=(1100, d)), p, metric)
        f = rng.normal(size=1300)
        values, slack = cost.column_minima(f)
        blocks = (cost.block(slice(None), slice(None)) - f[:, None]).min(axis=0)
        scale = np.abs(blocks) + np.abs(f).max()
        assert np.all(np.abs(values - blocks) <= cost.rounding * 2 * scale + slack)


def test_the_two_sides_share_their_trees() -> None:
    rng = np.random.default_rng(0)
    cost = PointCost(rng.normal(size=(50, 2)), rng.normal(size=(40, 2)))
    assert cost.T.T is cost
    assert cost.T.pricing.x is cost.pricing.y
    assert cost.T.pricing.y is cost.pricing.x
