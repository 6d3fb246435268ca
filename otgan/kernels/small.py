"""Solver of small problems in one call: costs, simplex, exact plan, feasible potentials and bounds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otgan.kernels.assignment import first_matching, match_rows, paths_are_short, tight_potentials
from otgan.kernels.certificate import Masses, Proof, Rounding, make_feasible, prove
from otgan.kernels.jit import kernel
from otgan.kernels.listed import LEAST_ROWS, matching_of_few
from otgan.kernels.metric import add_coordinates, sums_to_costs
from otgan.kernels.products import least_costs, plan_costs
from otgan.kernels.reduced_costs import least_of, lesser
from otgan.kernels.transport import exact_flows, first_basis, pivot, read_potentials
from otgan.kernels.twofold import divide, multiply, two_sum
from otgan.kernels.wide import as_floats

__all__ = [
    "LARGEST_COST",
    "LEAST_COST",
    "Answer",
    "Clouds",
    "arcs_with_mass",
    "fits",
    "looks_at_most",
    "proven_matching",
    "solve_matrix",
    "value_of_costs",
    "value_of_points",
    "value_of_products",
    "values_of_pairs",
    "values_of_splits",
]

LARGEST_COST, LEAST_COST = 2.0**64, 2.0**-64  # between them the proof needs no scaling
LARGEST_BITS, LEAST_BITS = (int(np.float64(cost).view(np.int64)) for cost in (LARGEST_COST, LEAST_COST))
SIZE = 2**63 - 1  # all bits but the sign
COORDINATES = 32  # of points that stay in the nearest cache
WHOLE = 60  # bits of the whole mass where it is rounded for the solver
EQUAL_TOTALS = 1e-10  # largest relative difference of two totals that rounding may have made
FLOW_ERROR = 2.0**-100  # of the whole mass, for each point: of sums in twice the working precision, with room
LOOKS, LOOKS_A_ROW = 16.0, 20.0  # at costs, in n^2: so many, and one more for 20 rows
FIRST = np.int64(0)  # row; a plain 0 would be a type of its own, and kernels be compiled twice
PIVOTS = 100  # a node, and so many more: the usual number is 2 to 8


class Clouds(NamedTuple):
    """Point clouds of one dimension, one after the other.

    Attributes
    ----------
    points : (N, d) ndarray of float64
    weights : (N,) ndarray of float64
        Positive, of one total a cloud; or empty, for equal weights.
    starts : (k + 1,) ndarray of int64
        Where each cloud begins, and N.
    """

    points: np.ndarray
    weights: np.ndarray
    starts: np.ndarray


class Answer(NamedTuple):
    """A plan, potentials, and what they prove.

    Attributes
    ----------
    rows, cols, nodes : (k,) ndarray of int64
        The arcs with mass, and where their masses are in ``flow``.
    flow : (n + m, digits) ndarray of int64
        Whole masses.
    potential : (n + m,) ndarray of float64
        Feasible over all pairs.
    proof : Proof
    holds : bool
        Whether the marginals are exact and nothing underflowed; otherwise the rest means nothing.
    pivots : int
    """

    rows: np.ndarray
    cols: np.ndarray
    nodes: np.ndarray
    flow: np.ndarray
    potential: np.ndarray
    proof: Proof
    holds: bool
    pivots: int


@kernel
def costs_between(x, y, metric, p):
    """All ``metric(x_i, y_j) ** p``, (n, m), the coordinates added in their order, so many at a time."""
    n, m, d = x.shape[0], y.shape[0], x.shape[1]
    C, turned = np.empty((n, m)), np.empty((min(d, COORDINATES), m))
    for i in range(n):
        for j in range(m):
            C[i, j] = 0.0
    for start in range(0, d, COORDINATES):
        stop = min(start + COORDINATES, d)
        for j in range(m):
            for k in range(start, stop):
                turned[k - start, j] = y[j, k]
        for i in range(n):
            add_coordinates(turned[: stop - start], x[i, start:stop], metric, C[i])
    for i in range(n):
        sums_to_costs(C[i], metric, p)
    return C


@kernel
def equal_masses(n, m):
    """Masses 1/n and 1/m as whole numbers (n + m, 1), and as :class:`Masses`."""
    a, b = n, m
    while b:
        a, b = b, a % b
    whole, high = np.empty((n + m, 1), np.int64), np.empty(n + m)
    for u in range(n + m):
        whole[u, 0] = high[u] = m // a if u < n else n // a
    return whole, Masses(high, np.zeros(n + m), 1.0 / (n // a * m), 1.0, n)


@kernel
def fits(C):
    """Whether all costs are finite, and the largest of a size at which proofs need no scaling."""
    bits, largest = C.view(np.int64), 0  # without their signs, sizes are in the order of their bits, and NaN is last
    for i in range(C.shape[0]):
        for j in range(C.shape[1]):
            largest = max(largest, bits[i, j] & SIZE)
    return largest == 0 or LEAST_BITS < largest < LARGEST_BITS


@kernel
def solve_matrix(C, x, y, whole, masses, rounding, floor, one_each):
    """:func:`solved` for callers that are not compiled."""
    return solved(C, x, y, whole, masses, rounding, floor, one_each, None)


@kernel
def solved(C, x, y, whole, masses, rounding, floor, one_each, power):
    """Solve for costs that :func:`fits` and masses ``whole`` (n + m, k), which are the same as ``masses``.

    Points x (n, d) and y (m, d) tell whether a cost of zero was lost to underflow; a matrix has d = 0. No cost
    is below ``floor``. ``one_each`` says that n = m and all masses are 1: a matching is looked for first; None says no,
    and that no code for matchings is needed. Costs may be bounds from below on distances to that ``power``, see
    :mod:`otgan.kernels.products`; None says that they are what they are.
    """
    if one_each is not None and one_each:
        found, match, g = optimal_matching(C)
        if found:
            potential = tight_potentials(C, g, match)
            return matching_with_proof(C, x, y, match, potential, whole, masses, rounding, floor, power)
    basis, order, pivots = optimal_basis(C, narrow(whole, masses))
    flow = whole.copy()
    holds = exact_flows(basis, order, flow)
    rows, cols, nodes, mass = arcs_with_mass(basis.parent, as_floats(flow), masses.n)
    potential = make_feasible(C, basis.potential, masses.high, False)
    proof, intact = proof_of(C, x, y, rows, cols, mass, potential, masses, rounding, floor, power)
    return Answer(rows, cols, nodes, flow, potential, proof, holds and intact, pivots)


@kernel
def proven_matching(C, x, y, match, potential, whole, masses, rounding, floor):
    """:func:`matching_with_proof` for callers that are not compiled."""
    return matching_with_proof(C, x, y, match, potential, whole, masses, rounding, floor, None)


@kernel
def matching_with_proof(C, x, y, match, potential, whole, masses, rounding, floor, power):
    """The :class:`Answer` of the columns ``match`` of all rows, and potentials (2 n,) that make their pairs tight."""
    rows = np.arange(C.shape[0])
    potential, mass = make_feasible(C, potential, masses.high, True), masses.high[: rows.size]
    proof, intact = proof_of(C, x, y, rows, match, mass, potential, masses, rounding, floor, power)
    return Answer(rows, match, rows, whole, potential, proof, intact, 0)


@kernel
def proof_of(C, x, y, rows, cols, mass, potential, masses, rounding, floor, power):
    """The proof of :func:`prove`. Where costs are bounds from below, C gets the true ones of the plan's pairs first."""
    if power is not None:
        plan_costs(C, x, y, rows, cols, power)
    return prove(C, x, y, rows, cols, mass, potential, masses, rounding, floor)


