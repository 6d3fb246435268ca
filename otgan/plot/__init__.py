"""Figures: critics beside the exact distance, and what the samples look like.

Every function draws into ``ax`` and returns it; without one it makes a figure of its own, ``ax.figure``. No pyplot and
no global state: ink and paper are those of the matplotlib style in force, and :data:`LIGHT` and :data:`DARK` are two
styles for :func:`matplotlib.rc_context`.
"""

from otgan.plot.critics import critics_against_exact, training_curves
from otgan.plot.runs import critic_and_exact, generated_points, run_curves, score_curves
from otgan.plot.samples import sample_images, transport
from otgan.plot.style import DARK, LIGHT, ink, new_figure, on_both_papers, on_paper, png, series

__all__ = [
    "DARK",
    "LIGHT",
    "critic_and_exact",
    "critics_against_exact",
    "generated_points",
    "ink",
    "new_figure",
    "on_both_papers",
    "on_paper",
    "png",
    "run_curves",
    "sample_images",
    "score_curves",
    "series",
    "training_curves",
    "transport",
]
