"""The radix sort: against NumPy's, on data that are hard for one or another of its digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst
from hypothesis.extra import numpy as hnp

import otgan
from otgan.errors import InvalidInput
from otgan.kernels.sort import sorted_values, sorted_with_masses

RNG = np.random.default_rng(0)
N = 5000
CASES = {
    "normal": RNG.normal(size=N),
    "uniform": RNG.random(N),
    "ties": RNG.integers(0, 9, size=N) + 0.0,
    "one value": np.zeros(N),
    "both zeros": np.where(RNG.random(N) < 0.5, 0.0, -0.0),
    "narrow": 1e6 + 1e-6 * RNG.random(N),
    "wide": RNG.normal(size=N) * 10.0 ** RNG.integers(-300, 300, size=N),
    "descending": -np.arange(N) / 7,
    "narrow with one outlier": np.append(1 + 1e-9 * RNG.random(N - 1), 1e300),
    "descending with one outlier": np.append(2 - 1e-12 * np.arange(N - 1), -1e300),
    "subnormal": 5e-324 * RNG.integers(-1000, 1000, size=N),
    "infinities": RNG.choice([-np.inf, np.inf, 0.0, 1.0], size=N),
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_hard_data(values: np.ndarray) -> None:
    given = values.copy()
    np.testing.assert_array_equal(sorted_values(values), np.sort(values))
    found, places = sorted_with_masses(values, np.arange(N) + 0.0)
    np.testing.assert_array_equal(found, np.sort(values))
    np.testing.assert_array_equal(values[places.astype(int)], found)
    assert len(np.unique(places)) == N
    np.testing.assert_array_equal(values, given)


@given(hnp.arrays(np.float64, hst.integers(1, 40), elements=hst.floats(allow_nan=False)))
def test_any_floats(values: np.ndarray) -> None:
    np.testing.assert_array_equal(sorted_values(values), np.sort(values))


@pytest.mark.parametrize("bad", [math.nan, -math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("n", [10, 5000])
def test_what_is_not_finite_is_found_at_the_ends(bad: float, n: int) -> None:
    values = RNG.normal(size=n)
    values[n // 3] = bad
    with pytest.raises(InvalidInput, match="must be finite"):
        otgan.wasserstein_1d(values, np.zeros(n))
    with pytest.raises(InvalidInput, match="must be finite"):
        otgan.wasserstein_1d(np.zeros(n), values)


@pytest.mark.parametrize("n", [1000, 3000])
def test_any_layout_in_memory(n: int) -> None:
    both = RNG.normal(size=(n, 2))
    assert otgan.wasserstein_1d(both[:, 0], both[::-1, 1]) == otgan.wasserstein_1d(both[:, 0].copy(), both[:, 1].copy())
    frozen = both[:, 0].copy()
    frozen.flags.writeable = False
    assert otgan.wasserstein_1d(frozen, frozen) == 0.0
