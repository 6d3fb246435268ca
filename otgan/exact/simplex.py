"""The network simplex on a dense cost matrix (Ahuja, Magnanti & Orlin 1993, chapter 11), for any masses.

POT's (Bonneel et al. 2011, after LEMON), which this replaced, takes twice as long, at 1000 points three times.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from otgan.exact import small
from otgan.exact.dense import RawAnswer, solve_dense
from otgan.runtime.interrupts import asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem
    from otgan.solution import Solution

__all__ = ["COUNTS_STEPS", "accepts", "memory", "solve"]

COUNTS_STEPS = True

PIVOTS_PER_LOOK = 20_000  # at whether there was a Ctrl-C: a few hundredths of a second
UNLIMITED = 2**62  # pivots
WHOLE = 60  # bits of the whole mass, in the whole numbers that masses are rounded to


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; it takes all."""
    return None


def memory(n: int, m: int) -> int:
    """Bytes needed: costs, reduced costs and blocks of them, and a set of nodes for each node."""
    return 24 * n * m + (n + m) ** 2 // 8


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve with at most ``max_steps`` pivots a round; None is unlimited."""
    found = small.solve(problem, "network-simplex", rtol) if max_steps is None else None
    if found is not None:
        return found
    return solve_dense(problem, run_network_simplex, method="network-simplex", rtol=rtol, max_steps=max_steps)


def run_network_simplex(
    C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None
) -> RawAnswer:
    """One run of the compiled simplex, in parts between which Ctrl-C is seen."""
    from otgan.kernels.small import arcs_with_mass
    from otgan.kernels.transport import first_basis, pivot, read_potentials

    n, exponent = len(a), WHOLE - math.frexp(a.sum())[1]
    basis = first_basis(C, *_whole(a, b, exponent))
    row, left, finished = 0, max_steps or UNLIMITED, False
    while left and not finished and not asked():
        most = min(left, PIVOTS_PER_LOOK)
        pivots, row = pivot(C, basis, row, most)
        left, finished = left - pivots, pivots < most
    read_potentials(basis, n)
    mass = np.ldexp(basis.flow.astype(np.float64), -exponent)
    rows, cols, _, mass = arcs_with_mass(basis.parent, mass, n)
    return RawAnswer(rows, cols, mass, basis.potential[:n], basis.potential[n:], finished)


def _whole(
    a: NDArray[np.float64], b: NDArray[np.float64], exponent: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Masses times ``2 ** exponent`` as whole numbers of one total; what rounding leaves goes to the largest of b."""
    whole_a, whole_b = (np.rint(np.ldexp(side, exponent)).astype(np.int64) for side in (a, b))
    whole_b[whole_b.argmax()] += whole_a.sum() - whole_b.sum()
    return whole_a, whole_b
