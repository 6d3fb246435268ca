"""Does any kernel read or write beyond its arrays, whatever it is given? Runs all of them with every index checked.

    python benchmarks/boundscheck.py                  # compiled with bounds checks: two minutes of compiling
    python benchmarks/boundscheck.py --interpreted    # not compiled, where NumPy checks every index: seconds

Two kinds of input: problems of many shapes through the public functions, and NaN and infinities, which these refuse,
straight into the kernels. The kernels need not return anything meaningful for those, but have to return. The last line
counts what ran.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Points = NDArray[np.float64]

POISONS = (math.nan, math.inf, -math.inf, 1e308)


def run(*, interpreted: bool) -> dict[str, float]:
    """The values of all problems, computed in a process of its own in which indices are checked."""
    with tempfile.TemporaryDirectory() as cache:
        mode = {"NUMBA_DISABLE_JIT": "1"} if interpreted else {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": cache}
        command = [sys.executable, __file__, "--here"]
        done = subprocess.run(command, env={**os.environ, **mode}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def values() -> dict[str, float]:
    """The value of every problem, by name."""
    import otgan

    found = {}
    for name, x, y, p, options in problems():
        found[name] = otgan.solve(x, y, p, throw=False, **options).value
    for name, x, y, p, options in line_problems():
        found[f"line {name}"] = otgan.wasserstein_1d(x, y, p, **options)
        found[f"circle {name}"] = otgan.wasserstein_circle(np.mod(x, 1.0), np.mod(y, 1.0), p, **options)
    return found


def clouds(dimension: int, n: int, m: int) -> Iterator[tuple[str, Points, Points]]:
    """Pairs of point sets that take the kernels into their corners."""
    rng = np.random.default_rng(dimension + 10 * n + 100 * m)
    x, y = rng.normal(size=(n, dimension)), rng.normal(size=(m, dimension))
    yield "normal", x, y
    yield "equal", x, np.resize(x, (m, dimension))
    yield "one place", np.zeros((n, dimension)), np.ones((m, dimension))
    yield "grid", np.rint(x), np.rint(y)
    yield "far", x, y + 1e6
    yield "one far point", np.vstack([x[1:], 1e8 + x[:1]]), y


def problems() -> Iterator[tuple[str, Points, Points, float, dict[str, Any]]]:
    """Problems for all solvers: name, points, p, options."""
    shapes = [(1, 1, 1), (1, 40, 30), (2, 40, 40), (2, 50, 33), (9, 12, 12), (3, 1, 5)]
    for (dimension, n, m), weighted in itertools.product(shapes, (False, True)):
        rng = np.random.default_rng(n)
        a = rng.random(n) * (rng.random(n) < 0.7) + np.eye(1, n)[0]
        b = rng.random(m) * (rng.random(m) < 0.7) + np.eye(1, m)[0]
        weights = {"a": a / a.sum(), "b": b / b.sum()} if weighted else {}
        for k, (cloud, x, y) in enumerate(clouds(dimension, n, m)):
            p, metric = (1, 2, 1.5)[k % 3], ("euclidean", "cityblock", "chebyshev")[(k + n) % 3]
            name = f"{cloud}, {n} x {m} in {dimension}, p = {p}, {metric}{', weights' if weighted else ''}"
            for method in ("line",) if dimension == 1 else ("sparse", "assignment"):
                if method != "assignment" or (n == m and not weighted):
                    yield f"{method}: {name}", x, y, p, {"method": method, "metric": metric, **weights}
    rng = np.random.default_rng(0)
    for n, m in ((830, 830), (600, 450)):  # enough for coarse levels
        x, y = rng.random((n, 2)), rng.random((m, 2))
        if "NUMBA_DISABLE_JIT" not in os.environ:
            yield f"sparse: {n} x {m}", x, y, 1, {"method": "sparse"}
    corners = np.eye(40)[rng.integers(0, 40, (2, 80))]  # most costs between them are one greatest number
    yield "assignment: corners", *corners, 1, {"method": "assignment"}
    yield "sparse: screen", rng.random((9, 130)), rng.random((9, 130)), 1, {"method": "sparse"}


def line_problems() -> Iterator[tuple[str, Points, Points, float, dict[str, Any]]]:
    """Problems for the functions that know no plan."""
    for n, m in ((1, 1), (1, 7), (30, 30), (30, 17)):
        for cloud, x, y in clouds(1, n, m):
            for p in (1, 2, 2.5, math.inf):
                yield f"{cloud}, {n} x {m}, p = {p}", x[:, 0], y[:, 0], p, {}
                a, b = 1.0 + np.arange(n) % 3, 1.0 + np.arange(m) % 2
                yield f"{cloud}, {n} x {m}, p = {p}, weights", x[:, 0], y[:, 0], p, {"a": a / a.sum(), "b": b / b.sum()}


def poison_kernels() -> int:
    """Call kernels with what no check lets through; how many calls returned."""
    from otgan.kernels import arcs, auction, augment, envelope, metric, monge, scan, search, select, sort, tree

    count = 0
    rng = np.random.default_rng(0)
    for poison, share, p in itertools.product(POISONS, (0.02, 0.5, 1.0), (1.0, 2.0, 1.5)):
        n = 40

        def spoilt(*shape: int, poison: float = poison, share: float = share) -> Points:
            values = rng.normal(size=shape)
            values[rng.random(shape) < share] = poison
            return values

        x, y, f = spoilt(n, 2), rng.normal(size=(n, 2)), spoilt(n)
        monge.column_minima(np.sort(rng.random(n)), f, np.sort(rng.random(n)), p)
        monge.column_minima(spoilt(n), f, spoilt(n), p)
        select.weighted_median(rng.integers(0, 9, (n, 2)), np.abs(spoilt(n)))
        sort.sorted_with_masses(spoilt(n), spoilt(n))
        for points in (x, y):
            planted = tree.build(points)
            grown = envelope.refit(planted, f, p)
            order = tree.build(y).order
            for seeded, fill in ((True, 0), (False, -1)):
                values, rows = np.full((n, 3), np.inf), np.full((n, 3), fill)
                values, rows = (values[:, :1].copy(), rows[:, :1].copy()) if seeded else (values, rows)
                lists = metric.Lists(values, rows)
                search.k_best(planted, grown, points, search.Targets(y, order), 0, p, seeded, lists, 0, n)
                scan.scan(scan.pack(points, f), y, 0, p, lists, 0, n)
        start, count_of, col, cost = np.arange(n) * 5, np.full(n, 5), rng.integers(0, n, 5 * n), spoilt(5 * n)
        g, matching = np.zeros(n), arcs.Matching(np.full(n, -1), np.full(n, -1))
        listed = arcs.Arcs(start, count_of, col, cost)
        tight = arcs.row_minima(listed, g)
        free, _ = auction.auction(listed, g, matching, np.arange(n), 0.1, 10.0, 50)
        free, far, _ = augment.augment(listed, tight, g, matching, free, 100, 10**5)
        augment.augment_together(listed, tight, g, matching, far)
        arcs.release(listed, tight, g, matching, 0.0)
        count += 1
    return count


def main() -> None:
    """See the top of the file."""
    if "--here" in sys.argv:
        with np.errstate(all="ignore"):
            found = values()
            poison_kernels()
        print(json.dumps(found))
        return
    found = run(interpreted="--interpreted" in sys.argv)
    print(f"{len(found)} problems and {len(POISONS) * 9} poisonings: no index beyond its array")


if __name__ == "__main__":
    main()
