"""The pictures that show two samples: on the line, in the plane, as images, or in their two principal components."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from otgan.plot.samples import distributions, matched_images, principal_components, transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from scipy import sparse

__all__ = ["Picture", "is_image_shape", "pictures"]


class Picture(NamedTuple):
    """Something to draw, and what is written beside it.

    Attributes
    ----------
    draw : callable
        Draws it in the matplotlib style in force; None where there is nothing to draw.
    name : str
        What its file is called, without ".png".
    alt : str
        What it shows, for those who do not see it.
    caption : str
        What stands below.
    """

    draw: Callable[[], Axes | Figure | None]
    name: str
    alt: str
    caption: str


def is_image_shape(shape: tuple[int, ...]) -> bool:
    """Whether a sample of this shape can be shown as an image.

    Examples
    --------
    >>> is_image_shape((8, 8)), is_image_shape((8, 8, 3)), is_image_shape((64,))
    (True, True, False)
    """
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))


def pictures(
    x: NDArray[Any], y: NDArray[Any], plan: sparse.coo_array, shape: tuple[int, ...], names: tuple[str, str]
) -> list[Picture]:
    """The pictures of two samples that suit their kind.

    Parameters
    ----------
    x : (n, d) ndarray
    y : (m, d) ndarray
    plan : (n, m) scipy.sparse.coo_array
        The optimal plan between them.
    shape : tuple of int
        Of one sample.
    names : (str, str)
        What the two sets are called.

    Returns
    -------
    list of Picture

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> points, plan = np.eye(4), sparse.coo_array(np.eye(4) / 4)
    >>> [picture.name for picture in pictures(points, points, plan, (2, 2), ("a", "b"))]
    ['pairs', 'components']
    """
    a, b = names
    if x.shape[1] == 1:
        return [
            Picture(
                partial(distributions, x, y, names=names),
                "distributions",
                "Histograms and distribution functions of both samples",
                "Both samples on the line: their histograms, and the share of the points below each value. The shaded "
                "area between the two curves is W₁.",
            )
        ]
    if x.shape[1] == 2:
        return [
            Picture(
                partial(transport, x, y, plan, names=names),
                "plan",
                "Both samples and the optimal plan",
                "Both samples, and the optimal plan: each line moves mass, and no other way of moving it is shorter.",
            )
        ]
    found = []
    if is_image_shape(shape):
        found.append(
            Picture(
                partial(matched_images, x, y, plan, shape, names=names),
                "pairs",
                f"Pairs of images of {a} and {b}",
                f"Images of {a}, and below each the image of {b} that the optimal plan takes it to: from the nearest "
                "pair to the furthest. W₁ is the mean of such distances over the whole plan.",
            )
        )
    found.append(
        Picture(
            partial(principal_components, x, y, names=names),
            "components",
            "Both samples in the plane of their principal components",
            "All points of both samples, seen in the plane in which they vary most. Where little of the variance is "
            "left, as the axes say, clouds that cover each other here may lie apart in other directions.",
        )
    )
    return found
