"""Confidence bounds on W1 from below and from above, each a mean with a standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan.population.critics import Fitting
from otgan.population.result import Bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from otgan.solution import Solution

    Array = NDArray[np.float64]
    Function = Callable[[Array], Array]
    Train = Callable[[Array, Array], Function]

__all__ = ["from_above", "from_below"]

CHOICE_POINTS = 2000  # points of each side at most that the choice between functions looks at
FIRST_SHARE = 1 / 3  # of the points only serve to fit
JUDGE_SHARE = 1 / 3  # of these are held out from the fits that it compares
GIVEN = "the critic given"
ONE_POINT = "all points are one: nothing shows how far away mass may lie that was not drawn"


@dataclass(frozen=True)
class DifferenceOfMeans:
    """A difference of two means (or an average of such), with Welch's standard error and degrees of freedom."""

    estimate: float
    variances: tuple[float, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, left: Array, right: Array) -> DifferenceOfMeans:
        """``mean(left) - mean(right)`` of independent values, two or more each."""
        variances = (float(left.var(ddof=1)) / len(left), float(right.var(ddof=1)) / len(right))
        return cls(float(left.mean() - right.mean()), variances, (len(left), len(right)))

    @classmethod
    def average(cls, means: list[DifferenceOfMeans]) -> DifferenceOfMeans:
        """The average, the sum of whose variances is that of independent ones."""
        variances = tuple(v / len(means) ** 2 for mean in means for v in mean.variances)
        sizes = tuple(size for mean in means for size in mean.sizes)
        return cls(math.fsum(mean.estimate for mean in means) / len(means), variances, sizes)

    @property
    def stderr(self) -> float:
        """Standard error of the estimate."""
        return math.sqrt(math.fsum(self.variances))

    def margin(self, level: float) -> float:
        """What the estimate is within of its expectation on one side with probability ``level`` (Welch 1947)."""
        from scipy.special import stdtrit

        if self.stderr == 0:
            return 0.0
        shares = [v / math.fsum(self.variances) for v in self.variances]
        freedom = 1 / math.fsum(share**2 / (size - 1) for share, size in zip(shares, self.sizes, strict=True))
        return float(stdtrit(freedom, level)) * self.stderr


def missed(scale: float, size: int, level: float) -> float:
    """The most that a mean may be off by for an event that moves it by ``scale`` and that none of the draws shows.

    Of an event of probability p, ``size`` draws show nothing with probability ``(1 - p) ** size``, which is below
    ``1 - level`` from ``p = -log(1 - level) / size`` on: the rule of three (Hanley & Lippman-Hand 1983) at any level.
    """
    return scale * -math.log1p(-level) / size


def from_above(
    x: Array, y: Array, solution: Solution, functions: list[Function], level: float, diameter: float | None
) -> Bound:
    """The exact distance of the samples, as a bound from above on that of their distributions.

    Let f be an optimal critic of the distributions. The distance of the samples is at least the difference of the means
    of f over them, which is an ordinary mean with expectation W1. So the distance plus the margin of that mean is above
    W1 with the same probability, and where the samples overfit with more.

    As f is not known, the variance of the samples' own potentials stands for its variance (they are the Efron-Stein
    estimate of the variance of the distance itself, del Barrio & Loubes 2019). Where the distributions nearly agree, f
    may vary more than those, so every other 1-Lipschitz function at hand also has its own mean and margin looked at,
    and the largest sum counts: if one of them is optimal, its sum is above W1 with the probability asked for.

    The variance of the samples says nothing about events that were not drawn. So no margin is less than that of an
    event that is missed with the probability left, and that moves a point by the diameter, or if that is not known by
    all that the function varies over both samples. Without a diameter, mass further out than any point is not accounted
    for. Where all points are one there is no such scale, and no bound.
    """
    if diameter is None and not (np.ptp(np.vstack([x, y]), axis=0) > 0).any():
        return Bound(solution.upper, 0.0, math.inf, ONE_POINT)
    size = min(len(x), len(y))

    def bound(high: Array, low: Array, estimate: float | None, how: str) -> Bound:
        mean = DifferenceOfMeans.of(high, low)
        scale = float(np.ptp(np.concatenate([high, low]))) if diameter is None else diameter
        margin = max(mean.margin(level), missed(scale, size, level))
        return Bound(mean.estimate if estimate is None else estimate, mean.stderr, margin, how)

    found = [bound(solution.f, -solution.g, solution.upper, "exact distance of the samples")]
    found += [bound(function(x), function(y), None, "a function close to the exact distance") for function in functions]
    return max(found, key=lambda one: one.estimate + one.margin)


