"""The spatial order: halves of a range are the halves of a k-d tree."""

from __future__ import annotations

import numpy as np
import pytest

from otgan.exact.sparse.multiscale import spatial_order


@pytest.mark.parametrize("n", [1, 2, 3, 4, 63, 64, 1000])
@pytest.mark.parametrize("kind", ["normal", "lattice", "one point"])
def test_every_cell_is_cut_across_its_widest_side(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 3))
    x = np.round(x) if kind == "lattice" else 0 * x if kind == "one point" else x
    order = spatial_order(x)
    assert sorted(order) == list(range(n))
    cells = [(0, n)]
    while cells:
        start, stop = cells.pop()
        if stop - start <= 2:
            continue
        middle = (start + stop) // 2
        low, high = x[order[start:middle]], x[order[middle:stop]]
        widest = np.ptp(x[order[start:stop]], axis=0).argmax()
        assert low[:, widest].max() <= high[:, widest].min()
        cells += [(start, middle), (middle, stop)]
