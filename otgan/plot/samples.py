"""What the samples look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.plot.style import ink, literal, new_axes, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from scipy import sparse

__all__ = ["sample_images", "transport"]


def sample_images(points: Any, shape: Sequence[int], ax: Axes | None = None, *, n: int = 10, name: str = "") -> Axes:
    """The first n images of a sample set, in one row.

    Parameters
    ----------
    points : (k, d) array_like
        Flattened images. Colours are cut to [0, 1]; grey runs from the least value shown to the greatest.
    shape : (h, w) or (h, w, channels)
        Shape of one image.
    ax : matplotlib Axes, optional
        Where to draw.
    n : int, default 10
        How many images to show at most.
    name : str, optional
        What is written above.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = sample_images(np.eye(4), (2, 2), n=3)
    >>> ax.images[0].get_array().shape
    (2, 8)
    """
    images = np.asarray(points, dtype=float)[:n].reshape(-1, *shape)
    if ax is None:
        height = 6.2 * shape[0] / (len(images) * shape[1])
        ax = new_axes(6.4, min(height, 4.0) + (0.35 if name else 0.1))
    if images.ndim == 4:
        images = np.clip(images[..., 0] if images.shape[-1] == 1 else images[..., :3], 0.0, 1.0)
    # One column of nothing between two images.
    gap = np.full((len(images), images.shape[1], 1, *images.shape[3:]), np.nan)
    row = np.concatenate(np.concatenate([images, gap], axis=2), axis=1)[:, :-1]
    if row.ndim == 3:
        row = np.concatenate([np.nan_to_num(row), np.isfinite(row[..., :1])], axis=2)
    ax.imshow(row, cmap="gray", interpolation="nearest")
    ax.set_axis_off()
    if name:
        ax.set_title(literal(name), loc="left", fontsize="medium")
    return ax


def transport(
    x: Any, y: Any, plan: sparse.coo_array, ax: Axes | None = None, *, names: tuple[str, str] = ("x", "y")
) -> Axes:
    """Two sample sets in the plane, and the optimal plan as lines from each point to where its mass goes.

    Parameters
    ----------
    x : (n, 2) array_like
    y : (m, 2) array_like
        The points.
    plan : (n, m) scipy.sparse.coo_array
        ``Solution.plan``.
    ax : matplotlib Axes, optional
        Where to draw.
    names : (str, str)
        What the two sets are called.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from scipy import sparse
    >>> ax = transport([[0, 0], [1, 0]], [[0, 1], [1, 1]], sparse.coo_array(np.eye(2) / 2))
    >>> len(ax.collections[0].get_segments())
    2
    """
    from matplotlib.collections import LineCollection

    ax = new_axes(6.4, 4.6) if ax is None else ax
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    arcs = np.stack([x[plan.row], y[plan.col]], axis=1)
    ax.add_collection(LineCollection(list(arcs), colors=[ink()], linewidths=0.4, alpha=0.3, zorder=1))
    for k, (points, name) in enumerate(zip((x, y), names, strict=True)):
        ax.scatter(points[:, 0], points[:, 1], s=9, color=series(k)[0], label=literal(name), linewidths=0, zorder=2)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("first coordinate")
    ax.set_ylabel("second coordinate")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handletextpad=0.2)
    return ax
