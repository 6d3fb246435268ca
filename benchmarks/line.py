"""Distances on the line and the circle against scipy, POT and bare sorting: median times, and errors.

The truth of the line is math.fsum over the merged quantile levels, which are whole numbers (weights are multiples of
2^-30); only its terms are rounded. Calls take turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import ot as pot
from common import RESULTS, arguments, machine, markdown, medians, simd, tell
from scipy.stats import wasserstein_distance

import otgan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Functions = dict[str, Callable[[], Any]]

ot: Any = pot  # what its functions return depends on their flags, which type checkers cannot follow
UNIT = 2.0**-30  # of the weights


def samples(n: int, m: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=n), 1.1 * rng.normal(size=m) + 0.1


def masses(n: int, seed: int) -> NDArray[np.int64]:
    """Whole numbers that sum to 2^30."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, 2**30 - n, size=n - 1))  # one unit each, and the rest at random
    return np.diff(cuts, prepend=0, append=2**30 - n) + 1


def truth(x: Array, a: NDArray[np.int64], y: Array, b: NDArray[np.int64], p: int) -> float:
    """W_p of points with masses that are whole numbers of one total."""
    i, j = np.argsort(x), np.argsort(y)
    ends_x, ends_y = np.cumsum(a[i]), np.cumsum(b[j])
    levels = np.union1d(ends_x, ends_y)
    widths = np.diff(levels, prepend=0)
    distance = np.abs(x[i][np.searchsorted(ends_x, levels)] - y[j][np.searchsorted(ends_y, levels)])
    return (math.fsum(widths * distance**p) / float(levels[-1])) ** (1 / p)


def sorts(x: Array, y: Array) -> None:
    np.sort(x)
    np.sort(y)


def sorts_in_threads(x: Array, y: Array) -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(np.sort, y)
        np.sort(x)
        other.result()


def plain(x: Array, y: Array, p: int) -> Functions:
    functions: Functions = {
        "otgan": lambda: otgan.wasserstein_1d(x, y, p),
        "POT emd2_1d": lambda: ot.emd2_1d(x, y, metric="minkowski", p=p) ** (1 / p),
        "POT wasserstein_1d": lambda: float(ot.wasserstein_1d(x, y, p=p)) ** (1 / p),
        "two sorts": lambda: sorts(x, y),
        "two sorts, 2 threads": lambda: sorts_in_threads(x, y),
    }
    return functions | ({"scipy": lambda: wasserstein_distance(x, y)} if p == 1 else {})


def weighted(x: Array, a: Array, y: Array, b: Array, p: int) -> Functions:
    functions: Functions = {
        "otgan": lambda: otgan.wasserstein_1d(x, y, p, a=a, b=b),
        "POT emd2_1d": lambda: ot.emd2_1d(x, y, a, b, metric="minkowski", p=p) ** (1 / p),
        "POT wasserstein_1d": lambda: float(ot.wasserstein_1d(x, y, a, b, p=p)) ** (1 / p),
        "two sorts": lambda: sorts(x, y),
        "two sorts, 2 threads": lambda: sorts_in_threads(x, y),
    }
    return functions | ({"scipy": lambda: wasserstein_distance(x, y, a, b)} if p == 1 else {})


def batched(x: Array, y: Array, p: int) -> Functions:
    functions: Functions = {
        "otgan": lambda: otgan.wasserstein_1d(x, y, p),
        "POT wasserstein_1d": lambda: ot.wasserstein_1d(x.T, y.T, p=p) ** (1 / p),
    }
    loop = {"scipy": lambda: np.array([wasserstein_distance(u, v) for u, v in zip(x, y, strict=True)])}
    return functions | (loop if p == 1 else {})


def circle(u: Array, v: Array, p: int) -> Functions:
    return {
        "otgan": lambda: otgan.wasserstein_circle(u, v, p),
        "POT wasserstein_circle": lambda: float(ot.wasserstein_circle(u, v, p=p)[0]) ** (1 / p),
    }


def ways(x: Array, y: Array) -> Functions:
    """The same distance asked for in other ways, and of other types."""
    singles = x.astype(np.float32), y.astype(np.float32)
    wholes = (1000 * x).astype(np.int64), (1000 * y).astype(np.int64)
    lists, whole_lists = (x.tolist(), y.tolist()), (wholes[0].tolist(), wholes[1].tolist())
    return {
        "wasserstein_1d": lambda: otgan.wasserstein_1d(x, y),
        "wasserstein": lambda: otgan.wasserstein(x, y),
        "solve, value": lambda: otgan.solve(x, y).value,
        "float32": lambda: otgan.wasserstein_1d(*singles),
        "int64": lambda: otgan.wasserstein_1d(*wholes),
        "bool": lambda x=x > 0, y=y > 0: otgan.wasserstein_1d(x, y),
        "lists": lambda: otgan.wasserstein_1d(*lists),
        "lists of ints": lambda: otgan.wasserstein_1d(*whole_lists),
    }


def ways_table(sizes: list[int], effort: float) -> list[dict[str, Any]]:
    table = []
    for n in sizes:
        seconds, answers = medians(ways(*samples(n, n)), max(3, min(1000, int(effort * 1e6 / n))))
        assert math.isclose(answers["wasserstein_1d"], answers["solve, value"])
        table.append({"n": n, "seconds": seconds})
    return table


def ways_cells(entry: dict[str, Any]) -> dict[str, str]:
    """Times as multiples of wasserstein_1d's for float64 arrays."""
    first, *others = entry["seconds"]
    base = entry["seconds"][first]
    multiples = {name: f"{entry['seconds'][name] / base:.2f} x" for name in others}
    return {"n": f"{entry['n']:,}", f"{first}, ms": f"{1e3 * base:.3g}", **multiples}


