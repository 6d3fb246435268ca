"""Transport between images: seconds and proven gaps by size, kind of image, metric and p, beside POT where that fits.

Kinds as in the DOTmark collection (Schrieber, Schuhmacher & Gottschlich 2017): white noise, Gaussian random fields of
three roughnesses, and shapes, all but the last with a floor of 0.01. Both images are drawn from one kind, and sum to 1.
Every row is saved when it is done.
"""

from __future__ import annotations

import json
import time
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import ot as pot
from common import RESULTS, arguments, machine, markdown
from scipy.spatial.distance import cdist

import otgan
from otgan.runtime.files import write_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ot: Any = pot  # what its functions return depends on their flags, which type checkers cannot follow
DECAYS = {"rough field": 1.0, "field": 2.0, "smooth field": 3.0}  # of the amplitudes with the frequency
FLOOR = 0.01
SIZES = (32, 64, 128, 256)
COSTS = (("euclidean", 1), ("euclidean", 2), ("cityblock", 1), ("chebyshev", 1))
AGREE = 1e-8


def field(n: int, decay: float, rng: np.random.Generator) -> Array:
    """A Gaussian random field on a torus, whose amplitudes fall with the frequency to this power."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(n)))
    frequency[0, 0] = np.inf
    values = np.fft.ifft2(np.fft.fft2(rng.normal(size=(n, n))) * frequency**-decay).real
    values -= values.min()
    return values / values.max() + FLOOR


def shape(n: int, rng: np.random.Generator) -> Array:
    """Some discs and squares, on nothing."""
    i, j = np.indices((n, n)) / n
    image = np.zeros((n, n))
    for k in range(4):
        (u, v), size = rng.uniform(0.2, 0.8, 2), rng.uniform(0.08, 0.2)
        image[(np.hypot(i - u, j - v) if k % 2 else np.maximum(abs(i - u), abs(j - v))) < size] = 1.0
    return image


def image(kind: str, n: int, rng: np.random.Generator) -> Array:
    if kind == "shapes":
        drawn = shape(n, rng)
    else:
        drawn = rng.random((n, n)) + FLOOR if kind == "white noise" else field(n, DECAYS[kind], rng)
    return drawn / drawn.sum()


def emd2(a: Array, b: Array, metric: str, p: int) -> float:
    """POT's network simplex between the pixels with mass."""
    x, y = np.argwhere(a > 0).astype(float), np.argwhere(b > 0).astype(float)
    C = cdist(x, y, "sqeuclidean" if p == 2 else metric)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return float(ot.emd2(a[a > 0], b[b > 0], C, numItermax=10**8))


def row(kind: str, n: int, metric: str, p: int, *, with_pot: bool) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    a, b = image(kind, n, rng), image(kind, n, rng)
    start = time.perf_counter()
    solution = otgan.solve_grid(a, b, p, metric)
    done = {
        "kind": kind,
        "n": n,
        "metric": metric,
        "p": p,
        "seconds": time.perf_counter() - start,
        "gap": solution.gap,
        "value": solution.value,
    }
    if with_pot:
        start = time.perf_counter()
        value = emd2(a, b, metric, p)
        done["POT emd2, seconds"] = time.perf_counter() - start
        assert abs(value - solution.value) <= AGREE * solution.value
    print(done, flush=True)
    return done


def cells(entry: dict[str, Any]) -> dict[str, Any]:
    peer = entry.get("POT emd2, seconds")
    return {
        "image": f"{entry['n']} x {entry['n']}",
        "kind": entry["kind"],
        "metric": entry["metric"],
        "p": entry["p"],
        "otgan, s": f"{entry['seconds']:.3g}",
        "proven gap": f"{entry['gap']:.0e}",
        "POT emd2": "" if peer is None else f"{peer / entry['seconds']:.1f} x",
    }


def save(table: list[dict[str, Any]], about: dict[str, Any]) -> None:
    text = markdown([cells(entry) for entry in table])
    text += "\n\nPOT as a multiple of otgan's time in the same run, its cost matrix included.\n\n"
    text += ", ".join(f"{name} {value}" for name, value in about.items()) + "\n"
    record = json.dumps({"machine": about, "rows": table}, indent=2) + "\n"
    write_files(RESULTS, {"grid.md": text.encode(), "grid.json": record.encode()})


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="pixels of a side")
    parser.add_argument("--pot", type=int, default=64, help="pixels of a side up to which POT runs")
    options = parser.parse_args()
    for metric, p in COSTS:  # what compiles does so here
        a, b = (image("white noise", 40, np.random.default_rng(seed)) for seed in (0, 1))
        otgan.solve_grid(a, b, p, metric)
    table, about = [], machine(("otgan", "numpy", "numba", "scipy", "POT"))
    for n, kind, (metric, p) in product(options.sizes, ("white noise", *DECAYS, "shapes"), COSTS):
        table.append(row(kind, n, metric, p, with_pot=n <= options.pot))
        if options.save:
            save(table, about)
    print(markdown([cells(entry) for entry in table]))


if __name__ == "__main__":
    main()
