"""Two weighted images, or arrays of any number of axes, on one lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from otgan.errors import InvalidInput
from otgan.inputs.arrays import real_array
from otgan.inputs.mass import mass_tolerance, masses, weights
from otgan.inputs.options import real

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Grids", "grids"]

NAMES = "image_a", "image_b"


class Grids(NamedTuple):
    """Checked images: their shape, masses by pixel (n,), the spacing of each axis, and how far totals may differ."""

    shape: tuple[int, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    spacing: tuple[float, ...]
    rtol: float


def grids(image_a: Any, image_b: Any, spacing: Any, normalize: Any) -> Grids:
    """Both images as masses of the pixels of one lattice, divided by their sums if that is asked for."""
    first, second = (real_array(image, name) for image, name in zip((image_a, image_b), NAMES, strict=True))
    for array, name in ((first, NAMES[0]), (second, NAMES[1])):
        if array.ndim == 0:
            raise InvalidInput(f"{name} must be an array with at least one axis, but a single number came.")
    if first.shape != second.shape:
        raise InvalidInput(
            f"image_a and image_b must have one shape, but they have {first.shape} and {second.shape}. Pad the smaller "
            "one with zeros, or pass the pixels as points to otgan.solve."
        )
    a, b = masses(first.ravel(), second.ravel(), normalize)
    a, b = (weights(side, first.size, name, "the pixels") for side, name in zip((a, b), NAMES, strict=True))
    return Grids(first.shape, a, b, _spacing(spacing, first.ndim), mass_tolerance(image_a, image_b))


def _spacing(spacing: Any, axes: int) -> tuple[float, ...]:
    """The distance of neighbours along each axis."""
    steps = real_array(spacing, "spacing")
    if steps.ndim > 1 or steps.size not in ({1} if steps.ndim == 0 else {axes}):
        raise InvalidInput(
            f"spacing must be one number, or one for each of the {axes} axes, but has shape {steps.shape}."
        )
    each = steps.tolist() if steps.ndim else [steps.item()] * axes
    return tuple(real(step, "spacing", low=0.0, open_low=True) for step in each)
