"""The certificate of :mod:`otgan.certificate` in compiled code, for dense costs of moderate size.

The same bounds from the same formulas; sums run in twice the working precision instead of exactly. Costs must lie
within 2^-64 to 2^64 (their largest), so that nothing has to be scaled before it is multiplied by masses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.reduced_costs import least_reduced_cost, lesser, lower_columns
from otgan.kernels.twofold import two_product, two_sum

__all__ = ["Masses", "Proof", "Rounding", "make_feasible", "prove"]

EPS = 2.0**-52
TINY = 2.0**-1074
NORMAL = 2.0**-960  # products above this lose nothing to underflow, nor do their errors
PRODUCT_ERROR = 2.0**-98  # relative error of a sum of products in twice the working precision, with room


class Masses(NamedTuple):
    """Masses as floats, rows before columns.

    Attributes
    ----------
    high, low : (n + m,) ndarray of float64
        The mass of each point as a sum of two floats, in units of ``unit``.
    unit : float
        What 1 stands for, in units of the weights.
    total : float
        The mass that moves, in units of the weights.
    n : int
        Number of rows.
    """

    high: np.ndarray
    low: np.ndarray
    unit: float
    total: float
    n: int


class Rounding(NamedTuple):
    """What costs may be off, as of :class:`otgan.costs.Cost`.

    Attributes
    ----------
    relative : float
        Of a computed entry.
    lost : float
        What underflow may take from an entry.
    intact : float
        Entries from here on lost nothing to it.
    """

    relative: float
    lost: float
    intact: float


class Proof(NamedTuple):
    """What :class:`otgan.certificate.Certificate` says, and the plan's cost.

    Attributes
    ----------
    value, lower, upper, magnitude : float
    slackness : float
        Largest ``C_ij - f_i - g_j`` on an arc with mass, or 0.
    """

    value: float
    lower: float
    upper: float
    magnitude: float
    slackness: float


@kernel
def greater(a, b):
    """The maximum as one instruction, b where they are equal."""
    return a if a > b else b


@kernel
def below(x):
    """The next float below."""
    return np.nextafter(x, -np.inf)


@kernel
def make_feasible(C, potential, mass, tight):
    """Potentials (n + m,) that are feasible over all pairs, by two c-transforms.

    ``f_i = min_j C_ij - g_j`` over the columns with mass, then ``g_j = min_i C_ij - f_i`` over all rows, rounded
    downwards, so that ``f_i + g_j <= C_ij`` holds for the floats themselves. They begin from potentials moved by a
    constant that makes them small on average. Where each row is ``tight`` with a column already, the first has nothing
    to add to f.
    """
    n, m = C.shape
    new = np.empty(n + m)
    f, g = new[:n], new[n:]
    given, total = 0.0, 0.0
    for u in range(n + m):
        given += (potential[u] if u < n else -potential[u]) * mass[u]
        total += mass[u]
    shift = given / total
    for j in range(m):
        g[j] = potential[n + j] + shift if mass[n + j] > 0 else -np.inf
    for i in range(n):
        f[i] = potential[i] - shift if tight else least_reduced_cost(C, g, i)
    for j in range(m):
        g[j] = np.inf
    for i in range(n):
        lower_columns(C[i], f[i], g)
    for j in range(m):
        g[j] = below(g[j])
    return new


@kernel
def lower_bound(potential, masses, rounding, floor):
    """A proven lower bound from potentials that are feasible over all pairs, as that of :mod:`otgan.certificate`."""
    earned, rest, size = 0.0, 0.0, 0.0
    for u in range(potential.size):
        if masses.high[u] + masses.low[u] > 0.0:
            product, error = two_product(potential[u], masses.high[u])
            earned, carry = two_sum(earned, product)
            rest += carry + (error + potential[u] * masses.low[u])
            size += abs(product)
    lower = (earned + rest) * masses.unit
    lower -= (rounding.relative + 4 * EPS) * abs(lower) + PRODUCT_ERROR * size * masses.unit
    lower -= potential.size * masses.unit * 2.0**-1071 + masses.total * 2.0**-1073
    lower -= masses.total * (1 + 4 * EPS) * rounding.lost + 4 * TINY
    least = floor * masses.total
    if least != 0.0:
        least -= 4 * EPS * abs(least) + TINY
    return greater(least, lower)


@kernel
def prove(C, x, y, rows, cols, mass, potential, masses, rounding, floor):
    """Bounds from a plan whose marginals are exact and feasible potentials; and whether nothing underflowed.

    ``mass`` (k,) is that of the arcs (``rows``, ``cols``), positive, in units of ``masses.unit``. Of points x and y, an
    entry below ``rounding.intact`` may be off by ``rounding.lost`` where the two differ; a matrix has points without
    coordinates. No entry is below ``floor``.
    """
    n = C.shape[0]
    lower = lower_bound(potential, masses, rounding, floor)
    paid = rest = size = more = hidden = slackness = 0.0
    whole = True
    for k in range(mass.size):
        i, j = rows[k], cols[k]
        entry = C[i, j]
        slackness = greater(entry - potential[i] - potential[n + j], slackness)
        if entry < rounding.intact and rounding.lost > 0.0 and differ(x, i, y, j):
            hidden += mass[k] * rounding.lost
        if entry != 0.0:
            product, error = two_product(mass[k], entry)
            whole &= abs(product) >= NORMAL
            paid, carry = two_sum(paid, product)
            rest += carry + error
            size, carry = two_sum(size, abs(product))
            more += carry
    value, magnitude = (paid + rest) * masses.unit, (size + more) * masses.unit
    hidden *= masses.unit * (1 + 4 * EPS)
    if hidden > 0.0 or 0.0 < magnitude < NORMAL:
        hidden += 4 * TINY
    upper = value + (rounding.relative + 4 * EPS) * magnitude + hidden
    return Proof(lesser(upper, greater(lower, value)), lower, upper, magnitude, slackness), whole


@kernel
def differ(x, i, y, j):
    """Whether the points x_i and y_j differ."""
    for k in range(x.shape[1]):  # noqa: SIM110 (compiled)
        if x[i, k] != y[j, k]:
            return True
    return False
