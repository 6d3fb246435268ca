"""The confidence interval for W1 between two distributions, from a sample of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.errors import InvalidInput
from otgan.population.bounds import from_above, from_below
from otgan.population.critics import LINEAR, RTOL, Fitting
from otgan.population.given import checked, checked_training, spread_over
from otgan.population.result import PopulationInterval
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["population_interval"]

FEWEST = 4  # points of each side in a part that is held out


def population_interval(
    x: Any,
    y: Any,
    p: float = 1,
    confidence: float = 0.95,
    *,
    critic: Callable[[NDArray[np.float64]], Any] | None = None,
    lipschitz: float | None = None,
    train: Callable[[NDArray[np.float64], NDArray[np.float64]], Any] | None = None,
    diameter: float | None = None,
    folds: int = 4,
    seed: int = 0,
    progress: bool = False,
    device: Any = "cpu",
) -> PopulationInterval:
    """A nominal confidence interval for W1 between the two distributions that samples come from.

    The distance of two samples is not that of their distributions: in many dimensions it is far above it, however many
    points there are. So there are two bounds, from below and from above. Each holds with probability
    ``(1 + confidence) / 2``, nominally: up to what is said below.

    From below: no 1-Lipschitz function has means that differ by more than W1. Some are fitted to a part of the points
    (:mod:`otgan.population.critics`). The one with the highest expected bound is averaged over points that it was not
    fitted to.

    From above: the exact distance of the samples is at least the difference of the means of the optimal critic of the
    distributions, whose expectation is W1. No assumption on the dimension is needed. Without one, no method is much
    better: W1 cannot be estimated to more than about ``n ** (-1 / d)`` (Niles-Weed & Rigollet 2022), and the width of
    the interval shows that.

    The points of each sample must be independent draws, and the samples independent of each other. Both margins are
    quantiles of Student's t, right up to the normal approximation of means of Lipschitz functions, and no less than the
    rule of three: n draws miss an event of probability ``-log((1 - confidence) / 2) / n`` with the probability that is
    left to a side, and it counts with the range of values seen. So a sample without spread has a margin. The data
    contain no information about mass that lies further out than any point drawn: with heavy tails, or rare far clusters
    that no point fell into, the upper bound is too low, unless ``diameter`` says how far away it may lie. Where all
    points of both samples are one point and none is given, there is no scale, and the upper bound is infinite.

    Parameters
    ----------
    x : (n, d) or (n,) array_like
        Draws of the first distribution; a 1-D array is n points on the line.
    y : (m, d) or (m,) array_like
        Draws of the second.
    p : float, default 1
        Only 1.
    confidence : float, default 0.95
        Between 0 and 1.
    critic : callable, optional
        From points (k, d) to k values, tried beside the functions that are fitted here: a network trained on *other*
        draws than x and y. High on x.
    lipschitz : float, optional
        A proven bound on its slope, in the Euclidean norm. Required with ``critic``, which is divided by it.
    train : callable, optional
        From parts of x and y, (k, d) and (l, d), to such a critic and its constant, ``(critic, lipschitz)``: a function
        more to fit, tried beside the others. :func:`otgan.critics.trainer` trains networks. It is called up to twice a
        fold, and never sees the points that its critic is averaged over.
    diameter : float, optional
        A proven bound on the distance of any two points that the distributions can give, such as the diagonal of the
        cube that images lie in. The upper bound then allows for clusters as far away that no point fell into.
    folds : int, default 4
        Parts that the points but the first third are split into, each judged by a function fitted to those before. Each
        costs some twelve transport problems of at most 1333 points, and one or two of all points before it.
    seed : int, default 0
        Of the parts, and of where k means start.
    progress : bool, default False
        Show the progress of the solve of the full samples on a terminal.
    device : str or torch.device, default "cpu"
        Where that prices all pairs, as for :func:`otgan.solve`.

    Returns
    -------
    PopulationInterval
        ``lower``, ``upper``, ``confidence``, and how each bound was found (``below``, ``above``).

    Raises
    ------
    InvalidInput
        For p other than 1, fewer than four points a part, a critic without its constant or with one that the data
        refute, a diameter that they refute, and data that :func:`otgan.solve` refuses.
    NotConverged
        If Ctrl-C ends the solve of the full samples.

    References
    ----------
    Niles-Weed & Rigollet, Estimation of Wasserstein distances in the spiked transport model (2022).
    Hanley & Lippman-Hand, If nothing goes wrong, is everything all right? (1983).
    Hall & Heyde, Martingale Limit Theory and its Application (1980).
    del Barrio & Loubes, Central limit theorems for empirical transportation cost in general dimension (2019).

    Examples
    --------
    >>> import numpy as np, otgan
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(400, 2)), rng.normal(size=(400, 2)) + [3, 0]
    >>> interval = otgan.population_interval(x, y)
    >>> 3.0 in interval, interval.width < 0.4
    (True, True)
    """
    if inputs.exponent(p, allow_inf=True) != 1:
        raise InvalidInput(f"p must be 1, but {p!r} came: only W1 is bounded by the means of Lipschitz functions.")
    confidence = inputs.real(confidence, "confidence", low=0.0, high=1 - 1e-9, open_low=True)
    folds, seed = inputs.count(folds, "folds", low=2), inputs.seed(seed)
    x, y = inputs.points(x, "x"), inputs.points(frames.aligned(x, y), "y")
    inputs.same_dimension(x, y)
    for name, points in (("x", x), ("y", y)):
        if len(points) < FEWEST * folds:
            raise InvalidInput(
                f"{name} must hold at least {FEWEST} points for each of folds = {folds}, {FEWEST * folds} in all, but "
                f"holds {len(points)}."
            )
    function, training = checked(critic, lipschitz, x, y), checked_training(train)
    diameter = spread_over(diameter, x, y)
    level, rng = 0.5 + confidence / 2, np.random.default_rng(seed)
    solution = solve(x, y, rtol=RTOL, progress=progress, device=device)
    below, functions = from_below(x, y, level, folds, function, rng, training)
    above = from_above(x, y, solution, [Fitting(x, y, rng).fit(LINEAR), *functions], level, diameter)
    lower, upper = max(0.0, below.estimate - below.margin), above.estimate + above.margin
    return PopulationInterval(lower, upper, confidence, below, above, (len(x), len(y)))
