"""Patches of images: what convolutional critics compare rather than whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_SIDE", "patches"]

LEAST_SIDE = 4  # pixels of an image that has patches


def patches(points: NDArray[np.float64], shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """One square patch of each image, a quarter of its shorter side wide, from a place drawn uniformly.

    What convolutional critics compare is rather the distribution of patches than of images (Elnekave & Weiss 2025).

    Parameters
    ----------
    points : (n, d) ndarray
        Flat images.
    shape : (h, w) or (h, w, c)
        With sides of at least 4.
    rng : numpy.random.Generator

    Returns
    -------
    (n, k * k * c) ndarray

    Examples
    --------
    >>> patches(np.zeros((3, 28 * 28)), (28, 28), np.random.default_rng(0)).shape
    (3, 49)
    """
    size = min(shape[:2]) // 4
    images = points.reshape(-1, *shape)
    tops = rng.integers(shape[0] - size + 1, size=len(images))
    lefts = rng.integers(shape[1] - size + 1, size=len(images))
    cut = [image[i : i + size, j : j + size] for image, i, j in zip(images, tops, lefts, strict=True)]
    return np.stack(cut).reshape(len(images), -1)