@kernel
def optimal_matching(C):
    """Whether an optimal matching was found in time, the column of each row, and prices (n,).

    Shortest augmenting paths take a fifth to a half of the simplex's time, but up to 40 times as long where rows have
    many equally cheap columns, or where the two sides lie apart in few dimensions. Then the first matching leaves many
    rows free, and paths are not tried; or they are left after a share of the time that the simplex would take.
    """
    n = C.shape[0]
    if n >= LEAST_ROWS:
        match, g, found = matching_of_few(C, int(looks_at_most(n)))
        if found:
            return found, match, g
    match, row_of, g, free = first_matching(C)
    if paths_are_short(n, free):
        match_rows(C, g, match, row_of, FIRST, looks_at_most(n))
    return match.min() >= 0, match, g


@kernel
def looks_at_most(n):
    """At how many costs shortest paths may look before the simplex takes over."""
    return n * n * (LOOKS + n / LOOKS_A_ROW)


@kernel
def optimal_basis(C, whole):
    """A basis that is optimal for whole masses (n + m,) of one digit, its nodes from the root on, and the pivots."""
    n, m = C.shape
    basis = first_basis(C, whole[:n].copy(), whole[n:].copy())
    pivots, _ = pivot(C, basis, FIRST, PIVOTS * (n + m + 100))
    return basis, read_potentials(basis, n), pivots


@kernel
def least_cost(C, x):
    """A number that no cost is below: 0 between points, the least entry of a matrix."""
    least = np.inf
    if x.shape[1] > 0:
        return 0.0
    for i in range(C.shape[0]):
        least = lesser(least_of(C[i]), least)
    return least


