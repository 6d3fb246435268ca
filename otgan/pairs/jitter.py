"""Small shifts, rotations and noise, which make a finite set of images or points a continuous distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Jitter"]

AT_ONCE = 128  # images, which then stay in the cache


@dataclass(frozen=True)
class Jitter:
    """What is done to each point drawn, at random.

    Parameters
    ----------
    noise : float, default 0
        Standard deviation of normal noise on each coordinate.
    shift : float, default 0
        Images are shifted by up to this many pixels, either way along both axes.
    rotation : float, default 0
        Images are turned about their middle by up to this many degrees, either way.

    Raises
    ------
    InvalidInput
        If a number is negative, or all are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from otgan.pairs import Jitter
    >>> Jitter(shift=0.5, rotation=10.0).apply(np.ones((2, 9)), (3, 3), np.random.default_rng(0)).shape
    (2, 9)
    """

    noise: float = 0.0
    shift: float = 0.0
    rotation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("noise", "shift", "rotation"):
            object.__setattr__(self, name, inputs.real(getattr(self, name), name, low=0.0, high=1e100))
        if self.noise == self.shift == self.rotation == 0:
            raise InvalidInput("jitter must do something, but noise, shift and rotation are all zero. Leave it out.")

    @property
    def needs_images(self) -> bool:
        """Whether points must be images: noise alone works for any."""
        return self.shift > 0 or self.rotation > 0

    def apply(self, points: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Points (n, d) drawn near the given ones, which are samples of this shape, flattened.

        Pixels in between are interpolated from the four around them; beyond the edge an image is zero.
        """
        if self.needs_images:
            if len(shape) not in (2, 3):
                raise InvalidInput(f"shift and rotation need images, but samples have shape {shape}. Use noise alone.")
            points = self._moved(points.reshape(len(points), *shape), rng).reshape(points.shape)
        return points + self.noise * rng.standard_normal(points.shape) if self.noise else points

    def _moved(self, images: Array, rng: np.random.Generator) -> Array:
        """Each image (n, h, w) or (n, h, w, c) shifted and turned on its own."""
        angles = np.radians(rng.uniform(-self.rotation, self.rotation, len(images)))
        shifts = rng.uniform(-self.shift, self.shift, (len(images), 2))
        blocks = [slice(k, k + AT_ONCE) for k in range(0, len(images), AT_ONCE)]
        return np.concatenate([_placed(images[each], angles[each], shifts[each]) for each in blocks])


def _placed(images: Array, angles: Array, shifts: Array) -> Array:
    """Images (n, h, w, ...) turned by angles (n,) about their middle and shifted (n, 2), zero beyond their edges."""
    n, h, w = images.shape[:3]
    rows, cols = np.arange(h)[:, None] - (h - 1) / 2, np.arange(w) - (w - 1) / 2
    cosine, sine = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    # Where each pixel comes from, in an image with a frame of zeros; what is farther out is within the frame.
    row = np.clip(cosine * rows - sine * cols + shifts[:, :1, None] + (h + 1) / 2, 0, h + 1)
    col = np.clip(sine * rows + cosine * cols + shifts[:, 1:, None] + (w + 1) / 2, 0, w + 1)
    top, left = np.minimum(row.astype(np.intp), h), np.minimum(col.astype(np.intp), w)
    below, right = row - top, col - left
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), *[(0, 0)] * (images.ndim - 3)))
    pixels = framed.reshape(n * (h + 2) * (w + 2), *images.shape[3:])
    first = (np.arange(n)[:, None, None] * (h + 2) + top) * (w + 2) + left

    def corner(step: int, share: Array) -> Array:
        return pixels[first + step] * share.reshape(share.shape + (1,) * (images.ndim - 3))

    upper = corner(0, (1 - below) * (1 - right)) + corner(1, (1 - below) * right)
    return upper + corner(w + 2, below * (1 - right)) + corner(w + 3, below * right)
