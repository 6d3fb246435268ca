"""The command ``otgan warmup``: compile ahead of the first call, as when an image of a machine is built."""

from __future__ import annotations

import math
import signal
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

import otgan
from otgan.cli.common import Flag
from otgan.cli.say import say
from otgan.runtime.cores import cores
from otgan.runtime.progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Warmup"]

MANY, LONG = 1100, 20_000  # points that take the ways of large problems, in space and on the line
WIDE = 1400  # coordinates that make a dozen points one for scalar products
MOST = 4  # processes: the longest call takes a sixth of all the time, and each needs some 400 MB


@dataclass(frozen=True)
class Warmup:
    """Compile everything that is compiled for this machine, and keep it on the disk."""

    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Call what is compiled, on a few points, in as many processes as there are cores."""
        begin, count = time.perf_counter(), len(calls())
        with (
            bar(count, True, name="warmup", unit="calls") as progress,
            ProcessPoolExecutor(min(cores(), MOST), get_context("spawn"), initializer=_end_at_ctrl_c) as pool,
        ):
            for done in as_completed([pool.submit(_call, k) for k in range(count)]):
                done.result()
                progress.update(1)
        say(f"compiled in {time.perf_counter() - begin:.0f} s, or found compiled: first calls will not wait any more.")
        return 0


def _end_at_ctrl_c() -> None:
    """End without a word, as a process does that is not Python's."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _call(k: int) -> None:
    """The k-th of all calls, in a process of the pool."""
    calls()[k]()


def calls() -> list[Callable[[], object]]:
    """Calls that run every kernel, for the types that it is compiled for."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=(9, 2)) + 1.0
    a, b = rng.dirichlet(np.ones(12)), rng.dirichlet(np.ones(9))
    u, v = x[:, 0].copy(), y[:, 0].copy()
    turn, other_turn = rng.random(12), rng.random(9)
    big, other = rng.normal(size=(MANY, 2)), rng.normal(size=(MANY, 2)) + 1.0
    costs, weights = rng.random((MANY, MANY)), rng.dirichlet(np.ones(MANY), size=2)
    long, (wide, other_wide) = rng.normal(size=(2, LONG)), rng.normal(size=(2, 12, WIDE))
    image = rng.random((6, 5))
    return [
        lambda: otgan.wasserstein(x, y),
        lambda: [call(x[:9], y) for call in (otgan.wasserstein, otgan.solve)],
        lambda: otgan.wasserstein(x, y, 2, a=a, b=b),
        lambda: [otgan.wasserstein(wide, other_wide[:m], a=w) for m, w in ((12, None), (9, None), (9, a))],
        lambda: otgan.solve(x, y, a=a, b=b).potentials.f(y),
        lambda: otgan.solve_cost(costs[:12, :9]),
        lambda: otgan.pairwise([x, y, x + 1.0]),
        lambda: otgan.permutation_test(x, y, n_resamples=9, rng=0),
        lambda: [otgan.wasserstein_1d(u, v, p) for p in (1, 2, 3, math.inf)],
        lambda: [otgan.wasserstein_1d(u, v, p, a=a, b=b) for p in (1, 2, 3, math.inf)],
        lambda: otgan.wasserstein_1d(long, long + 1.0),
        lambda: [otgan.wasserstein_1d(x.T, values) for values in (x.T, y.T)],
        lambda: otgan.wasserstein_1d(x.T, y.T, a=a, b=b),
        lambda: [otgan.solve(u, v, p, a=a, b=b).certificate for p in (1, 2)],
        lambda: otgan.solve(u, v).potentials.f(v),
        lambda: [otgan.wasserstein_circle(turn, other_turn, p) for p in (1, 2)],
        lambda: [otgan.wasserstein_circle(turn, other_turn, p, a=a, b=b) for p in (1, 2)],
        lambda: [otgan.wasserstein_circle(x.T, y.T, p, a=w) for p in (1, 2) for w in (None, a)],
        lambda: otgan.solve_cost(costs),
        lambda: otgan.solve_cost(costs[:, : MANY - 1]),
        lambda: otgan.solve(big, other, method="sparse"),
        lambda: otgan.solve(big, other, 2, a=weights[0], b=weights[1], method="sparse"),
        lambda: [otgan.solve_grid(image, image[::-1], 1, metric) for metric in ("cityblock", "chebyshev")],
        lambda: otgan.solve_grid(image, image[::-1], 2),
        lambda: otgan.solve(np.tile(big, 8), np.tile(other, 8), method="sparse"),
        *([lambda: _gradients(turn, other_turn)] if find_spec("torch") else []),
    ]


def _gradients(u: NDArray[np.float64], v: NDArray[np.float64]) -> None:
    """Gradients on the line and on the circle."""
    import torch

    x, y = torch.tensor(u, requires_grad=True), torch.tensor(v)
    a = torch.full((len(u),), 1 / len(u), dtype=torch.float64, requires_grad=True)
    for distance in (otgan.wasserstein_1d, otgan.wasserstein_circle):
        distance(x, y, 2).backward()
        distance(x, y, 2, a=a).backward()
