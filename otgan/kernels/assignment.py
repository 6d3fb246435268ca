"""The dense assignment problem by shortest augmenting paths (Jonker & Volgenant 1987), a row of costs at a time.

Good prices match most rows at once; a Dijkstra search with those prices matches each of the rest. Reduced costs stay
feasible throughout, so the matching comes with its proof. The original begins with the least costs of columns and rows:
where the two sides are not alike, or in high dimension, that leaves two to four times as much for the searches. Where
costs have many ties it is the better beginning, as prices would tell apart what is equal: of 1000 x 1000 whole numbers
from 1 to 10 it leaves 5 rows to the searches, and prices leave 347. Among ties a search ends at a free column.

Every inner loop runs over a whole row without a branch, for the compiler to put it into SIMD lanes: searches that skip
what is settled, as in the original and in scipy, look at half as many entries and take twice to four times as long.
With rows that fast the original's two sweeps of bids before the searches do not pay any more, from 100 points in the
plane (0.17 ms with them, 0.09 without) to 1000 in eight dimensions (30 and 15 ms).
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import inlined, kernel
from otgan.kernels.reduced_costs import (
    first_prices,
    least_difference,
    least_of,
    least_reduced_cost,
    lower_columns,
    place_of,
)

__all__ = ["are_tied", "first_matching", "match_rows", "paths_are_short", "tight_potentials"]

FREE_SHARE, FREE_ROWS = 0.4, 10.0  # of n rows: so many that the first matching may leave free
TIES, ROWS = 1.5, 16  # cheapest columns of a row, on average, from where on costs are tied; rows that are looked at
FEW_FREE = 0.03  # of n rows: so few are left to the searches without looking for better prices


@kernel
def first_matching(C):
    """A partial matching of C (n, n), and column potentials under which each row keeps to its cheapest.

    With the first prices; by the least costs where these are tied, or prices leave too many rows free.

    Returns
    -------
    match, row_of : (n,) ndarray of int64
        Column of each row and row of each column, -1 for none.
    g : (n,) ndarray of float64
    free : int
        How many rows are not matched: where there are many, searches will be long.
    """
    if not are_tied(C):
        match, row_of, g, free = matching_by_prices(C)
        if paths_are_short(C.shape[0], free):
            return match, row_of, g, free
    return matching_of_ties(C)


@inlined
def paths_are_short(n, free):
    """Whether searches pay, where the first matching leaves so many of n rows free."""
    return free <= FREE_SHARE * n + FREE_ROWS


@kernel
def are_tied(C):
    """Whether rows of C (n, m) have several equally cheap columns, by a few rows."""
    n, cheapest = C.shape[0], 0
    rows = min(n, ROWS)
    for k in range(rows):
        costs = C[k * n // rows]
        least = least_of(costs)
        for j in range(costs.size):
            cheapest += costs[j] == least
    return cheapest >= TIES * rows


@kernel
def matching_by_prices(C):
    """What :func:`first_matching` returns, with the first prices."""
    n = C.shape[0]
    prices, f = first_prices(C), np.empty(n)
    for i in range(n):
        f[i] = least_reduced_cost(C, prices, i)
    match, row_of = nothing_matched(n)
    g, cheapest = column_minima(C, f)
    free = take_cheapest(C, f, g, cheapest, match, row_of)
    return match, row_of, g, free


@kernel
def matching_of_ties(C):
    """What :func:`first_matching` returns, by the least costs of the rows and, if need be, of the columns after them.

    A row takes the first free column that is as cheap as its cheapest.
    """
    n = C.shape[0]
    f, g, prices, free = np.empty(n), np.zeros(n), np.zeros(n), 0
    match, row_of = nothing_matched(n)
    for i in range(n):
        f[i] = least_of(C[i])
        free += not take_tight(C[i], f[i], prices, i, match, row_of)
    if free <= FEW_FREE * n:
        return match, row_of, g, free
    for j in range(n):
        g[j] = np.inf
    for i in range(n):
        lower_columns(C[i], f[i], g)
    for j in range(n):
        prices[j] = g[j] if row_of[j] < 0 else -np.inf
    for i in range(n):
        if match[i] < 0:
            free -= take_tight(C[i], f[i], prices, i, match, row_of)
    return match, row_of, g, free


@inlined
def nothing_matched(n):
    """The matching of n rows without any pair: ``match`` and ``row_of``."""
    return np.full(n, -1, np.int64), np.full(n, -1, np.int64)


@kernel
def take_tight(costs, f, prices, i, match, row_of):
    """Match row i to the first column where ``costs_j - prices_j`` is f, and say whether there is one.

    ``prices`` (n,) are g at the free columns and minus infinity at the others, and brought forward.
    """
    if least_difference(costs, prices) != f:
        return False
    j = place_of(costs, prices, f)
    match[i], row_of[j], prices[j] = j, i, -np.inf
    return True


@kernel
def match_rows(C, g, match, row_of, row, limit):
    """Match the free rows from ``row`` on, along shortest paths, until ``limit`` costs were looked at; the next row.

    ``match``, ``row_of`` and ``g`` are brought forward in place, and whole whenever this returns.
    """
    n = C.shape[0]
    length, prices, final, taken = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    before, settled = np.empty(n, np.int64), np.empty(n, np.int64)
    for j in range(n):
        taken[j] = 0.0 if row_of[j] < 0 else -np.inf
    looked = 0
    while row < n and looked < limit:
        if match[row] < 0:
            looked += n * augment(C, g, match, row_of, row, length, prices, final, taken, before, settled)
        row += 1
    return row


@kernel
def tight_potentials(C, g, match):
    """The prices g after ``f_i`` that make the pairs of matched rows tight, and are the highest for others: (2 n,)."""
    n = C.shape[0]
    potential = np.empty(2 * n)
    for i in range(n):
        potential[n + i] = g[i]
        potential[i] = C[i, match[i]] - g[match[i]] if match[i] >= 0 else least_reduced_cost(C, g, i)
    return potential


@kernel
def column_minima(C, f):
    """The least ``C_ij - f_i`` of each column, and its row; of equals the first from row j on, or all want one."""
    least, row = np.empty(C.shape[1]), np.empty(C.shape[1], np.int64)
    for j in range(C.shape[1]):
        least[j], row[j] = C[0, j] - f[0], 0
    for i in range(1, C.shape[0]):
        for j in range(C.shape[1]):
            value = C[i, j] - f[i]
            less = (value < least[j]) | ((value == least[j]) & (row[j] < j))
            least[j] = value if less else least[j]
            row[j] = i if less else row[j]
    return least, row


@kernel
def take_cheapest(C, f, g, cheapest, match, row_of):
    """Give each column its cheapest row, unless an earlier column wants that too. Returns how many rows are free.

    ``f`` are the least ``C_ij - g_j`` of the rows that are wanted. A row that only one column wanted gives up what it
    saves against its second choice.
    """
    n = C.shape[0]
    wanted, free = np.zeros(n, np.int64), n
    for j in range(n - 1, -1, -1):
        i = cheapest[j]
        wanted[i] += 1
        match[i] = j
    for i in range(n):
        if wanted[i] > 0:
            row_of[match[i]] = i
            free -= 1
        if wanted[i] == 1:
            second = least_reduced(C[i], g, match[i])
            if second < np.inf:
                g[match[i]] -= second - f[i]
    return free


@kernel
def least_reduced(costs, g, apart):
    """The least of ``costs - g`` but for the entry ``apart``."""
    least = np.inf
    for j in range(g.size):
        value = costs[j] - g[j] if j != apart else np.inf
        least = value if value < least else least
    return least


@kernel
def augment(C, g, match, row_of, start, length, prices, final, taken, before, settled):
    """Match row ``start`` along the shortest path of reduced costs to a free column, and update the potentials.

    ``taken`` (n,) is minus infinity at columns that have a row, 0 at the others, and brought forward. The other arrays
    are room to work in, (n,) each: ``length`` of the shortest path known to an open column, infinite at the others;
    ``prices``, g at the open columns and minus infinity at the others; the row ``before`` a column on its path; and the
    columns that were ``settled``, in order, with their ``final`` lengths. Returns how many rows of C were looked at.
    """
    for j in range(g.size):
        length[j], before[j], prices[j] = C[start, j] - g[j], start, g[j]
    count = 0
    end, least = shortest(length)
    while row_of[end] >= 0:
        settled[count], final[count] = end, least
        count += 1
        length[end], prices[end] = np.inf, -np.inf
        i = row_of[end]
        relax(C[i], prices, C[i, end] - g[end] - least, i, length, before)
        end, least = shortest(length)
        if least == final[count - 1]:  # of equals, one that is free ends the search
            end = free_place(length, least, taken, end)
    for k in range(count):
        g[settled[k]] += final[k] - least
    taken[end] = -np.inf
    i = -1
    while i != start:
        i = before[end]
        row_of[end] = i
        match[i], end = end, match[i]
    return count + 1


@inlined
def relax(costs, prices, offset, i, length, before):
    """Shorten the paths to the open columns that go through row i, whose costs these are."""
    for j in range(length.size):
        through = costs[j] - prices[j] - offset
        shorter = through < length[j]
        length[j] = through if shorter else length[j]
        before[j] = i if shorter else before[j]


@inlined
def shortest(length):
    """Where the least entry is, and the entry."""
    least, j = least_of(length), 0
    while j < length.size - 1 and length[j] != least:  # they may all be NaN, which nothing equals
        j += 1
    return j, least


@kernel
def free_place(length, least, taken, otherwise):
    """A column that is not taken whose length is the least, or ``otherwise``."""
    return place_of(length, taken, least) if least_difference(length, taken) == least else otherwise
