"""Transport problems between drawn clouds with drawn weights."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from otgan.metric import METRICS
from otgan.testing.strategies.clouds import CLOUDS, cloud_of_kind, one_of_these, sizes
from otgan.testing.strategies.masses import KNOWN_MASSES, MASSES, mass_of_kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

__all__ = ["ORDERS", "TransportProblem", "problems"]

ORDERS = (1.0, 2.0, 1.5, 3.0)  # powers p of the distance


@dataclass(frozen=True, eq=False, repr=False)
class TransportProblem:
    """Two weighted point clouds and the cost between them, ``metric(x_i, y_j) ** p``.

    Attributes
    ----------
    x : (n, d) ndarray of float64
    y : (m, d) ndarray of float64
    a : (n,) ndarray of float64
    b : (m,) ndarray of float64
        Non-negative, each with total 1.
    p : float
    metric : {"euclidean", "cityblock", "chebyshev"}

    Examples
    --------
    >>> import numpy as np
    >>> half = np.array([0.5, 0.5])
    >>> TransportProblem(np.array([[0.0], [1.0]]), np.array([[2.0], [4.0]]), half, half, 2.0, "euclidean").costs()
    array([[ 4., 16.],
           [ 1.,  9.]])
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    p: float
    metric: str

    def __repr__(self) -> str:
        """In a line: sizes for arrays."""
        shown = [
            f"{name}=<{value.shape}>" if isinstance(value, np.ndarray) else f"{name}={value!r}"
            for name, value in self._items()
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """As Hypothesis shows a failing example, once: so that it can be pasted, with every digit."""
        with printer.group(4, f"{type(self).__name__}("):
            for name, value in self._items():
                printer.break_()
                exact = f"np.array({value.tolist()})" if isinstance(value, np.ndarray) else repr(value)
                printer.text(f"{name}={exact},")
        printer.break_()
        printer.text(")")

    def _items(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def costs(self) -> NDArray[np.float64]:
        """All costs, shape (n, m), for solvers that want a matrix."""
        return pair_costs(self.x, self.y, self.p, self.metric)


def pair_costs(x: NDArray[np.float64], y: NDArray[np.float64], p: float, metric: str) -> NDArray[np.float64]:
    """``metric(x_i, y_j) ** p`` for all pairs, shape (n, m), straight from the definition."""
    return METRICS[metric].costs(x[:, None, :] - y[None, :, :], p)


def problems(
    n: int | SearchStrategy[int] | None = None,
    m: int | SearchStrategy[int] | None = None,
    dim: int | SearchStrategy[int] | None = None,
    *,
    p: float | Collection[float] = ORDERS,
    metric: str | Collection[str] = tuple(METRICS),
    kinds: Collection[str] = CLOUDS,
    masses: Collection[str] = MASSES,
) -> SearchStrategy[TransportProblem]:
    """Transport problems, without their answers.

    Both clouds are of one kind, so that they are of one scale.

    Parameters
    ----------
    n, m : int or strategy of int, optional
        Numbers of points; 1 to 12 each if None.
    dim : int or strategy of int, optional
        Number of coordinates; 1 to 4 if None.
    p : float or collection of float, optional
        Orders to draw from; 1, 2, 1.5 and 3 if not given.
    metric : str or collection of str, optional
        Metrics to draw from; all three if not given.
    kinds : collection of str, optional
        Kinds of clouds, see :func:`point_clouds`.
    masses : collection of str, optional
        Kinds of weights, see :func:`weights`; :data:`MASSES` if not given.

    Returns
    -------
    SearchStrategy
        Of :class:`TransportProblem`.

    Raises
    ------
    InvalidInput
        If a name is unknown, or a size or an order is out of range.

    Examples
    --------
    >>> import otgan
    >>> from hypothesis import given, settings
    >>> @settings(deadline=None)
    ... @given(problems(p=1, dim=2))
    ... def check(problem):
    ...     distance = otgan.wasserstein(problem.x, problem.y, a=problem.a, b=problem.b, metric=problem.metric)
    ...     assert distance >= 0
    >>> check()
    """
    rows = st.integers(1, 12) if n is None else sizes(n, "n")
    cols = st.integers(1, 12) if m is None else sizes(m, "m")
    dims = st.integers(1, 4) if dim is None else sizes(dim, "dim")
    orders, metrics = checked_orders(p), checked_metrics(metric)
    clouds, weighings = one_of_these(kinds, CLOUDS, "kinds"), one_of_these(masses, KNOWN_MASSES, "masses")

    @st.composite
    def drawn(draw: DrawFn) -> TransportProblem:
        d, kind = draw(dims), draw(st.sampled_from(clouds))
        x, _ = cloud_of_kind(draw, kind, draw(rows), d)
        y, _ = cloud_of_kind(draw, kind, draw(cols), d)
        a = mass_of_kind(draw, draw(st.sampled_from(weighings)), len(x))
        b = mass_of_kind(draw, draw(st.sampled_from(weighings)), len(y))
        return TransportProblem(x, y, a, b, draw(st.sampled_from(orders)), draw(st.sampled_from(metrics)))

    return drawn()


def checked_orders(p: float | Collection[float]) -> tuple[float, ...]:
    """The orders to draw from, as floats."""
    from otgan.inputs import exponent

    given = (p,) if isinstance(p, int | float) else tuple(p)
    return tuple(exponent(each) for each in given)


def checked_metrics(metric: str | Collection[str]) -> tuple[str, ...]:
    """The metrics to draw from."""
    return one_of_these((metric,) if isinstance(metric, str) else metric, tuple(METRICS), "metric")