@kernel
def narrow(whole, masses):
    """The masses in one digit each, (n + m,): as they are, or the nearest in 60 bits of the whole mass."""
    if whole.shape[1] == 1:
        return whole[:, 0]
    return in_60_bits(masses)


@kernel
def in_60_bits(masses):
    """The nearest whole numbers in units of about 2^-60 of the whole mass, of one total on both sides."""
    narrowed = np.empty(masses.high.size, np.int64)
    scale = 2.0 ** (WHOLE - np.ceil(np.log2(masses.total / masses.unit)))
    more, largest = np.int64(0), masses.n
    for u in range(narrowed.size):
        high = np.floor(masses.high[u] * scale)
        narrowed[u] = np.int64(high) + np.int64(np.rint((masses.high[u] * scale - high) + masses.low[u] * scale))
        more += narrowed[u] if u < masses.n else -narrowed[u]
        largest = u if u > masses.n and narrowed[u] > narrowed[largest] else largest
    narrowed[largest] += more
    return narrowed


@kernel
def arcs_with_mass(parent, flow, n):
    """Of the tree's arcs that carry mass: rows, columns, the nodes below them, and the masses; ``flow`` (n + m,)."""
    rows, cols = np.empty(flow.size, np.int64), np.empty(flow.size, np.int64)
    nodes, mass = np.empty(flow.size, np.int64), np.empty(flow.size)
    count = 0
    for u in range(flow.size):
        if parent[u] >= 0 and flow[u] > 0.0:
            rows[count], cols[count] = (u, parent[u] - n) if u < n else (parent[u], u - n)
            nodes[count], mass[count] = u, flow[u]
            count += 1
    return rows[:count], cols[:count], nodes[:count], mass[:count]


@kernel
def value_of_points(x, y, a, b, one_each, metric, p, relative, lost, intact):
    """:func:`value_and_bounds` of ``metric(x_i, y_j) ** p``."""
    return value_and_bounds(costs_between(x, y, metric, p), x, y, a, b, one_each, relative, lost, intact, None)


@kernel
def value_of_products(products, x, y, a, b, one_each, p, relative, lost, intact):
    """:func:`value_and_bounds` of Euclidean distances to the power p = 1 or 2; ``products`` (n, m) is x y'."""
    C, close = least_costs(products, x, y, p)
    if not close:
        return np.nan, np.nan, np.nan
    return value_and_bounds(C, x, y, a, b, one_each, relative, lost, intact, p)


@kernel
def value_of_costs(C, x, y, a, b, one_each, relative, lost, intact):
    """:func:`value_and_bounds` of a matrix."""
    return value_and_bounds(C, x, y, a, b, one_each, relative, lost, intact, None)


@kernel
def value_and_bounds(C, x, y, a, b, one_each, relative, lost, intact, power):
    """The optimal cost and its bounds; NaN where there is no proof.

    Weights a (n,) and b (m,) must be positive and of one total; empty ones are equal, and sum to 1. ``one_each`` says
    whether n = m, and both are empty. None for a, or for "no", keeps code that is not needed from being compiled. What
    costs may be off is said in :class:`Rounding`, and ``power`` in :func:`solved`.
    """
    rounding = Rounding(relative, lost, intact)
    if not fits(C):
        return np.nan, np.nan, np.nan
    if a is None:
        proof, holds = value_of_equal(C, x, y, rounding, one_each, power)
    elif a.size + b.size > 0:
        proof, holds = value_of_weighted(C, x, y, a, b, rounding, power)
    else:
        proof, holds = value_of_equal(C, x, y, rounding, one_each, power)
    if not (holds and proof.lower <= proof.upper):
        return np.nan, np.nan, np.nan
    return proof.value, proof.lower, proof.upper


@kernel
def value_of_equal(C, x, y, rounding, one_each, power):
    """The proof for equal weights, and whether it holds."""
    whole, masses = equal_masses(C.shape[0], C.shape[1])
    answer = solved(C, x, y, whole, masses, rounding, least_cost(C, x), one_each, power)
    return answer.proof, answer.holds


