"""Pictures of samples: images in a grid, points in the plane."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

from otgan import plot
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.gan.scaling import SampleScaling

__all__ = ["grid_png", "image_pngs", "picture", "to_bytes"]

GAP_PIXELS = 2  # between two images


def picture(points: NDArray[np.float64], real: NDArray[np.float64], scaling: SampleScaling) -> bytes | None:
    """Generated samples as a PNG file: images in a grid, points of the plane over real ones (matplotlib draws them).

    Parameters
    ----------
    points : (n, d) ndarray
        Generated, in the data's own units.
    real : (m, d) ndarray
    scaling : SampleScaling

    Returns
    -------
    bytes or None
        None for other points, or without matplotlib.

    Raises
    ------
    OTError
        If Pillow is not installed, for images.
    """
    if scaling.is_image:
        return grid_png(points, scaling)
    if scaling.shape != (2,):
        return None
    return plot.render(lambda: plot.generated_points(real, points))


def to_bytes(points: NDArray[np.float64], scaling: SampleScaling) -> NDArray[np.uint8]:
    """Samples (n, d) in the data's own units as pixels, 0 to 255, shape (n, h, w) or (n, h, w, c).

    Examples
    --------
    >>> from otgan.gan.scaling import SampleScaling
    >>> to_bytes(np.array([[0.0, 1.0, 0.5, 2.0]]), SampleScaling.within((2, 2), 0.0, 1.0)).tolist()
    [[[0, 255], [128, 255]]]
    """
    shares = np.clip((points.reshape(-1, *scaling.shape) - scaling.low) / (scaling.high - scaling.low), 0.0, 1.0)
    return np.rint(255 * shares).astype(np.uint8)


def grid_png(points: NDArray[np.float64], scaling: SampleScaling, least_width: int = 1) -> bytes:
    """Images as a PNG file, in a grid that is about square.

    Parameters
    ----------
    points : (n, d) ndarray
        In the data's own units.
    scaling : SampleScaling
        Of images.
    least_width : int, default 1
        About how many pixels wide the picture is at least: small images are drawn with larger pixels.

    Raises
    ------
    OTError
        If Pillow is not installed.
    """
    images = to_bytes(points, scaling)
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    cell = (images.shape[1] + GAP_PIXELS, images.shape[2] + GAP_PIXELS)
    sheet = np.full(
        (rows * cell[0] - GAP_PIXELS, columns * cell[1] - GAP_PIXELS, *images.shape[3:]), 255, dtype=np.uint8
    )
    for k, image in enumerate(images):
        top, left = k // columns * cell[0], k % columns * cell[1]
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    zoom = max(1, round(least_width / sheet.shape[1]))
    return _png(sheet.repeat(zoom, axis=0).repeat(zoom, axis=1))


def image_pngs(points: NDArray[np.float64], scaling: SampleScaling) -> list[bytes]:
    """Each image as a PNG file of its own.

    Raises
    ------
    OTError
        If Pillow is not installed.
    """
    return [_png(image) for image in to_bytes(points, scaling)]


def _png(image: NDArray[np.uint8]) -> bytes:
    with optional_dependency("Pillow", "images", "Writing images"):
        from PIL.Image import fromarray
    buffer = io.BytesIO()
    fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image).save(buffer, format="PNG")
    return buffer.getvalue()
