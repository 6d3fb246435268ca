"""Checks of a caller's critic with its Lipschitz constant, and of the diameter of the space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.costs import PointCost
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Function = Callable[[Array], Array]
    Train = Callable[[Array, Array], Function]

__all__ = ["checked", "checked_training", "spread_over"]

ROUNDING = 1e-5  # of the values' range: critics compute in single precision


def checked(critic: Any, lipschitz: Any, x: Array, y: Array) -> Function | None:
    """``critic / lipschitz`` as a function (k, d) -> (k,), refused where the points themselves refute the constant.

    Raises
    ------
    InvalidInput
        If one of the two is missing, if the critic is no function or returns anything but k finite numbers, or if it
        rises faster between two of the points.
    """
    if critic is None and lipschitz is None:
        return None
    if not callable(critic):
        raise InvalidInput(f"critic must be a function from points (k, d) to values (k,), but {critic!r} came.")
    if lipschitz is None:
        raise InvalidInput("lipschitz must be given with critic: a proven bound on its slope, not the largest seen.")
    constant = inputs.real(lipschitz, "lipschitz", low=0.0, high=inputs.LARGEST, open_low=True)

    def scaled(points: Array) -> Array:
        values = inputs.real_array(critic(points), "critic(points)")
        if values.shape not in ((len(points),), (len(points), 1)):
            raise InvalidInput(
                f"critic must return one number for each of {len(points)} points, but returned shape {values.shape}."
            )
        return values.ravel() / constant

    high, low = scaled(x), scaled(y)
    spread = max(float(high.max()), float(low.max())) - min(float(high.min()), float(low.min()))
    # min over i of |x_i - y_j| - f(x_i) is at least -f(y_j) for all j if f is 1-Lipschitz.
    short = float((PointCost(x, y).column_minima(high)[0] + low).min())
    if short < -ROUNDING * spread:
        raise InvalidInput(
            f"lipschitz = {constant:g} does not bound the slope of critic, which between two of the points rises by "
            f"{-short * constant:.3g} more than that allows. Pass a proven constant."
        )
    return scaled


def checked_training(train: Any) -> Train | None:
    """``train``, as a function from two samples to one that is 1-Lipschitz, each checked on the samples it is made of.

    Raises
    ------
    InvalidInput
        If it is no function, and when it is called, if it returns anything but a critic and its constant.
    """
    if train is None:
        return None
    if not callable(train):
        raise InvalidInput(
            "train must be a function from points x and y to (critic, lipschitz), such as otgan.critics.trainer(), "
            f"but {train!r} came."
        )

    def made(x: Array, y: Array) -> Function:
        found = train(x, y)
        if not isinstance(found, tuple) or len(found) != 2 or found[0] is None:
            raise InvalidInput(f"train must return a pair (critic, lipschitz), but returned {found!r}.")
        function = checked(*found, x, y)
        assert function is not None
        return function

    return made


def spread_over(diameter: Any, x: Array, y: Array) -> float | None:
    """``diameter`` as a number, refused where the points lie further apart from the first of them, or on an axis."""
    if diameter is None:
        return None
    bound = inputs.real(diameter, "diameter", low=0.0, high=inputs.LARGEST)
    farthest = max(inputs.extent(x, y), *(float(np.linalg.norm(side - x[0], axis=1).max()) for side in (x, y)))
    if farthest > bound * (1 + ROUNDING):
        raise InvalidInput(
            f"diameter must bound the distance of any two points that can be drawn, but is {bound:g}, and two of those "
            f"drawn are {farthest:.6g} apart. Pass a proven bound, or leave it out."
        )
    return bound
