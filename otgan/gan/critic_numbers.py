"""What a critic says of two samples, and what it proves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan.critics.repair import constant_bound, repaired_bound
from otgan.gan.objectives import Objective, Wasserstein
from otgan.gan.run import NotFinite
from otgan.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["MeasuredCritic"]


@dataclass(frozen=True)
class MeasuredCritic:
    """A critic as a function of points, and what its values are for.

    Attributes
    ----------
    values : callable
        From points (k, d) to the critic's values (k,), both float64.
    objective : Objective
        Turns values into an estimate; by default that of W1, ``E f(x) - E f(y)``.
    scale : float
        A distance in the units of the points, divided by the same distance as the critic sees it.
    """

    values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    objective: Objective = field(default_factory=Wasserstein)
    scale: float = 1.0

    def measure(
        self, real: NDArray[np.float64], trained_on: NDArray[np.float64] | None, generated: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Estimates on held-out samples (n, d) and, where there are any, trained-on ones; and what is proven.

        Raises
        ------
        NotFinite
            If a value is not finite.
        """
        f_real, f_fake = self._finite(real), self._finite(generated)
        estimate = self._estimate(f_real, f_fake)
        corrected = self.objective.corrected(estimate)
        problem = Problem.from_points(real, generated, 1)
        on_trained = None if trained_on is None else self._estimate(self._finite(trained_on), f_fake) * self._unit
        return {
            "critic": estimate * self._unit,
            "critic_trained_on": on_trained,
            "critic_estimates": self.objective.estimates,
            "critic_corrected": None if corrected is None else corrected * self._unit,
            "lower_bound": repaired_bound(problem, f_real, -f_fake),
            "constant_bound": constant_bound(problem),
        }

    @property
    def _unit(self) -> float:
        """What an estimate is multiplied by: divergences have no units."""
        return self.scale if self.objective.estimates == "W1" else 1.0

    def _estimate(self, f_real: NDArray[np.float64], f_fake: NDArray[np.float64]) -> float:
        return self.objective.estimate(torch.from_numpy(f_real), torch.from_numpy(f_fake))

    def _finite(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        found = self.values(points)
        if not np.isfinite(found).all():
            raise NotFinite("the critic's values are not finite.")
        return found
