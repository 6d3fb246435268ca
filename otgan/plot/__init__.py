"""Figures: critics beside the exact distance, and what the samples look like.

Every function draws into ``ax`` and returns it; without one it makes a figure of its own, ``ax.figure``. No pyplot and
no global state: ink and paper are those of the matplotlib style in force, and :data:`LIGHT` and :data:`DARK` are two
styles for :func:`matplotlib.rc_context`. Figures are as wide as their ``figure.figsize``; where that is narrow, as a
telephone is, panels stand below each other.
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
    Papers,
    ink,
    is_narrow,
    new_figure,
    number,
    on_every_paper,
    on_paper,
    panels,
    png,
    series,
)

__all__ = [
    "DARK",
    "LIGHT",
    "NARROW",
    "WIDE",
    "Papers",
    "Picture",
    "critic_and_exact",
    "critics_against_exact",
    "distributions",
    "generated_points",
    "ink",
    "is_narrow",
    "matched_images",
    "new_figure",
    "number",
    "on_every_paper",
    "on_paper",
    "panels",
    "pictures",
    "png",
    "principal_components",
    "run_curves",
    "sample_images",
    "score_curves",
    "series",
    "training_curves",
    "transport",
]
