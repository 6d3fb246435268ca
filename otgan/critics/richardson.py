"""Richardson extrapolation of a penalised critic's estimate to an infinite penalty weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from otgan import inputs
from otgan.critics.fit import fit
from otgan.critics.methods import METHODS
from otgan.critics.methods.penalty import GradientPenalty
from otgan.critics.result import CriticFit
from otgan.errors import InvalidInput

__all__ = ["Richardson", "richardson"]


@dataclass(frozen=True, eq=False)
class Richardson:
    """Two fits with penalty weights lambda and 2 lambda, extrapolated to an infinite one.

    Attributes
    ----------
    single, double : CriticFit
        With lambda and with 2 lambda.
    """

    single: CriticFit
    double: CriticFit

    @property
    def estimate(self) -> float:
        """``2 W(2 lambda) - W(lambda)``: what is left has no term of first order in 1 / lambda."""
        return 2 * self.double.estimate - self.single.estimate


def richardson(x: Any, y: Any, method: str = "gp", *, gp_weight: float | None = None, **arguments: Any) -> Richardson:
    """Train at two penalty weights and extrapolate the estimate to an infinite one.

    A penalised critic reports ``W + c / lambda + ...``: for mass moved along one ray ``c = W^2 / 2`` (Milne & Nachman
    2022), in general unknown. Two weights are enough to take that term out, whatever c is.

    Parameters
    ----------
    x, y : array_like or sampler
        As for :func:`otgan.critics.fit`.
    method : {"gp", "lp"}, default "gp"
    gp_weight : float, optional
        lambda; the method's default if None.
    **arguments
        Anything else that :func:`otgan.critics.fit` takes.

    Returns
    -------
    Richardson

    Raises
    ------
    InvalidInput
        For a method without a penalty weight, and as :func:`otgan.critics.fit`.

    Examples
    --------
    >>> import numpy as np, otgan
    >>> x, y = np.full((1, 8), 1.0), np.zeros((1, 8))
    >>> result = otgan.critics.richardson(x, y, steps=50, width=16, learning_rate=1e-2)
    >>> result.estimate == 2 * result.double.estimate - result.single.estimate
    True
    """
    chosen = METHODS[inputs.choice(method, "method", tuple(METHODS))]
    if not issubclass(chosen, GradientPenalty):
        raise InvalidInput(f"richardson needs a method with a gp_weight, 'gp' or 'lp', but {method!r} came.")
    weight = chosen.gp_weight if gp_weight is None else inputs.real(gp_weight, "gp_weight", low=0.0, open_low=True)
    return Richardson(*(fit(x, y, method, gp_weight=factor * weight, **arguments) for factor in (1.0, 2.0)))
