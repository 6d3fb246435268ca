"""Figures of samples: images, points in the plane, histograms, and the transport plan between two sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.plot.style import NARROW, figure_width, is_narrow, literal, new_axes, panels, series, text_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from scipy import sparse

__all__ = ["distributions", "matched_images", "principal_components", "sample_images", "transport"]

BINS = (10, 60)  # of a histogram, at least and at most
ORDINALS = ("first", "second")


def sample_images(
    points: Any,
    shape: Sequence[int],
    ax: Axes | None = None,
    *,
    n: int = 10,
    across: int | None = None,
    name: str = "",
) -> Axes:
    """The first n images of a sample set, in one row or in several.

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
    across : int, optional
        Images in a row; all by default.
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
    across = min(across or len(images), len(images))
    rows = [images[k : k + across] for k in range(0, len(images), across)]
    if ax is None:
        height = (figure_width() - 0.2) * shape[0] * len(rows) / (across * shape[1])
        ax = new_axes(min(height, 4.0 * len(rows)) + (0.35 if name else 0.1))
    blank = np.full((across, *images.shape[1:]), np.nan)
    _show(ax, _columns([_row(np.concatenate([row, blank])[:across]) for row in rows]))
    ax.set_axis_off()
    if name:
        ax.set_title(literal(name), loc="left", fontsize="medium")
    return ax


def matched_images(
    x: Any,
    y: Any,
    plan: sparse.coo_array,
    shape: Sequence[int],
    *,
    n: int = 10,
    names: tuple[str, str] = ("x", "y"),
) -> Figure:
    """Images above those that the optimal plan takes them to, from the nearest pair to the furthest.

    Parameters
    ----------
    x : (k, d) array_like
    y : (m, d) array_like
        Flattened images; colours and grey as in :func:`sample_images`.
    plan : (k, m) scipy.sparse.coo_array
        ``Solution.plan``.
    shape : (h, w) or (h, w, channels)
        Shape of one image.
    n : int, default 10
        How many pairs to show at most; they stand at equal steps in the order of their distance.
    names : (str, str)
        What the two sets are called.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> from scipy import sparse
    >>> x, y = np.zeros((2, 4)), np.array([[1.0, 1, 1, 1], [0, 0, 0, 3]])
    >>> figure = matched_images(x, y, sparse.coo_array(np.eye(2) / 2), (2, 2))
    >>> [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    ['2.00', '3.00']
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    away = np.linalg.norm(x[plan.row] - y[plan.col], axis=1)
    order = np.argsort(away, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int)]
    beside = 5 if is_narrow() else 10
    lines = [chosen[k : k + beside] for k in range(0, len(chosen), beside)]
    width = (figure_width() - 0.2) / len(lines[0])
    figure, axes = panels(len(lines), min(2 * width * shape[0] / shape[1], 5.0) + 0.9, across=1)
    for ax, arcs in zip(axes, lines, strict=True):
        above, below = (points[ends[arcs]].reshape(-1, *shape) for points, ends in ((x, plan.row), (y, plan.col)))
        _show(ax, _columns([_row(above), _row(below)]))
        places = shape[1] / 2 - 0.5 + (shape[1] + 1) * np.arange(len(arcs))
        ax.set_xticks(places, [f"{away[arc]:.2f}" for arc in arcs])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    axes[0].set_title("above: {}\nbelow: {}".format(*map(literal, names)), loc="left", fontsize="medium")
    axes[-1].set_xlabel("distance of the two images")
    return figure


def distributions(x: Any, y: Any, *, names: tuple[str, str] = ("x", "y")) -> Figure:
    """Two sample sets on the line: their histograms, and their distribution functions, between which the area is W1.

    Parameters
    ----------
    x : (n, 1) or (n,) array_like
    y : (m, 1) or (m,) array_like
    names : (str, str)
        What the two sets are called.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = distributions([0.0, 1.0], [2.0, 3.0])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['share of the points', 'share of the points below']
    """
    sides = [np.sort(np.asarray(side, dtype=float).ravel()) for side in (x, y)]
    both = np.sort(np.concatenate(sides))
    bins = int(np.clip(np.sqrt(len(both)), *BINS))  # not numpy's own rule, which one far point makes millions of
    edges = np.histogram_bin_edges(both, bins)
    figure, (left, right) = panels(2, 3.4, narrow_height=2.6)
    shares = [np.searchsorted(side, both, side="right") / len(side) for side in sides]
    right.fill_between(both, shares[0], shares[1], step="post", color=text_colour(), alpha=0.12, linewidth=0)
    for k, (side, share, name) in enumerate(zip(sides, shares, names, strict=True)):
        look: dict[str, Any] = {"color": series(k)[0], "linestyle": ("-", "--")[k], "linewidth": 1.4}
        left.stairs(np.histogram(side, edges)[0] / len(side), edges, label=literal(name), **look)
        right.step(both, share, where="post", **look)
    left.set_ylabel("share of the points")
    right.set_ylabel("share of the points below")
    for ax in (left, right):
        ax.set_ylim(bottom=0)
        ax.set_xlabel("value")
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, borderaxespad=0.2)
    return figure


def principal_components(x: Any, y: Any, ax: Axes | None = None, *, names: tuple[str, str] = ("x", "y")) -> Axes:
    """Two sample sets of any dimension, in the plane in which they vary most together.

    Parameters
    ----------
    x : (n, d) array_like
    y : (m, d) array_like
    ax : matplotlib Axes, optional
        Where to draw.
    names : (str, str)
        What the two sets are called.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = principal_components([[0, 0, 0], [4, 0, 0]], [[0, 1, 0], [4, 1, 0]])
    >>> ax.get_xlabel()
    'first principal component (94 % of the variance)'
    """
    ax = new_axes(4.6, narrow_height=NARROW) if ax is None else ax
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    flat, shares = _principal_plane(np.concatenate([x, y]))
    for k, (points, name) in enumerate(zip(np.split(flat, [len(x)]), names, strict=True)):
        ax.scatter(*points.T, s=9, color=series(k)[0], label=literal(name), linewidths=0, alpha=0.8)
    ax.set_aspect("equal", adjustable="datalim")
    label = "{} component ({:.0f} %)" if is_narrow() else "{} principal component ({:.0f} % of the variance)"
    ax.set_xlabel(label.format(ORDINALS[0], 100 * shares[0]))
    ax.set_ylabel(label.format(ORDINALS[1], 100 * shares[1]))
    _name_sides(ax)
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

    ax = new_axes(5.2, narrow_height=3.8) if ax is None else ax
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    arcs = np.stack([x[plan.row], y[plan.col]], axis=1)
    ax.add_collection(LineCollection(list(arcs), colors=[text_colour()], linewidths=0.4, alpha=0.3, zorder=1))
    for k, (points, name) in enumerate(zip((x, y), names, strict=True)):
        ax.scatter(points[:, 0], points[:, 1], s=9, color=series(k)[0], label=literal(name), linewidths=0, zorder=2)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("first coordinate")
    ax.set_ylabel("second coordinate")
    _name_sides(ax)
    return ax


def _name_sides(ax: Axes) -> None:
    """Both names above the axes: side by side, or below each other where the figure is narrow and names may be long."""
    columns = 1 if is_narrow() else 2
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2, handletextpad=0.2)


def _row(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (k, h, w) or (k, h, w, c) beside each other, with one column of nothing, NaN, between two."""
    if images.ndim == 4:
        images = np.clip(images[..., 0] if images.shape[-1] == 1 else images[..., :3], 0.0, 1.0)
    gap = np.full((len(images), images.shape[1], 1, *images.shape[3:]), np.nan)
    return np.concatenate(np.concatenate([images, gap], axis=2), axis=1)[:, :-1]