def from_below(
    x: Array,
    y: Array,
    level: float,
    folds: int,
    critic: Function | None,
    rng: np.random.Generator,
    train: Train | None = None,
) -> tuple[Bound, list[Function]]:
    """Means of 1-Lipschitz functions over points that they were not fitted to, and these functions.

    The first part of the points only serves to fit. Each later part is judged once, by a function fitted to all before
    it, whose means over the part differ by at most W1 in expectation, whatever the function, by Kantorovich-Rubinstein
    duality. Given what came before, the errors of a part are those of two ordinary means: a martingale, so that the
    parts' variances add up and the average is asymptotically normal (Hall & Heyde 1980, section 3.2).

    Cross-validation, which holds out every part from all others, lets each function see the points that the others are
    judged on. Its variances only add up for functions that are stable (Bayle, Bayle, Janson & Mackey 2020), and these
    are not: between clusters of equal masses the potentials jump with the sign of a difference of counts. On the shells
    of the benchmark its standard deviation was 1.4 times the claimed one.

    As from above, no margin is less than that of an event that is missed with the probability left: one that takes a
    point of x to the lowest value seen, or one of y to the highest. Further out nothing can lie: cut off at the values
    seen, a function is still 1-Lipschitz.
    """
    parts_x, parts_y = (_parts(points, folds, rng) for points in (x, y))
    means, chosen, functions, scale = [], [], [], 0.0
    for k in range(1, folds + 1):
        training = np.vstack(parts_x[:k]), np.vstack(parts_y[:k])
        name, function = _fitted(*training, level, min(len(x), len(y)), critic, rng, train)
        high, low = function(parts_x[k]), function(parts_y[k])
        means.append(DifferenceOfMeans.of(high, low))
        seen = np.concatenate([high, low])
        scale = max(scale, float(high.mean() - seen.min()), float(seen.max() - low.mean()))
        chosen.append(name)
        functions.append(function)
    mean = DifferenceOfMeans.average(means)
    how = "; ".join(dict.fromkeys(chosen))
    size = min(sum(map(len, parts[1:])) for parts in (parts_x, parts_y))
    margin = max(mean.margin(level), missed(scale, size, level))
    return Bound(mean.estimate, mean.stderr, margin, how), functions


def _parts(points: Array, folds: int, rng: np.random.Generator) -> list[Array]:
    """Points in random order: those only fitted to, and ``folds`` parts to judge on."""
    shuffled = points[rng.permutation(len(points))]
    first = round(FIRST_SHARE * len(points))
    return [shuffled[:first], *np.array_split(shuffled[first:], folds)]


def _fitted(
    x: Array,
    y: Array,
    level: float,
    size: int,
    critic: Function | None,
    rng: np.random.Generator,
    train: Train | None,
) -> tuple[str, Function]:
    """The most promising function, fitted to x and y: chosen by what those fitted to most of them give on the rest."""
    (fit_x, judge_x), (fit_y, judge_y) = (_split(points, rng) for points in (x, y))
    trial = Fitting(fit_x, fit_y, rng, train)
    functions = {name: trial.fit(name) for name in trial.names()}
    if critic is not None:
        functions[GIVEN] = critic
    shrink = math.sqrt(min(len(judge_x), len(judge_y)) / size)  # from the judges' standard errors to those in the end

    def promise(name: str) -> float:
        mean = DifferenceOfMeans.of(functions[name](judge_x), functions[name](judge_y))
        return mean.estimate - shrink * mean.margin(level)

    best = max(functions, key=promise)
    if critic is not None and best == GIVEN:
        return best, critic
    return best, Fitting(x, y, rng, train).fit(best)


def _split(points: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points to fit to, and points to judge by."""
    some = rng.permutation(len(points))[:CHOICE_POINTS]
    cut = max(2, round(JUDGE_SHARE * len(some)))
    return points[some[cut:]], points[some[:cut]]