def row(case: str, n: int, p: int, functions: Functions, repeats: int, exact: Any = None) -> dict[str, Any]:
    seconds, answers = medians(functions, repeats)
    known = {name: answer for name, answer in answers.items() if answer is not None and exact is not None}
    errors = {name: float(np.max(np.abs(np.asarray(answer) / exact - 1))) for name, answer in known.items()}
    print(case, n, p, {name: f"{s:.2e}" for name, s in seconds.items()}, errors, flush=True)
    return {"case": case, "n": n, "p": p, "repeats": repeats, "seconds": seconds, "relative_error": errors}


def rows(sizes: list[int], effort: float) -> list[dict[str, Any]]:
    table = []
    for n in sizes:
        repeats = max(3, min(200, int(effort * 1e7 / n)))
        m = n - n // 10
        for p in (1, 2):
            x, y = samples(n, n)
            ones = np.ones(n, dtype=np.int64)
            table.append(row("n = m", n, p, plain(x, y, p), repeats, truth(x, ones, y, ones, p)))
            u, v = samples(n, m)
            total = math.lcm(n, m)
            a, b = np.full(n, total // n), np.full(m, total // m)
            table.append(row("m = 0.9 n", n, p, plain(u, v, p), repeats, truth(u, a, v, b, p)))
            a, b = masses(n, 1), masses(n, 2)
            exact = truth(x, a, y, b, p)
            functions = weighted(x, a.astype(np.float64) * UNIT, y, b.astype(np.float64) * UNIT, p)
            table.append(row("weighted", n, p, functions, repeats, exact))
            if n <= 1_000_000:
                few = repeats if n < 10_000 else 3
                table.append(row("circle", n, p, circle(0.2 * x, 0.2 * y, p), few))
    for p in (1, 2):
        x, y = (side.reshape(1000, 1000) for side in samples(10**6, 10**6))
        ones = np.ones(1000, dtype=np.int64)
        exact = np.array([truth(s, ones, t, ones, p) for s, t in zip(x, y, strict=True)])
        table.append(row("1000 x 1000", 1000, p, batched(x, y, p), max(3, int(10 * effort)), exact))
    return table


def cells(entry: dict[str, Any]) -> dict[str, Any]:
    """A row of the table for people: times, with ratios to otgan's."""
    seconds, error = entry["seconds"], entry["relative_error"]
    out = {"case": entry["case"], "n": f"{entry['n']:,}", "p": entry["p"], "otgan, ms": f"{1e3 * seconds['otgan']:.3g}"}
    for name in ("two sorts", "two sorts, 2 threads", "scipy", "POT emd2_1d", "POT wasserstein_1d"):
        peer = name if name in seconds else "POT wasserstein_circle" if name.endswith("wasserstein_1d") else ""
        out[name.replace("wasserstein_1d", "wasserstein_*")] = (
            f"{seconds[peer] / seconds['otgan']:.2f} x" if peer in seconds else ""
        )
    for name in ("otgan", "scipy", "POT wasserstein_1d"):
        out[f"error {name.replace(' wasserstein_1d', '')}"] = f"{error[name]:.0e}" if name in error else ""
    return out


def draw(table: list[dict[str, Any]]) -> None:
    """Time against n for p = 1, unweighted and weighted, log-log."""
    import matplotlib
    from matplotlib.figure import Figure

    from otgan.plot.style import LIGHT, series

    with matplotlib.rc_context(LIGHT):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for ax, case in zip(figure.subplots(1, 2, sharey=True), ("n = m", "weighted"), strict=True):
            chosen = [entry for entry in table if entry["case"] == case and entry["p"] == 1]
            sizes = [entry["n"] for entry in chosen]
            for k, name in enumerate(("otgan", "scipy", "POT emd2_1d", "POT wasserstein_1d", "two sorts, 2 threads")):
                colour, _ = series(k)
                dash = ":" if name.startswith("two") else "-"
                ax.loglog(sizes, [e["seconds"][name] for e in chosen], dash, color=colour, marker="o", ms=3, label=name)
            ax.set(title=f"W1 on the line, {case}", xlabel="points a side")
        figure.axes[0].set_ylabel("seconds")
        figure.axes[0].legend()
        figure.savefig(RESULTS / "line.png", dpi=150, metadata={"Software": None})


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--large", action="store_true", help="n = 10,000,000 too")
    parser.add_argument("--effort", type=float, default=1.0, help="scales the number of repeats")
    options = parser.parse_args()
    sizes = [100, 10_000, 100_000, 1_000_000] + ([10_000_000] if options.large else [])
    table = rows(sizes, options.effort)
    other_ways = ways_table([3, *sizes], options.effort)
    about = {**machine(("otgan", "numpy", "numba", "scipy", "POT")), "SIMD of NumPy": " ".join(simd()) or "none"}
    text = markdown([cells(entry) for entry in table])
    text += "\n\nPeers as multiples of otgan's time in the same run; errors relative to a sum without rounding.\n\n"
    text += "Other ways to ask for W1 of float64 arrays, and other types, as multiples of the first column:\n\n"
    text += markdown([ways_cells(entry) for entry in other_ways]) + "\n\n"
    text += ", ".join(f"{name} {value}" for name, value in about.items())
    tell(options, "line", {"machine": about, "rows": table, "ways": other_ways}, text)
    if options.save:
        draw(table)


if __name__ == "__main__":
    main()
