"""Problems off the main road, drawn and judged: forbidden pairs, partial transport, p = inf, gradients, other metrics.

Each family is a function that draws a problem, and one that yields a finding for each call that is judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

import otgan
from hard.judge import RTOL, Finding, accepting, attempt, compared, judged, raised
from hard.problems import (
    MATRIX_FAMILIES,
    ORDERS,
    POINT_FAMILIES,
    Matrix,
    Points,
    any_masses,
    draw_matrix,
    draw_points,
)
from hard.truth import Truth, allowed_value, exact_costs, exact_value, farthest, part_value, shares
from otgan.errors import Infeasible
from otgan.exact import bottleneck, listed, partial
from otgan.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["SPECIAL_FAMILIES", "Change", "Part"]

OTHER_METRICS = ("canberra", "braycurtis", "cosine", "hamming", "jensenshannon", "own")
STEP = Fraction(1, 2**40)  # of an exact difference quotient; whole costs have no kink that near


# Forbidden pairs


def draw_forbidden(rng: Generator) -> Matrix:
    """A matrix of any family, some entries infinite; for half of the draws the weights are those of an allowed plan."""
    drawn = draw_matrix(str(rng.choice([*MATRIX_FAMILIES])), rng)
    C, a, b = drawn.C, drawn.a, drawn.b
    C[rng.random(C.shape) < rng.uniform(0.1, 0.8)] = math.inf
    C[rng.integers(len(C)), rng.integers(len(C[0]))] = 1.0
    if rng.random() < 0.6:
        plan = np.where(np.isfinite(C), rng.integers(0, 5, size=C.shape), 0).astype(np.float64)
        plan[np.unravel_index(np.argmin(C), C.shape)] += 1
        a, b = plan.sum(axis=1), plan.sum(axis=0)
        if rng.random() < 0.3:  # a little too much somewhere, which may be past what is allowed
            b[rng.integers(len(b))] += 1
            a[rng.integers(len(a))] += 1
    return Matrix(C, a, b)


def judge_forbidden(problem: Matrix) -> Iterator[Finding]:
    """The cheapest plan, or a cut; both forms of the costs and both names of the method."""
    from scipy import sparse

    C, a, b = problem.C, problem.a, problem.b
    truth = allowed_value(C.tolist(), a, b)
    finite = np.nonzero(np.isfinite(C))
    pairs = sparse.coo_array((C[finite], finite), shape=C.shape)
    for form, given in (("infinite", C), ("sparse", pairs)):
        for method in listed.METHODS:
            answer = attempt(
                lambda given=given, method=method: otgan.solve_cost(given, a, b, method=method, rtol=RTOL, throw=False)
            )
            name = f"{form}, {method}"
            if truth is not None and not isinstance(answer, Infeasible):
                yield judged(name, answer, Truth(truth, Fraction(0)))
            elif isinstance(answer, Infeasible):
                fault = truth is not None or not is_cut(C, a, b, answer.rows)
                yield Finding(name, ("excludes truth",) * fault, 0.0, f"{answer}, truth {truth}")
            else:
                yield (
                    raised(name, answer)
                    if isinstance(answer, Exception)
                    else Finding(name, ("excludes truth",), 0.0, f"{answer}, where no plan is allowed")
                )


def is_cut(C: Floats, a: Any, b: Any, rows: Any) -> bool:
    """Whether rows have a larger share of the mass than all columns that they may send to."""
    left, right = shares(a, len(C)), shares(b, len(C[0]))
    reached = np.flatnonzero(np.isfinite(C[rows]).any(axis=0))
    return sum(left[i] for i in rows) * sum(right) > sum((right[j] for j in reached), Fraction(0)) * sum(left)


# A part of the mass


@dataclass(frozen=True, eq=False)
class Part:
    """Costs, weights of two totals, and the mass that moves."""

    C: Floats
    a: Floats
    b: Floats
    mass: float


def draw_part(rng: Generator) -> Part:
    """A matrix of any family but the one of denormal numbers, and a share of the smaller total, perhaps all of it."""
    drawn = draw_matrix(str(rng.choice(["matrix of any sign", "wide matrix"])), rng)
    n, m = drawn.C.shape
    a, b = (np.full(k, 1.0 / k) if w is None else w for k, w in ((n, drawn.a), (m, drawn.b)))
    a = a * rng.choice([1.0, 1.0, 3.0, 0.1, 1e6])
    least = min(math.fsum(a), math.fsum(b))
    return Part(drawn.C, a, b, least * float(rng.choice([1.0, 0.5, 0.25, rng.uniform(0.01, 1), 1e-9, 1e-60])))


def judge_part(problem: Part) -> Iterator[Finding]:
    """Every method that takes a mass."""
    C, a, b, mass = problem.C, problem.a, problem.b, problem.mass
    truth = Truth(part_value(C.tolist(), a, b, mass), Fraction(0))
    for method in partial.METHODS:
        answer = attempt(
            lambda method=method: otgan.solve_cost(C, a, b, method=method, rtol=RTOL, mass=mass, throw=False)
        )
        yield judged(method, answer, truth)


# The longest way


def draw_farthest(rng: Generator) -> Points:
    """Points of any family, for p = inf."""
    drawn = draw_points(str(rng.choice([*POINT_FAMILIES])), rng, (2.0,))
    keep = min(len(drawn.x), 30), min(len(drawn.y), 30)  # of many copies: the truth takes all pairs
    if keep == (len(drawn.x), len(drawn.y)):
        return Points(drawn.x, drawn.y, drawn.a, drawn.b, math.inf, drawn.metric)
    return Points(drawn.x[: keep[0]], drawn.y[: keep[1]], *any_masses(rng, *keep), math.inf, drawn.metric)


def judge_farthest(problem: Points) -> Iterator[Finding]:
    """The distance, and the plan and the cut that prove it."""
    x, y, a, b, metric = problem.x, problem.y, problem.a, problem.b, problem.metric
    truth = farthest(x.tolist(), y.tolist(), metric, a, b)
    found = attempt(lambda: otgan.wasserstein(x, y, math.inf, a=a, b=b, metric=metric))
    yield compared("wasserstein", found, truth)
    if x.shape[1] > 1 and not isinstance(found, Exception):
        stated = Problem.from_points(x, y, 1, a=a, b=b, metric=metric)
        proofs = attempt(lambda: bottleneck.solve_bottleneck(stated))
        yield raised("proofs", proofs) if isinstance(proofs, Exception) else judged_proofs(problem, proofs)


def judged_proofs(problem: Points, found: bottleneck.Bottleneck) -> Finding:
    """Whether the plan goes no further, and the cut has more mass than all that it reaches within less."""
    C = exact_costs(problem.x.tolist(), problem.y.tolist(), 1, problem.metric)
    a, b = shares(problem.a, len(C)), shares(problem.b, len(C[0]))
    room = Fraction(found.distance) / 10**12 + Fraction(5e-324)
    longest = max(C[i][j] for i, j in zip(found.rows, found.cols, strict=True))
    labels = ["off"] * (abs(longest - Fraction(found.distance)) > room)
    if found.cut is not None:
        rows, cols = (set(side.tolist()) for side in found.cut)
        others = [j for j in range(len(b)) if j not in cols and b[j]]
        near = any(C[i][j] < Fraction(found.distance) - room for i in rows for j in others)
        heavier = sum(a[i] for i in rows) * sum(b) > sum((b[j] for j in cols), Fraction(0)) * sum(a)
        labels += ["excludes truth"] * (near or not heavier)
    return Finding("proofs", tuple(labels), 0.0, f"{found}")


# Gradients


@dataclass(frozen=True, eq=False)
class Change:
    """Whole costs and weights in sixteenths, some pairs perhaps forbidden, and directions in which to change them."""

    C: Floats
    a: Floats
    b: Floats
    dC: Floats
    da: Floats
    db: Floats


def draw_change(rng: Generator) -> Change:
    """With a plan that is allowed; directions keep the totals equal and leave weights of zero alone."""
    n, m = (int(k) for k in rng.integers(1, 7, size=2))
    C = rng.integers(-4, 9, size=(n, m)).astype(np.float64)
    plan = rng.integers(0, 4, size=(n, m)) * rng.integers(0, 2, size=(n, m)) / 16
    plan[rng.integers(n), rng.integers(m)] += 1.0
    if rng.random() < 0.4:
        C[(plan == 0) & (rng.random((n, m)) < 0.5)] = math.inf
    a, b = plan.sum(axis=1), plan.sum(axis=0)
    da, db = (rng.integers(-3, 4, size=k).astype(np.float64) * (w > 0) for k, w in ((n, a), (m, b)))
    da[a.argmax()] += db.sum() - da.sum()
    return Change(C, a, b, rng.integers(-3, 4, size=(n, m)).astype(np.float64), da, db)


def judge_change(problem: Change) -> Iterator[Finding]:
    """Gradients lie between the difference quotients: the cost is concave in the costs, convex in the weights."""
    import torch

    C, a, b = problem.C, problem.a, problem.b

    def differentiated() -> tuple[float, list[Any]]:
        given = [torch.tensor(part, requires_grad=True) for part in (C, a, b)]
        cost = otgan.transport_cost(*given, rtol=RTOL)
        return cost.item(), [part.tolist() for part in torch.autograd.grad(cost, given)]

    answer = attempt(differentiated)
    if isinstance(answer, Exception):
        yield raised("transport_cost", answer)
        return
    value, (to_C, to_a, to_b) = answer
    truth = changed(problem, 0, 0)
    assert truth is not None  # there is a plan
    scale = Fraction(10 * float(a.sum()))
    yield off("value", abs(Fraction(value) - truth), scale)
    finite = np.argwhere(np.isfinite(C)).tolist()
    slope = sum((Fraction(to_C[i][j]) * Fraction(problem.dC[i, j]) for i, j in finite), Fraction(0))
    below, above = (quotient(problem, truth, step, 0) for step in (STEP, -STEP))
    yield off("gradient to costs", max(below - slope, slope - above, 0), scale)
    slope = sum(Fraction(g) * Fraction(d) for g, d in zip([*to_a, *to_b], [*problem.da, *problem.db], strict=True))
    below, above = (quotient(problem, truth, 0, step) for step in (-STEP, STEP))
    yield off("gradient to weights", max(below - slope, slope - above, 0), 100 * Fraction(1 + len(finite)))


def quotient(problem: Change, truth: Fraction, in_costs: Fraction | int, in_weights: Fraction | int) -> Any:
    """The difference quotient for a step; infinite where no plan is left."""
    there, step = changed(problem, in_costs, in_weights), in_costs or in_weights
    return (math.inf if step > 0 else -math.inf) if there is None else (there - truth) / step


def changed(problem: Change, in_costs: Fraction | int, in_weights: Fraction | int) -> Fraction | None:
    """The exact cost after a step."""
    C = [
        [c if c == math.inf else Fraction(c) + in_costs * Fraction(d) for c, d in zip(row, change, strict=True)]
        for row, change in zip(problem.C.tolist(), problem.dC.tolist(), strict=True)
    ]
    a, b = (
        [Fraction(w) + in_weights * Fraction(d) for w, d in zip(weights, change, strict=True)]
        for weights, change in ((problem.a, problem.da), (problem.b, problem.db))
    )
    return allowed_value(C, a, b)


def off(method: str, error: Fraction | float, scale: Fraction) -> Finding:
    """A number that should be within rounding of another."""
    share = math.inf if error == math.inf else float(Fraction(error) / scale)
    return Finding(method, ("off",) * (share > RTOL), share, f"{float(error)!r} beyond what is exact")


# Other metrics


def own(u: Floats, v: Floats) -> float:
    """No metric: distances of two kinds, not symmetric."""
    return float(np.maximum(u - v, 0).sum() + 2 * np.maximum(v - u, 0).max())


def draw_other(rng: Generator) -> Points:
    """Points of ordinary size, and a metric of scipy's or a function."""
    drawn = draw_points(str(rng.choice(["zero weights", "rounded totals", "lattice"])), rng)
    x, y = (np.sign(side) * np.abs(side) ** 0.1 + 0.1 for side in (drawn.x, drawn.y))
    metric = str(rng.choice(OTHER_METRICS))
    return Points(np.abs(x), np.abs(y), drawn.a, drawn.b, float(rng.choice(ORDERS)), metric)


