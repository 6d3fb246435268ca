"""Styles of figures for light and dark backgrounds, their widths and colours, and figures outside pyplot."""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "DARK",
    "LIGHT",
    "NARROW",
    "WIDE",
    "Renderings",
    "is_narrow",
    "literal",
    "new_axes",
    "new_figure",
    "number",
    "panels",
    "png",
    "render",
    "render_all",
    "series",
    "text_colour",
]

# After Okabe and Ito (2008), told apart with every kind of colour vision and legible as text on their background.
COLOURS = {
    "light": ("#0072b2", "#d55e00", "#009e73", "#b5548b", "#9a6700", "#2f8fc4"),
    "dark": ("#56b4e9", "#ff8c42", "#2fc89b", "#e79fc4", "#f0c24b", "#9ad0f5"),
}
LONGEST_NAME = 32  # letters
DASHES = ("-", "-.", ":")

_SHARED = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": "medium",
    "legend.frameon": False,
}


def _style(text: str, faint: str, background: str) -> dict[Any, Any]:
    inked = dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), text)
    quiet = dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), faint)
    filled = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), background)
    return {**_SHARED, **inked, **quiet, **filled, "figure.figsize": (WIDE, WIDE / 2)}


# Inches, so that 9 points are about as large as the text around: a page is 57.5 rem wide, 360 pixels on a telephone.
WIDE, NARROW = 8.0, 3.6
NARROW_BELOW = 5.0  # inches: figures that are less wide are narrow

LIGHT = _style("#1b1f24", "#59636e", "#ffffff")
DARK = _style("#e8eaed", "#a3adb8", "#181c21")


class Renderings(NamedTuple):
    """One picture as PNG files: for a light and a dark background, wide and narrow.

    Attributes
    ----------
    light, dark : bytes
        As wide as a page.
    narrow_light, narrow_dark : bytes
        As wide as a telephone, with panels below each other.
    """

    light: bytes
    dark: bytes
    narrow_light: bytes
    narrow_dark: bytes


def figure_width() -> float:
    """Width in inches of figures in the matplotlib style in force: that of its ``figure.figsize``."""
    from matplotlib import rcParams

    return float(rcParams["figure.figsize"][0])


def is_narrow() -> bool:
    """Whether figures in the style in force are as narrow as a telephone."""
    return figure_width() < NARROW_BELOW


def new_axes(height: float, *, narrow_height: float | None = None) -> Axes:
    """Axes on a new figure as wide as the style in force says, ``height`` inches high; ``narrow_height`` if narrow.

    Raises
    ------
    OTError
        If matplotlib is not installed.
    """
    return panels(1, height, narrow_height=narrow_height)[1][0]


def panels(
    count: int,
    height: float,
    *,
    across: int | None = None,
    narrow: int = 1,
    narrow_height: float | None = None,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """Axes on a new figure as wide as the style in force says, below each other where that is narrow.

    Parameters
    ----------
    count : int
        How many.
    height : float
        Inches of each row.
    across : int, optional
        Panels of a row in a wide figure; by default all.
    narrow : int, default 1
        The same in a narrow figure.
    narrow_height : float, optional
        Inches of each row in a narrow figure; ``height`` by default.
    **options
        Of ``Figure.subplots``.

    Returns
    -------
    figure : matplotlib Figure
    axes : list of matplotlib Axes
        Row by row.

    Raises
    ------
    OTError
        If matplotlib is not installed.

    Examples
    --------
    >>> from matplotlib import rc_context
    >>> with rc_context({"figure.figsize": (NARROW, 3.0)}):
    ...     figure, axes = panels(3, 2.0)
    >>> len(axes), figure.get_size_inches().tolist()
    (3, [3.6, 6.0])
    """
    figure = new_figure(1.0, 1.0)  # before the style in force is asked: without matplotlib there is none
    if is_narrow():
        columns, height = min(narrow, count), narrow_height or height
    else:
        columns = min(across or count, count)
    rows = math.ceil(count / columns)
    figure.set_size_inches(figure_width(), rows * height)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for ax in axes[count:]:
        ax.remove()
    return figure, axes[:count]


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, outside pyplot."""
    with optional_dependency("matplotlib", "plots", "Drawing"):
        from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="constrained")


def text_colour() -> Any:
    """The colour of text in the matplotlib style in force."""
    from matplotlib import rcParams

    return rcParams["text.color"]


def series(k: int) -> tuple[str, str]:
    """Colour and dash of the k-th critic, readable on the background of the style in force."""
    from matplotlib.colors import to_rgb

    colours = COLOURS["dark" if sum(to_rgb(text_colour())) > 1.5 else "light"]
    return colours[k % len(colours)], DASHES[k // len(colours) % len(DASHES)]


def literal(name: str) -> str:
    r"""A name from outside as matplotlib has to write it: no mathematics between dollars, no control characters.

    Of a long name, such as a path, the end: it must find room in a narrow figure.

    Examples
    --------
    >>> print(literal("$a$.npy"))
    \$a\$.npy
    >>> literal("/a/very/long/path/to/some/folder/points.npy")
    '…/path/to/some/folder/points.npy'
    """
    short = name if len(name) <= LONGEST_NAME else "…" + name[1 - LONGEST_NAME :]
    return "".join(c if c.isprintable() else "?" for c in short).replace("$", r"\$")


def number(value: float, form: str = ".4g") -> str:
    """A number as text of a figure, with a true minus sign.

    Examples
    --------
    >>> number(-0.25), number(12.0, ".1f")
    ('−0.25', '12.0')
    """
    return format(value, form).replace("-", "−")


def png(drawn: Axes | Figure, *, dpi: int = 180) -> bytes:
    """The figure, or that of the axes, as a PNG file; the same figure gives the same bytes.

    Examples
    --------
    >>> png(new_axes(2))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    figure: Figure = drawn.get_figure(root=True)  # type: ignore[assignment]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a name in letters that it lacks
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def render(draw: Callable[[], Axes | Figure | None], style: dict[Any, Any] = LIGHT) -> bytes | None:
    """What ``draw`` draws in a style, as a PNG file.

    Returns
    -------
    bytes or None
        None where matplotlib is not installed, or there is nothing to draw.

    Examples
    --------
    >>> render(lambda: new_axes(2))[1:4], render(lambda: None)
    (b'PNG', None)
    """
    try:
        from matplotlib import rc_context
    except ImportError:
        return None
    with rc_context(style):
        drawn = draw()
        return None if drawn is None else png(drawn)


def render_all(draw: Callable[[], Axes | Figure | None]) -> Renderings | None:
    """The same in each style and width: light and dark, wide and narrow.

    Returns
    -------
    Renderings or None
        None where matplotlib is not installed, or there is nothing to draw.

    Examples
    --------
    >>> files = render_all(lambda: new_axes(2))
    >>> len({*files}), render_all(lambda: None)
    (4, None)
    """
    drawn = []
    for width in (WIDE, NARROW):
        for style in (LIGHT, DARK):
            file = render(draw, {**style, "figure.figsize": (width, width / 2)})
            if file is None:
                return None
            drawn.append(file)
    return Renderings(*drawn)
