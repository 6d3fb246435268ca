"""Weights of both sides: non-negative, and of one total."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.errors import InvalidInput
from otgan.inputs.arrays import real_array
from otgan.inputs.options import flag
from otgan.inputs.ranges import LARGEST, SMALLEST
from otgan.inputs.tensors import floating, is_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["equal_mass", "mass_tolerance", "masses", "normalized", "total", "weights"]

# Totals that differ by no more than this (relative) are taken to be equal up to rounding, and b is rescaled.
MASS_RTOL = {"float64": 1e-9, "float32": 1e-5, "float16": 1e-2, "bfloat16": 2e-2}


def weights(a: Any, n: int, name: str, points_name: str = "the points") -> NDArray[np.float64]:
    """``a`` as n non-negative masses with a positive sum; None means 1/n each."""
    if a is None:
        return np.full(n, 1.0 / n)
    array = real_array(a, name)
    if array.shape != (n,):
        raise InvalidInput(
            f"{name} must have one weight for each of {points_name}, shape ({n},), but has shape {array.shape}."
        )
    if array.min() < 0:
        raise InvalidInput(
            f"{name} must be non-negative, but {int((array < 0).sum())} weights are below zero, the least "
            f"{array.min():.6g}. Masses cannot be negative."
        )
    with np.errstate(over="ignore"):
        mass = float(array.sum())
    if mass == 0:
        raise InvalidInput(f"{name} must have a positive total mass, but sums to 0. Normalise it.")
    if not SMALLEST < mass < LARGEST:
        raise InvalidInput(
            f"{name} must have a total mass between {SMALLEST:.3g} and {LARGEST:.3g}, but sums to {mass:.6g}. Divide "
            f"it by its largest weight, {array.max():.6g}."
        )
    return array


def normalized(a: Any, name: str, axis: Any = -1) -> Any:
    """Weights divided by their sums along an axis: a tensor as a tensor, differentiably, and None as None.

    What has no sum to divide by is left as it is, for :func:`weights` to refuse.
    """
    if a is None:
        return None
    array = real_array(a, name)
    if array.ndim == 0 or isinstance(axis, bool) or not isinstance(axis, numbers.Integral):
        return a
    along = int(axis) if array.ndim > 1 else 0
    if not -array.ndim <= along < array.ndim:
        return a
    with np.errstate(over="ignore"):
        sums = array.sum(axis=along, keepdims=True)
    if array.min() < 0 or not ((sums > SMALLEST) & (sums < LARGEST)).all():
        return a
    if is_tensor(a):
        clean = floating(a)
        double = clean.cpu().double()  # in this order, as not every device has float64
        return (double / double.sum(along, keepdim=True)).to(clean.dtype).to(clean.device)
    return array / sums


def masses(a: Any, b: Any, normalize: Any, axis: Any = -1) -> tuple[Any, Any]:
    """Both weights, divided by their sums if that is asked for."""
    if not flag(normalize, "normalize"):
        return a, b
    return normalized(a, "a", axis), normalized(b, "b", axis)


def total(masses: NDArray[np.float64]) -> float:
    """The sum of masses, correctly rounded where that is quick, and to more than float64 otherwise."""
    return math.fsum(masses.tolist()) if len(masses) < 10_000 else float(masses.sum(dtype=np.longdouble))


def mass_tolerance(*given: Any) -> float:
    """How far apart two totals may be: the rounding of the coarsest dtype among the weights given."""
    names = [str(getattr(a, "dtype", "float64")).replace("torch.", "") for a in given]
    return max(MASS_RTOL.get(name, MASS_RTOL["float64"]) for name in names)


def equal_mass(
    a: NDArray[np.float64], b: NDArray[np.float64], rtol: float, names: tuple[str, str] = ("a", "b")
) -> NDArray[np.float64]:
    """``b`` rescaled to the total of ``a``, if the two totals agree up to rounding."""
    first, second = names
    total_a, total_b = total(a), total(b)
    if abs(total_a - total_b) > rtol * max(total_a, total_b):
        raise InvalidInput(
            f"{second} must have the same total mass as {first}: sum({first}) = {total_a:.10g}, "
            f"sum({second}) = {total_b:.10g}. "
            "Normalise both, as normalize=True of otgan.wasserstein does, or pass the masses you mean."
        )
    return b if total_a == total_b else b * (total_a / total_b)