def judge_other(problem: Points) -> Iterator[Finding]:
    """Every method that takes a matrix, against the matrix that scipy makes."""
    from scipy.spatial.distance import cdist

    x, y, a, b, p = problem.x, problem.y, problem.a, problem.b, problem.p
    metric: Any = own if problem.metric == "own" else problem.metric
    C = cdist(x, y, metric) ** p
    if not np.isfinite(C).all() or C.min() < 0:  # what rounding makes of some: refused, or not
        answer = attempt(lambda: otgan.solve(x, y, p, a=a, b=b, metric=metric))
        yield raised("auto", answer) if isinstance(answer, Exception) else Finding("auto", ("off",), 0.0, str(answer))
        return
    truth = Truth(exact_value(C.tolist(), a, b), Fraction(0))
    for method in accepting(attempt(lambda: Problem.from_matrix(C, a, b))):
        answer = attempt(
            lambda method=method: otgan.solve(x, y, p, a=a, b=b, metric=metric, method=method, rtol=RTOL, throw=False)
        )
        yield judged(method, answer, truth)


SPECIAL_FAMILIES: dict[str, tuple[Callable[[Generator], Any], Callable[[Any], Iterator[Finding]]]] = {
    "forbidden pairs": (draw_forbidden, judge_forbidden),
    "part of the mass": (draw_part, judge_part),
    "p = inf": (draw_farthest, judge_farthest),
    "gradients": (draw_change, judge_change),
    "other metrics": (draw_other, judge_other),
}
