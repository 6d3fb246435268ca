"""Ink, paper and colours, and a figure outside pyplot."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from otgan.errors import OTError

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DARK", "LIGHT", "ink", "literal", "new_axes", "new_figure", "on_both_papers", "on_paper", "png", "series"]

# After Okabe and Ito (2008), told apart with every kind of colour vision and legible as text on their paper.
COLOURS = {
    "light": ("#0072b2", "#d55e00", "#009e73", "#b5548b", "#9a6700", "#2f8fc4"),
    "dark": ("#56b4e9", "#ff8c42", "#2fc89b", "#e79fc4", "#f0c24b", "#9ad0f5"),
}
DASHES = ("-", "-.", ":")

_SHARED = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "legend.frameon": False,
}


def _style(ink: str, faint: str, paper: str) -> dict[Any, Any]:
    inked = dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), ink)
    quiet = dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), faint)
    papers = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), paper)
    return {**_SHARED, **inked, **quiet, **papers}


LIGHT = _style("#1b1f24", "#59636e", "#ffffff")
DARK = _style("#e8eaed", "#a3adb8", "#181c21")


def new_axes(width: float, height: float) -> Axes:
    """Axes on a new figure of this size in inches, outside pyplot."""
    return new_figure(width, height).subplots()


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, outside pyplot."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OTError(
            f"Drawing needs matplotlib, which does not import ({error}). Run: pip install 'otgan[plots]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def ink() -> Any:
    """The colour of writing in the matplotlib style in force."""
    from matplotlib import rcParams

    return rcParams["text.color"]


def series(k: int) -> tuple[str, str]:
    """Colour and dash of the k-th critic, readable on the paper in force."""
    from matplotlib.colors import to_rgb

    colours = COLOURS["dark" if sum(to_rgb(ink())) > 1.5 else "light"]
    return colours[k % len(colours)], DASHES[k // len(colours) % len(DASHES)]


def literal(name: str) -> str:
    r"""A name from outside as matplotlib is to write it: no mathematics between dollars, no control characters.

    Examples
    --------
    >>> print(literal("$a$.npy"))
    \$a\$.npy
    """
    return "".join(c if c.isprintable() else "?" for c in name).replace("$", r"\$")


def png(drawn: Axes | Figure, *, dpi: int = 180) -> bytes:
    """The figure, or that of the axes, as a PNG file; the same figure gives the same bytes.

    Examples
    --------
    >>> png(new_axes(3, 2))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    figure: Figure = drawn.get_figure(root=True)  # type: ignore[assignment]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a name in letters that it lacks
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def on_paper(draw: Callable[[], Axes | Figure | None], style: dict[Any, Any] = LIGHT) -> bytes | None:
    """What ``draw`` draws in a style, as a PNG file.

    Returns
    -------
    bytes or None
        None where matplotlib is not installed, or there is nothing to draw.

    Examples
    --------
    >>> on_paper(lambda: new_axes(3, 2))[1:4], on_paper(lambda: None)
    (b'PNG', None)
    """
    try:
        from matplotlib import rc_context
    except ImportError:
        return None
    with rc_context(style):
        drawn = draw()
        return None if drawn is None else png(drawn)


def on_both_papers(draw: Callable[[], Axes | Figure | None]) -> tuple[bytes, bytes] | None:
    """The same for light and for dark paper.

    Examples
    --------
    >>> light, dark = on_both_papers(lambda: new_axes(3, 2))
    >>> light == dark, on_both_papers(lambda: None)
    (False, None)
    """
    light = on_paper(draw)
    dark = None if light is None else on_paper(draw, DARK)
    return None if light is None or dark is None else (light, dark)