@kernel
def value_of_weighted(C, x, y, a, b, rounding, power):
    """The proof for weights of which at most one side is empty (equal), and whether it holds.

    Flows are sums of two floats, off by less than 2^-100 of the whole mass for each point: where all are further than
    that from zero, the basis is the one of a plan with exactly these masses.
    """
    n, m = C.shape
    masses, valid = weighted_masses(a, b, n, m)
    if not (valid and LEAST_COST < masses.total < LARGEST_COST):
        return no_proof(), False
    basis, order, _ = optimal_basis(C, in_60_bits(masses))
    flow, least = flows_in_two_floats(basis.parent, order, masses)
    if not least > (n + m) * FLOW_ERROR * masses.total:
        return no_proof(), False
    rows, cols, _, mass = arcs_with_mass(basis.parent, flow[:, 0], n)
    potential = make_feasible(C, basis.potential, masses.high, False)
    return proof_of(C, x, y, rows, cols, mass, potential, masses, rounding, least_cost(C, x), power)


@kernel
def no_proof():
    """A proof of nothing."""
    return Proof(np.nan, np.nan, np.nan, np.nan, np.nan)


@kernel
def weighted_masses(a, b, n, m):
    """The weights a, and b times ``sum(a) / sum(b)``, as :class:`Masses` of unit 1, and whether they are valid.

    They are if all are positive and finite, and the totals are the same up to rounding. Those of an empty side are
    equal, and sum to 1.
    """
    high, low = np.empty(n + m), np.empty(n + m)
    total, total_low, valid = total_in_two_floats(a, n)
    other, other_low, others_valid = total_in_two_floats(b, m)
    valid &= others_valid and abs(total - other) <= EQUAL_TOTALS * total
    for u in range(n + m):
        weight, weight_low = weight_in_two_floats(a, u, n) if u < n else weight_in_two_floats(b, u - n, m)
        if u >= n and (total != other or total_low != other_low):
            product, product_low = multiply(weight, weight_low, total, total_low)
            weight, weight_low = divide(product, product_low, other, other_low)
        high[u], low[u] = weight, weight_low
    return Masses(high, low, 1.0, total, n), valid


@kernel
def total_in_two_floats(weights, n):
    """The sum of positive weights as a sum of two floats, and whether all are positive and finite."""
    total, rest, valid = 0.0, 0.0, True
    if weights.size == 0:
        return 1.0, 0.0, True
    for i in range(n):
        valid &= 0.0 < weights[i] < np.inf
        total, error = two_sum(total, weights[i])
        rest += error
    total, rest = two_sum(total, rest)
    return total, rest, valid


@kernel
def weight_in_two_floats(weights, i, n):
    """The weight of a point, 1/n where there are none."""
    if weights.size > 0:
        return weights[i], 0.0
    return divide(1.0, 0.0, float(n), 0.0)


@kernel
def flows_in_two_floats(parent, order, masses):
    """The flow of each node to or from its parent, (n + m, 2), and the least of all."""
    flow, least = np.empty((order.size, 2)), np.inf
    for u in range(order.size):
        flow[u, 0], flow[u, 1] = masses.high[u], masses.low[u]
    for t in range(order.size - 1, 0, -1):
        u = order[t]
        above = parent[u]
        least = lesser(flow[u, 0], least)
        rest, error = two_sum(flow[above, 0], -flow[u, 0])
        flow[above, 0], flow[above, 1] = two_sum(rest, error + (flow[above, 1] - flow[u, 1]))
    return flow, least


@kernel
def values_of_pairs(left, right, first, second, metric, p, rounding, found):
    """The values and bounds of the pairs ``first[t]``, ``second[t]`` of clouds, into ``found`` (pairs, 3).

    NaN where a value is not proven here.
    """
    for t in range(first.size):
        i, j = first[t], second[t]
        x, a = cloud(left, i)
        y, b = cloud(right, j)
        found[t, 0], found[t, 1], found[t, 2] = value_of_points(
            x, y, a, b, len(x) == len(y), metric, p, rounding.relative, rounding.lost, rounding.intact
        )


@kernel
def cloud(clouds, i):
    """Points and weights of a cloud; no weights where there are none."""
    start, stop = clouds.starts[i], clouds.starts[i + 1]
    return clouds.points[start:stop], (clouds.weights[start:stop] if clouds.weights.size > 0 else clouds.weights)


@kernel
def values_of_splits(C, orders, n, relative, rtol, found):
    """The optimal costs between the first n and the other points of each order (t, N) of N points with costs C (N, N).

    Equal weights. NaN in ``found`` (t,) where the bounds do not meet within ``rtol``.
    """
    m = C.shape[0] - n
    part = np.empty((n, m))
    x, y = np.empty((n, 0)), np.empty((m, 0))
    for t in range(orders.shape[0]):
        for i in range(n):
            for j in range(m):
                part[i, j] = C[orders[t, i], orders[t, n + j]]
        value, lower, upper = value_of_costs(part, x, y, None, None, n == m, relative, 0.0, 0.0)
        found[t] = value if upper - lower <= rtol * upper else np.nan
