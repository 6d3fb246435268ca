"""Solutions on the line, whose value is proven by the order of the points; the rest is made when it is asked for.

The proof is the docstring of :mod:`otgan.exact.line`. Plan and potentials take more than fifty times
as long as the value.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from otgan.metric import EPS
from otgan.problem import Problem
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["OrderedSolution", "PointsOnTheLine"]

ROUNDINGS = 6  # that a value may be off by beside those of its powers, in units of EPS; twice as many as there are
LATER = ("problem", "moves", "f", "g", "certificate", "stats")  # fields that are made when they are asked for


class PointsOnTheLine(NamedTuple):
    """What has been solved, checked before: points x (n,) and y (m,), weights or None, and the options."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    p: float
    a: NDArray[np.float64] | None
    b: NDArray[np.float64] | None
    metric: str
    rtol: float


class OrderedSolution(Solution):
    """A :class:`Solution` that knows its value and bounds, and finds everything else when that is asked for.

    ``lower``, ``upper`` and ``gap`` are what order proves. ``certificate`` is what the plan and the potentials prove,
    as for every other solver: its bounds may be wider.
    """

    given: PointsOnTheLine
    seconds: float

    @classmethod
    def of(cls, given: PointsOnTheLine, value: float, seconds: float) -> OrderedSolution:
        """The solution of this value, which took so long."""
        off = value * _relative_error(given)
        solution = object.__new__(cls)
        vars(solution).update(
            given=given,
            seconds=seconds,
            value=value,
            bounds=(value - off, value + off),
            status=Status.OPTIMAL,
            method="line",
        )
        return solution

    def __getattr__(self, name: str) -> Any:
        """A part that is not there yet."""
        if name not in LATER or "given" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        vars(self).update(self._problem() if name == "problem" else self._proof())
        return vars(self)[name]

    def _problem(self) -> dict[str, Any]:
        x, y, p, a, b = self.given.x, self.given.y, self.given.p, self.given.a, self.given.b
        return {"problem": Problem.from_points(x, y, p, a=a, b=b, metric=self.given.metric)}

    def _proof(self) -> dict[str, Any]:
        from otgan.exact import line

        start = time.perf_counter()
        found = line.solve(self.problem, rtol=self.given.rtol)
        stats = {**found.stats, "seconds": self.seconds + time.perf_counter() - start}
        return {"moves": found.moves, "f": found.f, "g": found.g, "certificate": found.certificate, "stats": stats}

    @property
    def _bounds(self) -> tuple[float, float]:
        """What order proves; what the certificate does, of a copy in which a field was replaced."""
        return vars(self).get("bounds") or (self.certificate.lower, self.certificate.upper)

    @property
    def lower(self) -> float:
        """Proven lower bound on the optimal cost, for the masses that the weights are exactly."""
        return self._bounds[0]

    @property
    def upper(self) -> float:
        """Proven upper bound on the optimal cost, for the masses that the weights are exactly."""
        return self._bounds[1]

    @property
    def gap(self) -> float:
        """``(upper - lower) / upper``, 0 if both are 0."""
        lower, upper = self._bounds
        return (upper - lower) / upper if upper else 0.0

    @property
    def distance(self) -> float:
        """``value ** (1 / p)``, the Wasserstein distance where the total mass is 1."""
        p = self.given.p if "given" in vars(self) else self.problem.p
        return self.value if p == 1 else self.value ** (1.0 / p)


def _relative_error(given: PointsOnTheLine) -> float:
    """How far the value may be from the truth, as a share of it: see :mod:`otgan.exact.line`."""
    return (given.p + ROUNDINGS) * EPS + ((len(given.x) + len(given.y)) * EPS) ** 2
