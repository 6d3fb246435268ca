"""Figures: critics beside the exact distance, and what the samples look like.

Every function draws into ``ax`` and returns it; without one it makes a figure of its own, ``ax.figure``. No pyplot and
no global state: colours of text and background are those of the matplotlib style in force, and :data:`LIGHT` and
:data:`DARK` are two styles for :func:`matplotlib.rc_context`. Figures are as wide as their ``figure.figsize``; in
narrow ones, for telephones, panels stand below each other.
"""

from otgan.plot.critics import critics_against_exact, training_curves
from otgan.plot.pictures import Picture, pictures
from otgan.plot.runs import critic_and_exact, generated_points, run_curves, score_curves
from otgan.plot.samples import distributions, matched_images, principal_components, sample_images, transport
from otgan.plot.style import (
    DARK,
    LIGHT,
    NARROW,
    WIDE,
    Renderings,
    is_narrow,
    new_figure,
    number,
    panels,
    png,
    render,
    render_all,
    series,
    text_colour,
)

__all__ = [
    "DARK",
    "LIGHT",
    "NARROW",
    "WIDE",
    "Picture",
    "Renderings",
    "critic_and_exact",
    "critics_against_exact",
    "distributions",
    "generated_points",
    "is_narrow",
    "matched_images",
    "new_figure",
    "number",
    "panels",
    "pictures",
    "png",
    "principal_components",
    "render",
    "render_all",
    "run_curves",
    "sample_images",
    "score_curves",
    "series",
    "text_colour",
    "training_curves",
    "transport",
]
