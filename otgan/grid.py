"""Transport between images: weighted pixels of one lattice."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from otgan import inputs
from otgan.certified import Options, certified, returned
from otgan.exact.pixels import PixelCost
from otgan.masses import WholeMasses
from otgan.plan import Plan
from otgan.problem import Problem
from otgan.runtime.interrupts import Interrupts
from otgan.solution import Solution, Status

__all__ = ["solve_grid"]


def solve_grid(
    image_a: Any,
    image_b: Any,
    p: float = 1,
    metric: str = "euclidean",
    *,
    spacing: Any = 1.0,
    rtol: float = 1e-9,
    throw: bool = True,
    progress: bool = False,
    normalize: bool = False,
) -> Solution:
    """Solve optimal transport between two images exactly, with a proof: their pixels are points of one lattice.

    The same as :func:`otgan.solve` between the pixels, in less time. For p = 1 only what the images do not have in
    common moves. For p = 1 and the cityblock metric (and Chebyshev's, in the plane with one spacing) it moves along
    edges of the lattice, 2 for each pixel and axis. Euclidean distances are no lengths of such ways, and take the usual
    solver.

    Parameters
    ----------
    image_a, image_b : (n_1, ..., n_d) array_like
        Masses of the pixels, not negative, of one shape and one total. Any number of axes.
    p : float, default 1
        Power of the distance, 1 <= p < inf.
    metric : {"euclidean", "cityblock", "chebyshev"}
    spacing : float or sequence of d floats, default 1.0
        Distance of neighbours along all axes, or along each. Pixel ``(i_1, ..., i_d)`` lies at ``i_k * spacing_k``.
    rtol, throw, progress, normalize
        As for :func:`otgan.solve`.

    Returns
    -------
    Solution
        Between all n pixels, those without mass too, in the order of ``image_a.ravel()``: ``plan`` is (n, n), and
        ``f.reshape(image_a.shape)`` an image. ``distance`` is W_p where the images sum to 1.

    Raises
    ------
    InvalidInput, NotConverged, Interrupted
        As for :func:`otgan.solve`; InvalidInput also for images of two shapes.

    References
    ----------
    Ling & Okada (2007), An efficient earth mover's distance algorithm for robust histogram comparison.

    Examples
    --------
    >>> import otgan
    >>> solution = otgan.solve_grid([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]], spacing=(1.0, 0.5))
    >>> solution.value
    0.5
    >>> solution.plan.toarray()
    array([[0., 1., 0., 0.],
           [0., 0., 0., 0.],
           [0., 0., 0., 0.],
           [0., 0., 0., 1.]])
    """
    power, metric, rtol = inputs.exponent(p), inputs.metric_name(metric), inputs.tolerance(rtol)
    options = Options("auto", rtol, throw, progress)
    given = inputs.grids(image_a, image_b, spacing, normalize)
    start = time.perf_counter()
    problem = _problem(given, power, metric)
    if len(given.shape) == 1:
        return returned(*certified(problem, options._replace(method="line")), options)
    stays, moving = _moving(problem)
    if not moving.masses.a.any():  # the images are the same
        zeros = np.zeros(len(given.a))
        return Solution.certified(problem, stays, zeros, zeros, method="network-simplex", rtol=rtol)
    solution, asked = _solve(moving, given.spacing, rtol, progress)
    unproven = solution.status in (Status.GAP, Status.MAX_STEPS)
    solution = replace(
        solution,
        status=Status.INTERRUPTED if asked and unproven else solution.status,
        problem=problem,
        moves=_together(solution.moves, stays),
        stats={**solution.stats, "seconds": time.perf_counter() - start},
    )
    return returned(solution, asked, options)


def _problem(given: inputs.Grids, p: float, metric: str) -> Problem:
    """The problem between all pixels."""
    axes = tuple(np.arange(n, dtype=np.float64) * step for n, step in zip(given.shape, given.spacing, strict=True))
    cost = PixelCost.on(axes, p, metric)
    b = inputs.equal_mass(given.a, given.b, given.rtol, ("image_a", "image_b"))
    uniform = not (np.ptp(given.a) or np.ptp(given.b))
    problem = Problem(cost, given.a, b, p, uniform, (given.a, given.b))
    inputs.value_fits(problem.mass, cost.ceiling)
    return problem


def _moving(problem: Problem) -> tuple[Plan, Problem]:
    """What stays where it is, and the problem of the rest.

    For p = 1 mass that both sides have in one place may stay there: a way past that place is no shorter than the way
    from there and the way to there (the triangle inequality).
    """
    masses = problem.masses
    if problem.p != 1:
        nowhere = np.empty(0, np.intp)
        return Plan(nowhere, nowhere, masses.a[:0]), problem
    from otgan.kernels.lattice import cancel_common

    common, a, b = cancel_common(masses.a, masses.b)
    there = np.flatnonzero(common.any(axis=1))
    return Plan(there, there, common[there]), _with_masses(problem, problem.cost, WholeMasses(a, b, masses.unit))


def _with_masses(problem: Problem, cost: Any, masses: WholeMasses) -> Problem:
    """The problem of a cost with masses that are whole numbers already."""
    from otgan.kernels.wide import as_floats

    a, b = as_floats(masses.a) * masses.unit, as_floats(masses.b) * masses.unit
    moving = Problem(cost, a, b, problem.p)
    vars(moving)["masses"] = masses
    return moving


def _solve(problem: Problem, spacing: tuple[float, ...], rtol: float, progress: bool) -> tuple[Solution, bool]:
    """The solution between all pixels, and whether there was a Ctrl-C."""
    from otgan.exact import lattice

    cost = problem.cost
    assert isinstance(cost, PixelCost)
    if cost.p == 1 and lattice.follows_edges(cost.metric, spacing):
        with Interrupts() as interrupts:
            return lattice.solve(problem, spacing, rtol), interrupts.asked
    return _between_points(problem, rtol, progress)


def _between_points(problem: Problem, rtol: float, progress: bool) -> tuple[Solution, bool]:
    """Solve between the pixels with mass, and extend the proof to all."""
    cost, masses = problem.cost, problem.masses
    assert isinstance(cost, PixelCost)
    rows, cols = (np.flatnonzero(side.any(axis=1)) for side in (masses.a, masses.b))
    inner = _with_masses(
        problem,
        cost.between(cost.x[rows], cost.x[cols]),
        WholeMasses(masses.a[rows], masses.b[cols], masses.unit),
    )
    found, asked = certified(inner, Options("auto", rtol, progress=progress))
    f, g = np.full(len(cost.x), -np.inf), np.full(len(cost.x), -np.inf)
    f[rows], g[cols] = found.f, found.g
    plan = Plan(rows[found.moves.rows], cols[found.moves.cols], found.moves.mass)
    return Solution.certified(problem, plan, f, g, method=found.method, rtol=rtol, stats=found.stats), asked


def _together(one: Plan, other: Plan) -> Plan:
    """Both plans as one, if they share no pair."""
    return Plan(np.r_[one.rows, other.rows], np.r_[one.cols, other.cols], np.concatenate([one.mass, other.mass]))
