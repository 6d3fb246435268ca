"""Judge critics that were not trained here by the exact distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from otgan.costs import PointCost
from otgan.critics.fit import EVALUATION, held_out_points
from otgan.critics.given import as_seen, critic_name, given_critics
from otgan.critics.methods.method import Method
from otgan.critics.result import CriticFit, with_estimates
from otgan.errors import InvalidInput, OTError
from otgan.pairs import Pair
from otgan.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from otgan.critics.critic import Critic
    from otgan.critics.report import CriticReport

__all__ = ["judge"]

MOVED = 0.05  # of the distance: how far rounding may move the points that a critic is judged on
PAIR_SEED = 0  # of the points that critics are judged on where the truth is a pair of distributions


def judge(
    critic: Any,
    truth: Solution | Pair,
    *,
    shape: Sequence[int] | None = None,
    held_out: tuple[Any, Any] | None = None,
    device: Any = None,
) -> CriticReport:
    """Judge any critic by the exact solution of a sample, or by distributions whose W1 is known.

    The critic is left as it was: modules are copied, and of modules that a function calls the modes, buffers and
    tensors are put back, as is torch's random state. It is judged in evaluation mode. Points come in the units and in
    the order of ``truth``, float64 for networks in double precision, in half precision for such networks, else float32.

    Parameters
    ----------
    critic : torch.nn.Module, callable, exported program, or a sequence of these
        From a batch of tensors (k, d) or (k, ...) to (k,) or (k, 1): high on x, low on y. Of several, such as the
        seeds of one method, the report gives means and intervals. A :class:`~otgan.critics.Critic` or a
        :class:`~otgan.critics.CriticFit` is one too.
    truth : otgan.Solution or otgan.pairs.Pair
        ``otgan.solve(x, y)`` of points (n, d) and (m, d) with p = 1 and the Euclidean metric, or a pair.
    shape : sequence of int, optional
        One sample as the critic takes it, such as (1, 28, 28): points of 784 columns are reshaped to it.
    held_out : (x, y), optional
        Points that the critic was not trained on, to see what of its number is learnt by heart.
    device : torch.device or str, optional
        Where to call the critic; where its weights are if None, and for functions on the CPU.

    Returns
    -------
    CriticReport
        :meth:`~otgan.critics.CriticReport.explain` says it in plain sentences.

    Raises
    ------
    InvalidInput
        For a critic that does not take these points, or whose values or gradients there are not finite, and for
        another truth.

    Examples
    --------
    A critic that is twice too steep says twice the distance; repaired, it proves all of it:

    >>> import numpy as np, otgan
    >>> x, y = np.array([[3.0, 0.0], [4.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> report = otgan.critics.judge(lambda points: 2 * points[:, 0], otgan.solve(x, y))
    >>> report.exact, report.estimate, round(report.lower_bound, 9)
    (3.0, 6.0, 3.0)
    """
    if isinstance(critic, CriticFit):
        if held_out is not None or shape is not None:
            raise InvalidInput("a fit knows its held-out points and shapes. Leave held_out and shape out.")
        return critic.compare(truth)
    critics = list(critic) if isinstance(critic, list | tuple | nn.ModuleList) else [critic]
    if not critics:
        raise InvalidInput("critic must be a critic or several, but an empty list came.")
    x, y = _points(truth)
    held = None if held_out is None else held_out_points(held_out, x.shape[1])
    with given_critics(critics, x.shape[1], shape, device) as given:
        for one in given:
            _check_finite(one, x, y)
        fit = _as_fit(critic_name(critics[0]), given, x, y, held)
        try:
            report = fit.compare(truth)
        except RuntimeError as error:  # of torch, on the way back through the user's code
            if isinstance(error, OTError):
                raise
            raise InvalidInput(
                f"a critic must have gradients, but torch says: {error}. Pass a function of its values without a "
                "graph, lambda x: critic(x).detach()."
            ) from error
        for one in given:
            _check_told_apart(one, report.exact, x, y)
    if report.exact > 0 and not np.isfinite([report.cosine, report.gradient_norm]).all():
        raise InvalidInput(
            "a critic must have finite gradients where mass moves, but some are NaN or infinite. Its lower bound does "
            "not need them: pass a function of its values without a graph, lambda x: critic(x).detach()."
        )
    return report


def _points(truth: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of both sides: the truth's own, or some of a pair's."""
    if isinstance(truth, Pair):
        return truth.sample(EVALUATION, np.random.default_rng(PAIR_SEED))
    if not isinstance(truth, Solution) or not isinstance(truth.problem.cost, PointCost):
        raise InvalidInput(
            f"truth must be otgan.solve(x, y) or one of otgan.pairs, but a {type(truth).__name__} came"
            f"{' that is not between points' if isinstance(truth, Solution) else ''}."
        )
    return truth.problem.cost.x, truth.problem.cost.y


def _check_finite(critic: Critic, *sides: NDArray[np.float64]) -> None:
    wrong = sum(int((~np.isfinite(critic(side))).sum()) for side in sides)
    if wrong:
        raise InvalidInput(
            f"a critic must give finite numbers, but at {wrong} of {sum(map(len, sides))} points it gives NaN or inf. "
            "Train it again, or leave these points out of both."
        )


def _check_told_apart(critic: Critic, exact: float, *sides: NDArray[np.float64]) -> None:
    """Refuse points that the critic's numbers do not hold: what it says would be of others."""
    moved = max(float(np.linalg.norm(side - as_seen(critic, side), axis=1).mean()) for side in sides)
    if moved > MOVED * exact > 0:
        raise InvalidInput(
            f"a critic must see the points, but its numbers are so coarse that they move by {moved:.3g} on average, "
            f"where the distance is {exact:.3g}. Pass it in double precision, or solve for points nearer to the origin "
            "and to 1 in size."
        )


def _as_fit(
    name: str,
    critics: tuple[Critic, ...],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    held_out: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
) -> CriticFit:
    """The critics as if they had been trained on the points in no steps."""
    none = np.empty(0)
    untrained = CriticFit(
        method=name,
        options={},
        critics=critics,
        estimates=none,
        held_out_estimates=None,
        history={"step": none, "seconds": none, "estimate": np.empty((len(critics), 0))},
        x=x,
        y=y,
        steps=0,
        seconds=0.0,
        seed=PAIR_SEED,
        _method=Method(),
    )
    return with_estimates(untrained, held_out)
