"""Critics judged by the truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.certificate import arcs
from otgan.costs import PointCost
from otgan.critics.repair import repaired_bound
from otgan.errors import InvalidInput
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.critics.critic import Critic
    from otgan.critics.fit import CriticFit

__all__ = ["CriticReport", "report"]

ALONG = (0.1, 0.3, 0.5, 0.7, 0.9)  # where gradients are taken on the way from y_j to x_i


@dataclass(frozen=True)
class CriticReport:
    """How far critics are from the truth. Means over seeds where nothing else is said.

    Attributes
    ----------
    method : str
    truth : {"sample", "population"}
        What ``exact`` is: the exact W1 of the same points, or of the distributions.
    exact : float
    estimate, stderr : float, float or None
        ``E f(x) - E f(y)``, and its standard error over seeds (None for one seed).
    n_seeds : int
    relative_error : float
        ``estimate / exact - 1``, signed; NaN where ``exact`` is 0.
    corrected : float or None
        The estimate with the method's known bias removed.
    lipschitz_observed : float
        Largest slope seen on the data; the true constant is at least this.
    lipschitz_certified : float or None
        Proven upper bound on the constant: the largest over seeds.
    normalised : float
        Estimate divided by the observed constant: what a 1-Lipschitz critic of this shape would report.
    lower_bound : float
        What the best critic proves about ``exact`` after repair: never above it.
    cosine : float
        Mass-weighted mean cosine between the critic's gradient and the transport direction, along the exact plan
        (Gulrajani et al. 2017, proposition 1: the optimal critic has 1).
    gradient_norm : float
        Mass-weighted mean norm of the gradient there (the optimal critic has 1).
    held_out : float or None
        The estimate on points that were not trained on.
    steps : int
    seconds : float
        Training time of all seeds.
    """

    method: str
    truth: str
    exact: float
    estimate: float
    stderr: float | None
    n_seeds: int
    relative_error: float
    corrected: float | None
    lipschitz_observed: float
    lipschitz_certified: float | None
    normalised: float
    lower_bound: float
    cosine: float
    gradient_norm: float
    held_out: float | None
    steps: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


def report(fit: CriticFit, truth: Solution) -> CriticReport:
    """See :meth:`otgan.critics.CriticFit.compare`."""
    cost = _euclidean(truth, fit.critic.dimension)
    alignment = [_along_plan(critic, truth) for critic in fit.critics]
    lipschitz = [critic.lipschitz(cost.x, cost.y) for critic in fit.critics]
    certified = [bound.certified for bound in lipschitz if bound.certified is not None]
    observed = np.array([bound.observed for bound in lipschitz])
    exact = truth.value
    return CriticReport(
        method=fit.method,
        truth="sample",
        exact=exact,
        estimate=fit.estimate,
        stderr=fit.stderr,
        n_seeds=fit.n_seeds,
        relative_error=fit.estimate / exact - 1 if exact else float("nan"),
        corrected=fit.corrected,
        lipschitz_observed=float(observed.mean()),
        lipschitz_certified=max(certified) if len(certified) == fit.n_seeds else None,
        normalised=float(np.divide(fit.estimates, observed, out=np.zeros_like(observed), where=observed > 0).mean()),
        lower_bound=max(repaired_bound(truth.problem, critic(cost.x), -critic(cost.y)) for critic in fit.critics),
        cosine=float(np.mean([cosine for cosine, _ in alignment])),
        gradient_norm=float(np.mean([norm for _, norm in alignment])),
        held_out=fit.held_out,
        steps=fit.steps,
        seconds=fit.seconds,
    )


def _euclidean(truth: Any, dimension: int) -> PointCost:
    if not isinstance(truth, Solution):
        raise InvalidInput(f"truth must be a Solution of otgan.solve(x, y), but a {type(truth).__name__} came.")
    cost = truth.problem.cost
    if not isinstance(cost, PointCost) or cost.metric != "euclidean" or cost.p != 1:
        raise InvalidInput("a critic estimates W1: truth must be otgan.solve(x, y, p=1) with the Euclidean metric.")
    if cost.dimension != dimension:
        raise InvalidInput(f"truth must be between points of {dimension} columns, but they have {cost.dimension}.")
    return cost


def _along_plan(critic: Critic, truth: Solution) -> tuple[float, float]:
    """Mass-weighted mean cosine and norm of the critic's gradient on the segments of the exact plan.

    The critic is high on x, so its gradient should point from y_j to x_i.
    """
    cost = _euclidean(truth, critic.dimension)
    row, col, mass = arcs(truth.plan)
    difference = cost.x[row] - cost.y[col]
    length = np.linalg.norm(difference, axis=1)
    moved = length > 0
    if not moved.any():
        return float("nan"), float("nan")
    start, direction = cost.y[col[moved]], difference[moved] / length[moved, None]
    share = mass[moved] / mass[moved].sum()
    cosines, norms = zip(
        *(_alignment(critic.gradient(start + t * difference[moved]), direction) for t in ALONG), strict=True
    )
    return float(share @ np.mean(cosines, axis=0)), float(share @ np.mean(norms, axis=0))


def _alignment(
    gradient: NDArray[np.float64], direction: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosine to the direction (0 where the gradient vanishes), and norm."""
    norm = np.linalg.norm(gradient, axis=1)
    along = np.einsum("kd,kd->k", gradient, direction)
    return np.divide(along, norm, out=np.zeros_like(along), where=norm > 0), norm