def _columns(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Rows of images below each other, with one row of nothing between two."""
    gap = np.full((1, *rows[0].shape[1:]), np.nan)
    return np.concatenate([part for row in rows for part in (row, gap)])[:-1]


def _show(ax: Axes, sheet: NDArray[np.float64]) -> None:
    """Draw a sheet in which nothing, NaN, is transparent."""
    if sheet.ndim == 3:
        sheet = np.concatenate([np.nan_to_num(sheet), np.isfinite(sheet[..., :1])], axis=2)
    ax.imshow(sheet, cmap="gray", interpolation="nearest")


def _principal_plane(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, d) in the plane of greatest variance, (n, 2), and the shares of the variance along its axes."""
    from scipy.linalg import eigh

    centred = points - points.mean(axis=0)
    scale = np.abs(centred).max() or 1.0
    centred = centred / scale  # squares of large values would overflow
    tall = len(centred) >= centred.shape[1]
    gram = centred.T @ centred if tall else centred @ centred.T  # the smaller of the two: they share their spectrum
    last = len(gram) - 1
    variances, vectors = eigh(gram, subset_by_index=[max(0, last - 1), last])
    variances, vectors = np.maximum(variances[::-1], 0.0), vectors[:, ::-1]
    flat = centred @ vectors if tall else vectors * np.sqrt(variances)
    signs = np.sign(flat[np.abs(flat).argmax(axis=0), range(flat.shape[1])])
    flat, shares = scale * flat * np.where(signs == 0, 1.0, signs), variances / (np.trace(gram) or 1.0)
    missing = 2 - flat.shape[1]  # a single point on both sides
    return np.pad(flat, ((0, 0), (0, missing))), np.pad(shares, (0, missing))
