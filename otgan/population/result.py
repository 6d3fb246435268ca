"""Results of a population interval: the interval, and how each bound was found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bound", "PopulationInterval"]


@dataclass(frozen=True)
class Bound:
    """A one-sided confidence bound: an estimate, and how far the bound lies beyond it.

    Attributes
    ----------
    estimate : float
        Its expectation is on the safe side of W1: at most W1 for the lower bound, at least W1 for the upper.
    stderr : float
        Standard error of the estimate.
    margin : float
        A quantile of Student's t times ``stderr``, or what an event may add that none of the draws shows, if that is
        more; infinite where all points are one.
    how : str
        Where the estimate comes from.
    """

    estimate: float
    stderr: float
    margin: float
    how: str


@dataclass(frozen=True)
class PopulationInterval:
    """A confidence interval for W1 between two distributions.

    Attributes
    ----------
    lower, upper : float
        The interval, not below 0; units of the data. ``upper`` is infinite where all points are one. ``lower`` above
        ``upper`` is not hidden, see :attr:`is_consistent`.
    confidence : float
        The nominal probability with which such an interval holds W1; half of the rest is left to either side. It is
        reached up to the normal approximation, and if no mass lies beyond the points drawn, or a diameter was given.
    below : Bound
        Held-out mean of 1-Lipschitz functions; ``lower`` is ``below.estimate - below.margin``, or 0.
    above : Bound
        Exact distance of the samples; ``upper`` is ``above.estimate + above.margin``.
    sizes : (int, int)
        Points of x and y.
    """

    lower: float
    upper: float
    confidence: float
    below: Bound
    above: Bound
    sizes: tuple[int, int]

    @property
    def width(self) -> float:
        """``upper - lower``."""
        return self.upper - self.lower

    @property
    def is_consistent(self) -> bool:
        """Whether the lower bound is at most the upper one.

        If not, one of them is wrong, as happens by chance in a share ``1 - confidence`` of all samples at most: or the
        points are not independent draws.
        """
        return self.lower <= self.upper

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def __repr__(self) -> str:
        n, m = self.sizes
        contradiction = "" if self.is_consistent else "a contradiction, "
        return (
            f"PopulationInterval([{self.lower:.4g}, {self.upper:.4g}], {contradiction}"
            f"nominal confidence={self.confidence:g}, n={n}, m={m}, "
            f"lower={self.below.estimate:.4g} - {self.below.margin:.2g} ({self.below.how}), "
            f"upper={self.above.estimate:.4g} + {self.above.margin:.2g} ({self.above.how}))"
        )
