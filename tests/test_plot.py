from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy import sparse

from otgan import plot
from otgan.plot.critics import _spread
from otgan.plot.style import COLOURS

HISTORY = {"step": [10, 20], "estimate": [[0.5, 0.9], [0.7, 1.1]]}
REPORT = {"method": "gp", "estimate": 1.1, "stderr": 0.02, "corrected": 1.03, "lower_bound": 0.9}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_each_curve_is_named_at_its_end_with_its_value():
    ax = plot.training_curves({"gp": HISTORY, "clip": {**HISTORY, "estimate": [[0.1, 0.2]]}}, exact=1.25)
    assert texts(ax) == ["clip 0.2", "gp 1", "exact 1.25"]  # from the bottom to the top
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training step", "estimate of $W_1$ (units of the data)")


def test_curves_are_means_over_seeds_and_the_band_holds_them_all():
    ax = plot.training_curves({"gp": HISTORY}, exact=1.0)
    np.testing.assert_allclose(np.asarray(ax.lines[0].get_ydata()), [0.6, 1.0])
    assert ax.collections[0].get_paths()[0].get_extents().y1 == pytest.approx(1.1)


def test_held_out_curves_are_dashed_and_said_to_be():
    ax = plot.training_curves({"gp": {**HISTORY, "held_out": [[0.4, 0.8], [0.4, 0.8]]}}, exact=1.0)
    assert "dashed: held-out points" in ax.get_title(loc="left")
    assert plot.training_curves({"gp": HISTORY}, exact=1.0).get_title(loc="left") == ""


@pytest.mark.parametrize(("estimate", "scale"), [(5.9, "linear"), (100.0, "symlog"), (-100.0, "symlog")])
def test_estimates_far_off_get_a_logarithmic_axis(estimate, scale):
    curves = plot.training_curves({"gp": {"step": [1], "estimate": [[estimate]]}}, exact=1.0)
    numbers = plot.critics_against_exact([{**REPORT, "estimate": estimate}], exact=1.0)
    assert (curves.get_yscale(), numbers.get_xscale()) == (scale, scale)
    assert numbers.get_xlim()[0] <= min(0, estimate) <= max(1, estimate) <= numbers.get_xlim()[1]


@pytest.mark.parametrize("estimate", [0.0, float("nan"), float("inf")])
def test_odd_numbers_are_drawn_without_complaint(estimate):
    report = {**REPORT, "estimate": estimate, "stderr": None, "corrected": None, "lower_bound": 0.0}
    for exact in (0.0, 1.0):
        assert plot.png(plot.critics_against_exact([report], exact))
        assert plot.png(plot.training_curves({"gp": {"step": [1, 2], "estimate": [[0.0, estimate]]}}, exact))


def test_the_lower_bound_has_its_tip_at_the_number():
    ax = plot.critics_against_exact([REPORT], exact=1.0)
    (bound,) = [line for line in ax.lines if line.get_marker() == 5]
    assert bound.get_xdata() == [0.9]


def test_more_critics_than_colours_differ_in_their_dashes():
    ax = plot.training_curves({f"critic {k}": HISTORY for k in range(8)}, exact=1.0)
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 9  # eight critics and the exact distance


@pytest.mark.parametrize(("style", "colours"), [(plot.LIGHT, "light"), (plot.DARK, "dark")])
def test_colours_follow_the_paper(style, colours):
    with rc_context(style):
        ax = plot.training_curves({"gp": HISTORY}, exact=1.0)
    assert ax.lines[0].get_color() == COLOURS[colours][0]


def test_axes_that_are_given_are_drawn_into():
    first, second = Figure().subplots(1, 2)
    assert plot.training_curves({"gp": HISTORY}, 1.0, first) is first
    assert plot.critics_against_exact([REPORT], 1.0, second) is second


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3)])
def test_images_stand_in_one_row(shape):
    images = np.random.default_rng(0).random((12, int(np.prod(shape))))
    ax = plot.sample_images(images, shape, n=5, name="noise")
    shown = np.asarray(ax.images[0].get_array())
    assert shown.shape[:2] == (2, 5 * 3 + 4)  # four gaps of one column
    assert ax.get_title(loc="left") == "noise"


def test_transport_draws_a_line_for_every_arc():
    x, y = np.zeros((3, 2)), np.ones((3, 2))
    ax = plot.transport(x, y, sparse.coo_array(np.eye(3) / 3), names=("here", "there"))
    assert len(ax.collections[0].get_paths()) == 3
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["here", "there"]


def test_the_same_figure_is_the_same_file():
    first, second = (plot.png(plot.training_curves({"gp": HISTORY}, 1.0)) for _ in range(2))
    assert first == second


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8).map(sorted), st.floats(0.01, 0.2))
def test_labels_keep_their_order_and_distance_and_their_mean(places, apart):
    moved = _spread(places, apart)
    assert all(b - a >= apart - 1e-9 for a, b in pairwise(moved))
    assert np.mean(moved) == pytest.approx(np.mean(places))


def test_labels_that_do_not_touch_stay_where_they_are():
    assert _spread([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])
