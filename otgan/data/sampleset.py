"""A named set of points that remembers the shape of one sample and where it came from."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.data.drawing import choose
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SampleSet"]


# eq=False: comparing arrays element by element has no truth value. Compare sha256 instead.
@dataclass(frozen=True, eq=False)
class SampleSet:
    """Points, one sample a row, with a name and the shape of one sample.

    Parameters
    ----------
    name : str
        What the set is called; it stands in error messages.
    points : ndarray of float64, shape (n, d)
        The samples, flattened. A copy is kept.
    shape : tuple of int
        Shape of one sample before it was flattened, such as (28, 28); its product is d.
    source : str
        Where the samples came from, for people.
    columns : tuple of str, optional
        The name of each of the d columns.
    weights : (n,) array_like, optional
        Non-negative masses with a positive sum.
    notes : tuple of str
        How the file was read, for people.

    Raises
    ------
    InvalidInput
        If the points are not finite numbers of shape (n, d), ``shape`` does not hold d values, or names or weights do
        not fit.

    Examples
    --------
    >>> images = SampleSet("stripes", np.eye(4), shape=(2, 2), source="an example")
    >>> len(images), images.points.shape, images.shape
    (4, (4, 4), (2, 2))
    """

    name: str
    points: NDArray[np.float64]
    shape: tuple[int, ...]
    source: str
    columns: tuple[str, ...] | None = None
    weights: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        points, shape = inputs.points(self.points, self.name, self.columns), tuple(self.shape)
        if self.columns is not None and len(self.columns) != points.shape[1]:
            raise InvalidInput(
                f"columns must name the {points.shape[1]} columns of {self.name}, but {len(self.columns)} names came."
            )
        if self.weights is not None:
            weights = inputs.weights(self.weights, len(points), f"the weights of {self.name}")
            object.__setattr__(self, "weights", weights)
        if math.prod(shape) != points.shape[1]:
            raise InvalidInput(
                f"shape must hold as many values as a row of {self.name}, {points.shape[1]}, but {shape} holds "
                f"{math.prod(shape)}. Pass the shape of one sample, without n."
            )
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "shape", shape)

    @classmethod
    def of(cls, array: NDArray[Any], name: str, source: str) -> SampleSet:
        """Samples along the first axis of an array, flattened.

        Parameters
        ----------
        array : ndarray, shape (n,), (n, d), (n, h, w) or (n, h, w, c)
        name, source : str
            As for the class.

        Raises
        ------
        InvalidInput
            If the array has another shape, or its values are not finite numbers.

        Examples
        --------
        >>> SampleSet.of(np.zeros((5, 3, 2)), "images", "an example")
        SampleSet('images', n=5, shape=(3, 2), source='an example')
        """
        if not 1 <= array.ndim <= 4:
            raise InvalidInput(
                f"{name} must have shape (n,), (n, d), (n, h, w) or (n, h, w, c), but has shape {array.shape}. "
                "Reshape it to one sample a row."
            )
        shape = array.shape[1:] or (1,)
        return cls(name, array.reshape(len(array), math.prod(shape)), shape, source)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"SampleSet({self.name!r}, n={len(self)}, shape={self.shape}, source={self.source!r})"

    @property
    def sha256(self) -> str:
        """Fingerprint (64 hexadecimal digits) of the points, the shape and the weights, whatever the name.

        Examples
        --------
        >>> line = SampleSet("a", np.arange(3.0), shape=(1,), source="an example")
        >>> line.sha256 == SampleSet("b", np.arange(3.0), shape=(1,), source="another").sha256
        True
        """
        digest = hashlib.sha256(repr(tuple(map(int, self.shape))).encode())
        # Little-endian on every machine, so that the fingerprint travels.
        digest.update(np.ascontiguousarray(self.points, dtype="<f8").data)
        if self.weights is not None:
            digest.update(np.ascontiguousarray(self.weights, dtype="<f8").data)
        return digest.hexdigest()

    def take(self, n: int, rng: np.random.Generator) -> SampleSet:
        """Draw n samples without replacement, in random order.

        Parameters
        ----------
        n : int
            How many, from 1 to ``len(self)``.
        rng : numpy.random.Generator
            Where the choice comes from.

        Returns
        -------
        SampleSet
            n samples with the same name, shape and source.

        Raises
        ------
        InvalidInput
            If n is not a whole number between 1 and ``len(self)``.

        Examples
        --------
        >>> line = SampleSet("line", np.arange(5.0), shape=(1,), source="an example")
        >>> len(line.take(2, np.random.default_rng(0)))
        2
        """
        return self.at(choose(n, len(self), rng, self.name))

    def at(self, index: Any) -> SampleSet:
        """The samples at these positions, or in this slice, with their weights.

        Examples
        --------
        >>> line = SampleSet("line", np.arange(5.0), shape=(1,), source="an example")
        >>> line.at([3, 0]).points.tolist()
        [[3.0], [0.0]]
        """
        weights = None if self.weights is None else self.weights[index]
        return replace(self, points=self.points[index], weights=weights)

    def split(self, n: int, rng: np.random.Generator) -> tuple[SampleSet, SampleSet]:
        """Split at random into n samples and the rest, which stay held out.

        Parameters
        ----------
        n : int
            Size of the first part, from 1 to ``len(self) - 1``.
        rng : numpy.random.Generator
            Where the choice comes from.

        Returns
        -------
        first, rest : SampleSet
            Disjoint parts of n and ``len(self) - n`` samples.

        Raises
        ------
        InvalidInput
            If n is not a whole number, or one of the parts would be empty.

        Examples
        --------
        >>> line = SampleSet("line", np.arange(5.0), shape=(1,), source="an example")
        >>> first, rest = line.split(2, np.random.default_rng(0))
        >>> len(first), len(rest), sorted(np.concatenate([first.points, rest.points]).ravel().tolist())
        (2, 3, [0.0, 1.0, 2.0, 3.0, 4.0])
        """
        n = inputs.count(n, "n")
        if n >= len(self):
            raise InvalidInput(
                f"n must be at most {len(self) - 1} to leave a sample of {self.name} held out, since there are "
                f"{len(self)}, but {n} came. Ask for fewer."
            )
        order = choose(len(self), len(self), rng, self.name)
        return self.at(order[:n]), self.at(order[n:])
