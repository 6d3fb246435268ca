"""Compare critics with the exact solution of a sample, or with distributions whose W1 is known."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from otgan import inputs
from otgan.costs import PointCost
from otgan.critics.explain import explain
from otgan.critics.repair import constant_bound, critic_share, repaired_bound
from otgan.errors import InvalidInput
from otgan.exact.partial import PartialSolution
from otgan.pairs import Pair
from otgan.plan import arcs
from otgan.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from otgan.critics.choice import Choice
    from otgan.critics.critic import Critic
    from otgan.critics.result import CriticFit
    from otgan.problem import Problem

__all__ = ["CriticReport", "report"]

FRESH = 4096  # points of each side of a population that critics are judged on, as in Korotin et al. (2022)
BLOCKS = 8  # of so many points that an estimate is a mean over: the noise of one would hide what good critics lack
PAIRWISE = 1024  # of those, whose slopes are taken between all pairs
TINY = 1e-300  # keeps quotients of estimates finite where both are zero
FRESH_SEED = 5  # beside the seed of the fit, so that nothing is judged on points trained on
ALONG = (0.1, 0.3, 0.5, 0.7, 0.9)  # where gradients are taken on the way from y_j to x_i


@dataclass(frozen=True)
class CriticReport:
    """The comparison of critics with the truth. Numbers are means over seeds where nothing else is said.

    Attributes
    ----------
    method : str
    truth : {"sample", "population"}
        What ``exact`` is: the exact W1 of the same points, or of the distributions.
    exact, exact_stderr : float
        The truth, and its standard error: 0 for a sample and where a formula gives it.
    estimate, stderr : float, float or None
        The critics' number, ``sum a f(x) - sum b f(y)``, and its standard error over seeds (None for one seed): for a
        sample on the points and with the weights that ``exact`` is for, for a population on fresh points.
    n_seeds : int
    relative_error : float
        ``estimate / exact - 1``, signed; NaN where ``exact`` is 0.
    relative_error_interval : (float, float) or None
        95 % confidence interval over seeds (Student's t); None for one seed.
    corrected : float or None
        The estimate with the method's known bias removed.
    trend : float or None
        Relative change of the estimate while trained, from the last fifth of the training but one to the last: 0 where
        it has settled. None where fewer than ten estimates were recorded.
    lipschitz_observed : float
        Largest slope seen on the data; the true constant is at least this.
    lipschitz_certified : float or None
        Proven upper bound on the constant: the largest over seeds.
    normalised : float
        Estimate divided by the observed constant: what a 1-Lipschitz critic of this shape would report.
    lower_bound : float or None
        What the best critic proves about ``exact`` after repair: never above it. For a population ``E f(x) - E f(y)``
        over the certified constant, on fresh points: below ``exact`` up to sampling error. None without a certificate.
    constant_bound : float or None
        What a constant critic proves after the same repair: the part of the bound that needs no training. 0 for a
        population.
    critic_share : float or None
        ``(lower_bound - constant_bound) / (exact - constant_bound)``: the fraction of the distance that the constant
        leaves unproven and the critic proves. 1 is all of it, and below 0 the critic proves less than the constant.
        None where the constant leaves nothing.
    cosine : float
        Mean cosine between the critic's gradient and that of an optimal critic, the transport direction: along the
        exact plan, weighted by mass (Gulrajani et al. 2017, proposition 1), or at fresh points,
        ``pair.gradient_test_points``.
    cosine_interval : (float, float) or None
        95 % confidence interval over seeds (Student's t); None for one seed.
    gradient_l2 : float
        Mean squared distance of the two gradients there (an optimal critic has 0).
    gradient_norm : float
        Mean norm of the critic's gradient there (an optimal critic has 1).
    held_out : float or None
        The estimate on points that were not trained on, times the total mass of the truth.
    held_out_gap : float or None
        The estimate on the points trained on, minus ``held_out``.
    steps : int or None
        None for critics that were not trained by :func:`otgan.critics.fit`.
    seconds : float or None
        Training time of all seeds.
    seconds_to_5_percent : float or None
        After how long the mean estimate came within 5 % of ``exact`` to stay there; None if it never did, and where
        ``exact`` is for a sample of other points than the history of the training.
    uncertified : str or None
        What nothing is known of, a layer or an operation, where there is no ``lipschitz_certified``.
    choice : Choice or None
        Of the method "auto": what it chose, and what each candidate said in its trial.
    """

    method: str
    truth: str
    exact: float
    exact_stderr: float
    estimate: float
    stderr: float | None
    n_seeds: int
    relative_error: float
    relative_error_interval: tuple[float, float] | None
    corrected: float | None
    trend: float | None
    lipschitz_observed: float
    lipschitz_certified: float | None
    normalised: float
    lower_bound: float | None
    constant_bound: float | None
    critic_share: float | None
    cosine: float
    cosine_interval: tuple[float, float] | None
    gradient_l2: float
    gradient_norm: float
    held_out: float | None
    held_out_gap: float | None
    steps: int | None
    seconds: float | None
    seconds_to_5_percent: float | None
    uncertified: str | None = None
    choice: Choice | None = None

    def explain(self) -> str:
        """A few plain sentences on this very critic: how far its number is from the truth, and why.

        Examples
        --------
        >>> import numpy as np, otgan
        >>> x, y = np.full((4, 2), 3.0), np.zeros((4, 2))
        >>> report = otgan.critics.judge(lambda points: 2 * points[:, 0], otgan.solve(x, y))
        >>> print(report.explain())  # doctest: +ELLIPSIS
        Its number, 6.000, is 1.4 times the exact distance, 4.243. Its slope reaches 2 about these points; ...
        """
        return explain(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Judged:
    """What a report compares critics with.

    Attributes
    ----------
    truth : {"sample", "population"}
    exact, exact_stderr : float
    x, y : (n, d) and (m, d) ndarray
        The points judged on.
    problem : Problem or None
        Between them, where its distance is the truth.
    mass : float
        Their total mass.
    estimates : (n_seeds,) ndarray
        On those points, of that mass.
    slopes : callable
        The critics' mean gradient norms there, (n_seeds,).
    followed : bool
        Whether the history of the training is one of estimates of ``exact``.
    at : (k, d) ndarray
        Where gradients are compared.
    direction : (k, d) ndarray
        The optimal critic's unit gradients there.
    share : (k,) ndarray
        Their weights, which add to one; empty where nothing moves.
    """

    truth: str
    exact: float
    exact_stderr: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    problem: Problem | None
    mass: float
    estimates: NDArray[np.float64]
    slopes: Callable[[], NDArray[np.float64]]
    followed: bool
    at: NDArray[np.float64]
    direction: NDArray[np.float64]
    share: NDArray[np.float64]


def report(fit: CriticFit, truth: Solution | Pair) -> CriticReport:
    """See :meth:`otgan.critics.CriticFit.compare`."""
    judged = _by_pair(fit, truth) if isinstance(truth, Pair) else _by_solution(fit, truth)
    cosine, l2, norm = np.array([_alignment(critic, judged) for critic in fit.critics]).T
    few = PAIRWISE if judged.problem is None else None
    lipschitz = [critic.lipschitz(judged.x[:few], judged.y[:few]) for critic in fit.critics]
    certified = [bound.certified for bound in lipschitz if bound.certified is not None]
    observed = np.array([bound.observed for bound in lipschitz])
    exact, estimates, mass = judged.exact, judged.estimates, judged.mass
    corrected = fit.corrected_of(estimates / mass, judged.slopes)  # what is known of biases is for a mass of 1
    errors = estimates / exact - 1 if exact else np.full(len(estimates), np.nan)
    proven = _proven(fit, judged, certified)
    constant = 0.0 if judged.problem is None else constant_bound(judged.problem)
    return CriticReport(
        method=fit.method,
        truth=judged.truth,
        exact=exact,
        exact_stderr=judged.exact_stderr,
        estimate=float(estimates.mean()),
        stderr=_stderr(estimates),
        n_seeds=fit.n_seeds,
        relative_error=float(errors.mean()),
        relative_error_interval=_interval(errors),
        corrected=None if corrected is None else mass * corrected,
        trend=_trend(fit.history["estimate"]),
        lipschitz_observed=float(observed.mean()),
        lipschitz_certified=max(certified) if len(certified) == fit.n_seeds else None,
        normalised=float(np.divide(estimates, observed, out=np.zeros_like(observed), where=observed > 0).mean()),
        lower_bound=proven,
        constant_bound=constant,
        critic_share=critic_share(proven, constant, exact),
        cosine=float(cosine.mean()),
        cosine_interval=_interval(cosine),
        gradient_l2=float(l2.mean()),
        gradient_norm=float(norm.mean()),
        held_out=None if fit.held_out is None else mass * fit.held_out,
        held_out_gap=None if fit.held_out is None else mass * (fit.estimate - fit.held_out),
        steps=fit.steps or None,
        seconds=fit.seconds if fit.steps else None,
        seconds_to_5_percent=_seconds_within(fit.history, exact / mass, 0.05) if judged.followed else None,
        uncertified=next((bound.unknown for bound in lipschitz if bound.certified is None), None),
        choice=fit.choice,
    )


def _by_solution(fit: CriticFit, truth: Any) -> Judged:
    """By the exact plan of a sample: the critic is high on x, so its gradient should point from y_j to x_i."""
    cost = _euclidean(truth, fit.critic.dimension)
    row, col, mass = arcs(truth.plan)
    difference = cost.x[row] - cost.y[col]
    length = np.linalg.norm(difference, axis=1)
    moved = length > 0
    start, step = cost.y[col[moved]], difference[moved]
    at = np.concatenate([start + t * step for t in ALONG])
    share = np.tile(mass[moved] / mass[moved].sum() / len(ALONG), len(ALONG)) if moved.any() else np.empty(0)
    direction = np.tile(step / length[moved, None], (len(ALONG), 1))
    of_sample = _on_sample(fit, truth.problem, cost)
    return Judged("sample", truth.value, 0.0, cost.x, cost.y, truth.problem, *of_sample, at, direction, share)


def _on_sample(
    fit: CriticFit, problem: Problem, cost: PointCost
) -> tuple[float, NDArray[np.float64], Callable[[], NDArray[np.float64]], bool]:
    """``mass``, ``estimates``, ``slopes`` and ``followed`` of a problem between points."""
    x, y, a, b = cost.x, cost.y, problem.a, problem.b
    mass = problem.mass
    if problem.uniform and _same_points(x, fit.x) and _same_points(y, fit.y):
        return mass, mass * fit.estimates, lambda: fit.slopes, True

    def slopes() -> NDArray[np.float64]:
        shares = np.concatenate([len(side) * (side / inputs.total(side)) for side in (a, b)])
        return fit.slopes_on(np.vstack([x, y]), shares / len(shares))

    weights = (None, None) if problem.uniform else (a, b)
    return mass, mass * fit.estimates_on(x, y, a=weights[0], b=weights[1]), slopes, False


def _same_points(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two arrays hold the same rows, each as often, in any order."""
    if one.shape != other.shape or np.array_equal(one, other):
        return one.shape == other.shape
    return np.array_equal(one[np.lexsort(one.T)], other[np.lexsort(other.T)])


def _by_pair(fit: CriticFit, pair: Pair) -> Judged:
    """By distributions, on points that are fresh."""
    if pair.dimension != fit.critic.dimension:
        raise InvalidInput(f"truth must have {fit.critic.dimension} dimensions, as the critics, not {pair.dimension}.")
    rng = np.random.default_rng([fit.seed, FRESH_SEED])
    blocks = [pair.sample(FRESH, rng) for _ in range(BLOCKS)]
    estimates = np.mean([fit.estimates_on(*block) for block in blocks], axis=0)
    at = pair.gradient_test_points(FRESH, rng)
    direction = pair.gradient(at)
    moved = np.linalg.norm(direction, axis=1) > 0
    share = np.full(int(moved.sum()), 1 / max(1, int(moved.sum())))
    of_block = 1.0, estimates, lambda: fit.slopes_on(np.vstack(blocks[0])), True
    return Judged("population", *pair.w1, *blocks[0], None, *of_block, at[moved], direction[moved], share)


def _proven(fit: CriticFit, judged: Judged, certified: list[float]) -> float | None:
    """A lower bound on the truth: by repair for a sample, by the certified constants for a population."""
    if judged.problem is not None:
        problem = judged.problem
        return max(repaired_bound(problem, critic(judged.x), -critic(judged.y)) for critic in fit.critics)
    if len(certified) < fit.n_seeds:
        return None
    rises = [critic(judged.x).mean() - critic(judged.y).mean() for critic in fit.critics]
    return float(np.mean(np.array(rises) / np.maximum(certified, TINY)))


def _euclidean(truth: Any, dimension: int) -> PointCost:
    if not isinstance(truth, Solution):
        raise InvalidInput(
            f"truth must be a Solution of otgan.solve(x, y) or one of otgan.pairs, but a {type(truth).__name__} came."
        )
    cost = truth.problem.cost
    if not isinstance(cost, PointCost) or cost.metric != "euclidean" or cost.p != 1:
        raise InvalidInput("a critic estimates W1: truth must be otgan.solve(x, y, p=1) with the Euclidean metric.")
    if isinstance(truth, PartialSolution):
        raise InvalidInput("a critic estimates W1 of all of the mass: truth must be otgan.solve(x, y) without mass=.")
    if cost.dimension != dimension:
        raise InvalidInput(f"truth must be between points of {dimension} columns, but they have {cost.dimension}.")
    return cost


def _alignment(critic: Critic, judged: Judged) -> tuple[float, float, float]:
    """Mean cosine to the optimal gradient (0 where the critic's vanishes), squared distance from it, and norm."""
    if not len(judged.share):
        return float("nan"), float("nan"), float("nan")
    gradient = critic.gradient(judged.at)
    norm = np.linalg.norm(gradient, axis=1)
    along = np.einsum("kd,kd->k", gradient, judged.direction)
    cosine = np.divide(along, norm, out=np.zeros_like(along), where=norm > 0)
    apart = np.square(gradient - judged.direction).sum(axis=1)
    return float(judged.share @ cosine), float(judged.share @ apart), float(judged.share @ norm)


def _stderr(over_seeds: NDArray[np.float64]) -> float | None:
    n = len(over_seeds)
    return None if n == 1 else float(over_seeds.std(ddof=1) / math.sqrt(n))


def _interval(over_seeds: NDArray[np.float64]) -> tuple[float, float] | None:
    """Where the mean over all seeds lies with 95 % confidence, if seeds are normal."""
    stderr = _stderr(over_seeds)
    if stderr is None:
        return None
    reach = float(stdtrit(len(over_seeds) - 1, 0.975)) * stderr
    mean = float(over_seeds.mean())
    return mean - reach, mean + reach


def _trend(estimates: NDArray[np.float64]) -> float | None:
    """Relative change of the mean over seeds of estimates (n_seeds, k) between the last two fifths of the training."""
    fifth = estimates.shape[1] // 5
    if fifth < 2:
        return None
    before, last = estimates[:, -2 * fifth : -fifth].mean(), estimates[:, -fifth:].mean()
    return float((last - before) / max(abs(last), abs(before), TINY))


def _seconds_within(history: dict[str, Any], exact: float, share: float) -> float | None:
    """When the mean estimate came within a share of the truth for good."""
    outside = np.flatnonzero(~(np.abs(history["estimate"].mean(axis=0) - exact) <= share * exact))
    first = outside[-1] + 1 if len(outside) else 0
    return float(history["seconds"][first]) if first < len(history["seconds"]) else None
