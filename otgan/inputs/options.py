"""Options: numbers, names, flags, paths."""

from __future__ import annotations

import math
import numbers
import os
from pathlib import Path
from typing import Any

import numpy as np

from otgan.errors import InvalidInput
from otgan.metric import METRICS

__all__ = ["choice", "count", "exponent", "flag", "generator", "metric_name", "path", "real", "seed", "tolerance"]


def flag(value: Any, name: str) -> bool:
    """``value`` as True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{name} must be True or False, but {value!r} came.")
    return bool(value)


def real(value: Any, name: str, *, low: float = -math.inf, high: float = math.inf, open_low: bool = False) -> float:
    """``value`` as a float within [low, high] (or (low, high] with ``open_low``)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InvalidInput(f"{name} must be a real number, but {value!r} came.")
    number = float(value)
    if not low <= number <= high or (open_low and number == low):
        bracket = "(" if open_low else "["
        raise InvalidInput(f"{name} must lie in {bracket}{_shown(low)}, {_shown(high)}], but {_shown(number)} came.")
    return number


def _shown(number: float) -> str:
    """In six digits where they are exact, and in all otherwise: a limit of 1 - 1e-9 must not read as 1."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def count(value: Any, name: str, *, low: int = 1, high: int | None = None) -> int:
    """``value`` as an integer of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InvalidInput(f"{name} must be a whole number, but {value!r} came.")
    number = int(value)
    if number < low or (high is not None and number > high):
        upper = "" if high is None else f" and at most {high}"
        raise InvalidInput(f"{name} must be at least {low}{upper}, but {number} came.")
    return number


def seed(value: Any, name: str = "seed") -> int:
    """``value`` as a whole number that every random generator takes, also with a little added to it."""
    return count(value, name, low=0, high=2**62)


def path(value: Any, name: str) -> Path:
    """``value`` as a path."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value) or "\0" in os.fsdecode(value):
        raise InvalidInput(f"{name} must be a path, but {value!r} came.")
    return Path(os.fsdecode(value))


def generator(rng: Any) -> np.random.Generator:
    """A random generator from what came for ``rng``: a generator, a seed, or None for another one each time."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and (isinstance(rng, bool) or not isinstance(rng, numbers.Integral) or rng < 0):
        raise InvalidInput(
            f"rng must be a numpy.random.Generator, a whole number from 0 on to seed one, or None, but {rng!r} came."
        )
    return np.random.default_rng(None if rng is None else int(rng))


def exponent(p: Any, *, allow_inf: bool = False) -> float:
    """The order p of a Wasserstein distance: at least 1, and finite unless ``allow_inf``."""
    number = real(p, "p", low=1.0)
    if math.isinf(number) and not allow_inf:
        raise InvalidInput(
            "p must be finite here, but inf came: W_inf has no cost <P, C>. Use otgan.wasserstein(x, y, p=math.inf)."
        )
    return number


def tolerance(rtol: Any) -> float:
    """The relative gap at which a solution counts as optimal."""
    return real(rtol, "rtol", low=0.0, high=1.0, open_low=True)


def metric_name(value: Any) -> str:
    """The name of a metric."""
    if isinstance(value, str) and value == "sqeuclidean":
        raise InvalidInput("metric='sqeuclidean' is metric='euclidean' with p=2, the square of the distance. Pass p=2.")
    return choice(value, "metric", tuple(METRICS))


def choice(value: Any, name: str, options: tuple[str, ...]) -> str:
    """``value`` if it is one of ``options``."""
    if not isinstance(value, str) or value not in options:
        raise InvalidInput(f"{name} must be one of {', '.join(map(repr, options))}, but {value!r} came.")
    return value
