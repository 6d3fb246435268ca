"""The radix sort: against NumPy's, on data that are hard for one or another of its digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst
from hypothesis.extra import numpy as hnp
from scipy.stats import wasserstein_distance

import otgan
from otgan.errors import InvalidInput
from otgan.kernels.sort import sorted_values, sorted_with_masses
from otgan.line import rows

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


@pytest.mark.parametrize("case", ["normal", "ties", "one value", "both zeros", "narrow", "descending"])
@pytest.mark.parametrize("p", [1, 2, 2.5, math.inf])
def test_no_bit_of_a_distance_depends_on_which_sort_is_faster(
    case: str, p: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = CASES[case]
    y = RNG.permutation(x)[: N - 500] * 0.9 + 0.01
    weights = RNG.dirichlet(np.ones(N))
    batch = x.reshape(5, -1)
    found = []
    for faster in (True, False):
        monkeypatch.setattr(rows, "radix_is_faster", lambda faster=faster: faster)
        found.append(
            [
                otgan.wasserstein_1d(x, 0.9 * x[::-1] + 0.01, p),
                otgan.wasserstein_1d(x, y, p),
                otgan.wasserstein_1d(x, y, p, a=weights),
                *otgan.wasserstein_1d(batch, batch[::-1], p),
                *otgan.wasserstein_1d(batch, y, p),
            ]
        )
    assert found[0] == found[1]
    if p == 1:
        assert found[0][1:3] == pytest.approx([wasserstein_distance(x, y), wasserstein_distance(x, y, weights)])


def test_the_faster_sort_is_looked_for_once() -> None:
    assert rows.by_digits(rows.RADIX_FROM) == rows.radix_is_faster()
    assert rows.radix_is_faster.cache_info().misses == 1
    assert not rows.by_digits(rows.RADIX_FROM - 1)
