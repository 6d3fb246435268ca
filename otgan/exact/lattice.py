"""p = 1 on a lattice where the metric is the length of the shortest way along edges: one flow along 2 d n arcs.

Between pixels the cityblock distance is the length of a way along the edges of the lattice, and the Chebyshev distance
that of a way that may also take diagonals, if the spacing is one for all axes. So W_1 is the cost of the cheapest flow
along edges, 4 or 8 arcs a pixel in the plane instead of n (Ling & Okada 2007, An efficient earth mover's distance
algorithm for robust histogram comparison). Its potentials rise by at most the length of each edge, so they are
1-Lipschitz, which makes them feasible for all pairs.

The simplex of :mod:`otgan.kernels.lattice` solves it from coarse to fine. A lattice half as fine adds the masses of
2^d pixels. Its tree, with those edges that connect the pixels of each cell, is a tree of the finer lattice, and as
every spanning tree holds a flow, the search goes on from there. In the end sources and sinks are matched along the
tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.exact.pixels import PixelCost
from otgan.kernels.lattice import lattice_potentials, lattice_simplex, match_along_tree, tree_of_edges
from otgan.plan import Plan
from otgan.runtime.interrupts import asked
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem

    Indices = NDArray[np.intp]
    Masses = NDArray[np.int64]

__all__ = ["Flow", "cheapest_flow", "follows_edges", "solve"]

PIVOTS_PER_LOOK = 100_000  # at whether there was a Ctrl-C
MAX_REFRESHES = 10  # of the potentials on one level


def follows_edges(metric: str, spacing: tuple[float, ...]) -> bool:
    """Whether distances are lengths of ways along edges that take few directions."""
    equal = min(spacing) == max(spacing)
    return metric == "cityblock" or (metric == "chebyshev" and equal and len(spacing) <= 2)


def solve(problem: Problem, spacing: tuple[float, ...], rtol: float) -> Solution:
    """Solve and certify a problem for p = 1 between all pixels of a lattice with this spacing of its axes."""
    from otgan.kernels.lattice import differences

    cost, masses = problem.cost, problem.masses
    assert isinstance(cost, PixelCost)
    shape = tuple(len(places) for places in cost.axes)
    flow = cheapest_flow(shape, cost.metric, spacing, differences(masses.a, masses.b))
    return Solution.certified(
        problem,
        flow.plan,
        flow.potential,
        -flow.potential,
        method="network-simplex",
        rtol=rtol,
        finished=flow.finished,
        stats={"pivots": flow.pivots},
    )


@dataclass(frozen=True, eq=False)
class Flow:
    """What a flow along edges says about transport between all pixels.

    Attributes
    ----------
    plan : Plan
        Between pixels in the order of the array.
    potential : (n,) ndarray of float64
        f on the side of the sources, and minus g on that of the sinks.
    finished : bool
        Whether it is optimal.
    pivots : int
    """

    plan: Plan
    potential: NDArray[np.float64]
    finished: bool
    pivots: int


@dataclass(frozen=True, eq=False)
class _Lattice:
    """Nodes, the steps that an edge may take, opposite ones beside each other, and what they cost."""

    shape: tuple[int, ...]
    steps: NDArray[np.int64]
    costs: NDArray[np.float64]

    @classmethod
    def of(cls, shape: tuple[int, ...], metric: str, spacing: tuple[float, ...]) -> _Lattice:
        steps = _steps(len(shape), diagonal=metric == "chebyshev")
        return cls(shape, steps, (np.abs(steps) * spacing).max(axis=1))

    @property
    def bits(self) -> int:
        return int(len(self.steps) - 1).bit_length()

    @cached_property
    def heads(self) -> NDArray[np.int32]:
        """The node at the end of each arc; -1 outside."""
        heads = np.full((*self.shape, 1 << self.bits), -1, np.int32)
        nodes = np.arange(np.prod(self.shape), dtype=np.int32).reshape(self.shape)
        for k, step in enumerate(self.steps):
            here = tuple(slice(max(0, -s), max(0, size - max(0, s))) for s, size in zip(step, self.shape, strict=True))
            there = tuple(slice(max(0, s), max(0, size + min(0, s))) for s, size in zip(step, self.shape, strict=True))
            heads[(*here, k)] = nodes[there]
        return heads.reshape(-1)

    @property
    def coarser(self) -> _Lattice:
        """Cells of two nodes along each axis."""
        return _Lattice(tuple(-(-size // 2) for size in self.shape), self.steps, 2 * self.costs)

    def edges_from(self, tree: Any) -> tuple[Indices, Indices]:
        """Tails and steps of a spanning tree: edges that connect each cell, and one for each of the coarser tree."""
        coarse, coordinates = self.coarser, np.indices(self.shape).reshape(len(self.shape), -1)
        odd = coordinates % 2 == 1
        inside = np.flatnonzero(odd.any(axis=0))
        axis = odd[:, inside].argmax(axis=0)
        back = -np.eye(len(odd), dtype=int)[:, None]
        arcs = tree.arc[tree.arc >= 0].astype(np.int64)
        cells, steps = arcs >> self.bits, arcs & ((1 << self.bits) - 1)
        corner = 2 * np.array(np.unravel_index(cells, coarse.shape)) + (self.steps[steps].T > 0)
        between = np.ravel_multi_index(tuple(corner), self.shape)
        return np.r_[inside, between], np.r_[(self.steps == back).all(axis=2).argmax(axis=1)[axis], steps]


def _steps(dimension: int, *, diagonal: bool) -> NDArray[np.int64]:
    """Steps to neighbours, each followed by its opposite."""
    ahead = [step for step in product((-1, 0, 1), repeat=dimension) if step > (0,) * dimension]
    ahead = [step for step in ahead if diagonal or sum(map(abs, step)) == 1]
    return np.array([s for step in ahead for s in (step, tuple(-x for x in step))], np.int64)


def cheapest_flow(shape: tuple[int, ...], metric: str, spacing: tuple[float, ...], supply: Masses) -> Flow:
    """Send the masses of sources to sinks along edges, at least cost.

    Parameters
    ----------
    shape : tuple of int
    metric : {"cityblock", "chebyshev"}
    spacing : tuple of float
    supply : (n, digits) ndarray of int64
        By pixel, negative for sinks; their sum is zero.
    """
    levels = [_Lattice.of(shape, metric, spacing)]
    supplies = [supply]
    while max(levels[-1].shape) > 1:
        supplies.append(_added(supplies[-1], levels[-1].shape))
        levels.append(levels[-1].coarser)
    finished, pivots, tree, potential = True, 0, None, np.zeros(1)
    for lattice, masses in zip(levels[::-1], supplies[::-1], strict=True):
        tails, steps = (np.empty(0, np.intp),) * 2 if tree is None else lattice.edges_from(tree)
        tree = tree_of_edges(tails, steps, masses.copy(), lattice.heads, lattice.bits, lattice.costs)
        finished, potential, more = _solve(lattice, tree)
        pivots += more
    assert tree is not None
    return Flow(Plan(*match_along_tree(tree, supply.copy())), potential, finished, pivots)


def _solve(lattice: _Lattice, tree: Any) -> tuple[bool, NDArray[np.float64], int]:
    """Make a tree optimal; whether it is, its potentials, and the number of pivots."""
    potential, start, pivots, refreshes = lattice_potentials(tree, lattice.bits), 0, 0, 0
    while refreshes < MAX_REFRESHES and not asked():
        done, start = lattice_simplex(
            tree, potential, lattice.heads, lattice.bits, lattice.costs, start, PIVOTS_PER_LOOK
        )
        pivots += done
        if done < PIVOTS_PER_LOOK:  # potentials were updated step by step: see whether the tree still is optimal
            potential = lattice_potentials(tree, lattice.bits)
            refreshes += 1
            if done == 0:
                return True, potential, pivots
    return not asked(), potential, pivots


def _added(supply: Masses, shape: tuple[int, ...]) -> Masses:
    """The masses of cells of two nodes along each axis."""
    from otgan.kernels.wide import sums

    coarse = tuple(-(-size // 2) for size in shape)
    cells = np.ravel_multi_index(tuple(np.indices(shape).reshape(len(shape), -1) // 2), coarse)
    return sums(cells, supply, int(np.prod(coarse)))
