"""A rough entropic plan (Cuturi 2013) in float32, for exact solvers to begin with; nothing is proven from it.

Sinkhorn's iterations, for an epsilon that is halved a few times: the square of a scaled kernel is the kernel of half
the epsilon, scaled as before. So no exponential is taken again, and no sum is lost to underflow. The exponentials are
read off the bits of a float (Schraudolph 1999), 6 % off at most, as if costs were off by 6 % of epsilon.

The padding has no mass, whatever its entries are. The kernel is kept by rows and by columns, so that both scalings
come from sums of whole rows, entry by entry: these run in SIMD lanes (a quarter to a half of the time of inner
products), in one order on all machines.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import inlined, kernel
from otgan.kernels.reduced_costs import least_of

__all__ = ["entropic_plan"]

SINGLE = np.float32
LANES = 16  # entries of a register
LEVEL, ROUNDS = 0.2, 3  # first epsilon, in mean reduced costs, and epsilons
MANY_PAIRS, LOWER_LEVEL, MORE_ROUNDS = 2**14, 0.1, 4  # the same where neighbours are nearer
ITERATIONS = 3  # with each epsilon
LN2 = 0.6931471805599453
BIT, BIAS = 2.0**23, np.int32(127 << 23)  # of float32: the exponent's last bit, and the bits of 1
LEAST = np.float32(-100 * 2.0**23)  # exponent of the least entries, in units of that bit
TINY = np.float32(2.0**-100)
LARGEST = 1e30  # mean cost that float32 can take


@kernel
def entropic_plan(C, a, b):
    """The rows of about the entropic plan of masses a (n,) and b (m,), how concentrated they are, and a flag.

    Rows are not scaled to their masses, and both sides are padded to whole registers. The second is the sum
    of the squares of a row's shares, (n,): 1 where all of it goes to one column. The flag says whether there is such a
    plan: there is none where costs are all the same, or where costs or masses are too different for float32.
    """
    n, m = C.shape
    K = np.zeros((padded(n), padded(m)), np.float32)
    mean = reduced_costs(C, K)
    if not 0.0 < mean < LARGEST:
        return K, np.empty(n), False
    level, rounds = (LEVEL, ROUNDS) if n * m < MANY_PAIRS else (LOWER_LEVEL, MORE_ROUNDS)
    exponentials(K, n, SINGLE(-BIT / (level * mean * LN2)))
    turned = transposed(K)
    left, right, total = np.zeros(K.shape[0], np.float32), np.zeros(K.shape[1], np.float32), 0.0
    for i in range(n):
        total += a[i]
    for i in range(n):
        left[i] = SINGLE(a[i] * (m / total))
    for j in range(m):
        right[j] = SINGLE(b[j] * (m / total))
    u, v = np.zeros(left.size, np.float32), np.zeros(right.size, np.float32)
    for k in range(rounds):
        if k > 0:
            square(K, u, v, n)
            square(turned, v, u, m)
        for j in range(m):
            v[j] = SINGLE(1.0)
        for _ in range(ITERATIONS):
            scalings(turned, left, v, u, n)
            scalings(K, right, u, v, m)
    for i in range(n):
        row = K[i]
        for j in range(row.size):
            row[j] *= v[j]
    shares, good = concentration(turned, v, n)
    return K, shares, good


@inlined
def padded(n):
    """The number of whole registers' entries that hold n."""
    return (n + LANES - 1) // LANES * LANES


@kernel
def reduced_costs(C, K):
    """Costs less the least of their row, then of their column, into K; their mean."""
    n, m = C.shape
    least, sums = np.full(K.shape[1], np.float32(np.inf)), np.zeros(K.shape[1], np.float32)
    for i in range(n):
        row, costs, lowest = K[i], C[i], least_of(C[i])
        for j in range(m):
            row[j] = SINGLE(costs[j] - lowest)
        for j in range(row.size):
            least[j] = row[j] if row[j] < least[j] else least[j]
    for i in range(n):
        row = K[i]
        for j in range(row.size):
            row[j] -= least[j]
            sums[j] += row[j]
    total = 0.0
    for j in range(m):
        total += sums[j]
    return total / (n * m)


@kernel
def exponentials(K, n, unit):
    """``exp`` of what ``unit`` turns into bits of an exponent, in place, in n rows."""
    for i in range(n):
        row = K[i]
        for j in range(row.size):
            exponent = row[j] * unit
            exponent = exponent if exponent > LEAST else LEAST
            row[j] = np.int32(np.int32(exponent) + BIAS).view(np.float32)


@kernel
def transposed(K):
    """The transposed array, a register at a time."""
    turned = np.empty((K.shape[1], K.shape[0]), np.float32)
    for i in range(0, K.shape[0], LANES):
        rows = K[i : i + LANES]
        for j in range(K.shape[1]):
            part = turned[j, i : i + LANES]
            for q in range(LANES):
                part[q] = rows[q, j]
    return turned


@kernel
def square(K, u, v, n):
    """``(u_i K_ij v_j) ** 2`` in place of K, in n rows."""
    for i in range(n):
        row, here = K[i], u[i]
        for j in range(row.size):
            entry = row[j] * (here * v[j])
            entry = entry * entry
            row[j] = entry if entry > TINY else TINY


@kernel
def scalings(K, masses, u, v, m):
    """``v_j = masses_j / sum_i u_i K_ij`` for the first m columns, and 0 for the padding."""
    for j in range(v.size):
        v[j] = SINGLE(0.0)
    for i in range(0, K.shape[0], 8):
        r0, r1, r2, r3, r4, r5, r6, r7 = K[i], K[i + 1], K[i + 2], K[i + 3], K[i + 4], K[i + 5], K[i + 6], K[i + 7]
        u0, u1, u2, u3, u4, u5, u6, u7 = u[i], u[i + 1], u[i + 2], u[i + 3], u[i + 4], u[i + 5], u[i + 6], u[i + 7]
        for j in range(v.size):
            first = (u0 * r0[j] + u1 * r1[j]) + (u2 * r2[j] + u3 * r3[j])
            v[j] += first + ((u4 * r4[j] + u5 * r5[j]) + (u6 * r6[j] + u7 * r7[j]))
    for j in range(m):
        v[j] = masses[j] / v[j]
    for j in range(m, v.size):
        v[j] = SINGLE(0.0)


@kernel
def concentration(turned, v, n):
    """The sum of the squares of the shares of each row (n,), and whether all rows are positive and finite."""
    sums, squares = np.zeros(turned.shape[1], np.float32), np.zeros(turned.shape[1], np.float32)
    for j in range(turned.shape[0]):
        row, here = turned[j], v[j]
        for i in range(row.size):
            entry = row[i] * here
            sums[i] += entry
            squares[i] += entry * entry
    found, good = np.empty(n), True
    for i in range(n):
        good &= TINY < sums[i] < np.inf
        share = np.float64(squares[i]) / np.float64(sums[i]) ** 2  # in float64, where it does not underflow
        found[i] = share if share < 1.0 else 1.0
    return found, good
