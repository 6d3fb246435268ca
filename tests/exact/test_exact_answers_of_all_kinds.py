"""Small whole problems of every kind and method against rational arithmetic, drawn so that what fails shrinks.

The families of ``benchmarks/stress.py`` are harder, and drawn by the thousand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import stress
from hard.judge import FAULTS, Finding
from hard.problems import METRICS, Matrix, Points
from hard.special import (
    OTHER_METRICS,
    Change,
    Part,
    judge_change,
    judge_farthest,
    judge_forbidden,
    judge_other,
    judge_part,
)
from hypothesis import assume, given
from hypothesis import strategies as hst
from hypothesis.extra import numpy as hnp

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZES = hst.integers(1, 5)
ORDERS = hst.sampled_from([1.0, 2.0, 3.0, 1.5])


def floats(shape: Any, low: int, high: int, *others: float) -> hst.SearchStrategy[np.ndarray]:
    """Arrays of whole numbers from low to high, or of others."""
    entries = hst.integers(low, high).map(float)
    return hnp.arrays(np.float64, shape, elements=entries | hst.sampled_from(others) if others else entries)


@hst.composite
def weights(draw: hst.DrawFn, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole masses of one total, some zero."""
    a, b = draw(floats(n, 0, 4)), draw(floats(m, 0, 4))
    assume(a.any() and b.any())
    return a * b.sum(), b * a.sum()


def assert_right(findings: Iterable[Finding], least: int = 1) -> None:
    """Every call was answered, and none wrongly."""
    found = list(findings)
    assert len(found) >= least
    wrong = [finding for finding in found if set(finding.labels) & {*FAULTS, "refused"}]
    assert not wrong, "\n".join(map(str, wrong))


@given(hst.data(), SIZES, SIZES)
def test_forbidden_pairs(data: hst.DataObject, n: int, m: int) -> None:
    C = data.draw(floats((n, m), -3, 5, math.inf))
    assume(np.isinf(C).any() and np.isfinite(C).any())
    assert_right(judge_forbidden(Matrix(C, *data.draw(weights(n, m)))), 4)


@given(hst.data(), SIZES, SIZES, hst.fractions(0, 1, max_denominator=8))
def test_a_part_of_the_mass(data: hst.DataObject, n: int, m: int, share: Any) -> None:
    C, a, b = (data.draw(floats(shape, low, 4)) for shape, low in (((n, m), -4), (n, 0), (m, 0)))
    mass = float(share) * min(a.sum(), b.sum())
    assume(mass)
    assert_right(judge_part(Part(C, a, b, mass)), 3)


@given(hst.data(), SIZES, SIZES, hst.sampled_from(METRICS))
def test_the_longest_way(data: hst.DataObject, n: int, m: int, metric: str) -> None:
    x, y = (data.draw(floats((k, 2), -3, 3)) for k in (n, m))
    a, b = (None, None) if n == m and data.draw(hst.booleans()) else data.draw(weights(n, m))
    assert_right(judge_farthest(Points(x, y, a, b, math.inf, metric)), 2)


@given(hst.data(), SIZES, SIZES)
def test_gradients_of_the_cost(data: hst.DataObject, n: int, m: int) -> None:
    plan, C, dC = data.draw(floats((n, m), 0, 3)), data.draw(floats((n, m), -4, 8)), data.draw(floats((n, m), -3, 3))
    C[(plan == 0) & data.draw(hnp.arrays(np.bool_, (n, m)))] = math.inf
    a, b = plan.sum(axis=1), plan.sum(axis=0)
    assume(a.any())
    da, db = (data.draw(floats(len(w), -3, 3)) * (w > 0) for w in (a, b))
    da[a.argmax()] += db.sum() - da.sum()
    assert_right(judge_change(Change(C, a, b, dC, da, db)), 3)


@given(hst.data(), SIZES, SIZES, ORDERS, hst.sampled_from(OTHER_METRICS))
def test_other_metrics(data: hst.DataObject, n: int, m: int, p: float, metric: str) -> None:
    x, y = (data.draw(floats((k, 3), 1, 4)) for k in (n, m))
    assume(metric != "cosine" or min(np.ptp(x, axis=1).min(), np.ptp(y, axis=1).min()) > 0)
    assert_right(judge_other(Points(x, y, *data.draw(weights(n, m)), p, metric)), 1 if metric == "cosine" else 3)


@given(hst.data(), SIZES, SIZES, hst.integers(1, 4), ORDERS, hst.sampled_from(METRICS))
def test_points_in_many_copies(data: hst.DataObject, n: int, m: int, copies: int, p: float, metric: str) -> None:
    """On a lattice, where ties are the rule."""
    x, y = (data.draw(floats((k, 2), 0, 3)) for k in (n, m))
    a, b = data.draw(weights(n, m))
    x, y, a, b = (np.repeat(side, copies, axis=0) for side in (x, y, a, b))
    assert_right(stress.between_points(Points(x, y, a, b, p, metric)), 4)


@given(hst.data(), SIZES, SIZES, hst.sampled_from(METRICS), floats(2, -3, 3))
def test_points_on_a_ray(data: hst.DataObject, n: int, m: int, metric: str, direction: np.ndarray) -> None:
    """For p = 1 distances add up, so that many plans are optimal."""
    x, y = (data.draw(floats((k, 1), 0, 6)) * direction for k in (n, m))
    assert_right(stress.between_points(Points(x, y, *data.draw(weights(n, m)), 1.0, metric)), 4)


@given(hst.data(), SIZES, SIZES, ORDERS, hst.sampled_from(METRICS), floats(2, -2, 2))
def test_sides_a_million_deviations_apart(
    data: hst.DataObject, n: int, m: int, p: float, metric: str, far: np.ndarray
) -> None:
    x, y = (data.draw(floats((k, 2), -2, 2)) for k in (n, m))
    assert_right(stress.between_points(Points(x, y + 1e6 * far, *data.draw(weights(n, m)), p, metric)), 4)
