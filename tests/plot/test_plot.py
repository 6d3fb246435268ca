"""Figures: what is drawn, in which colours and widths."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import sparse

import otgan
from otgan import plot
from otgan.plot.critics import _spread
from otgan.plot.style import COLOURS

HISTORY = {"step": [10, 20], "estimate": [[0.5, 0.9], [0.7, 1.1]]}
MEASURED = {"kind": "monitor", "exact": 2.0, "floor": 1.0, "critic": 1.5, "lower_bound": 2.0}
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


@pytest.mark.parametrize(("width", "pixels", "least"), [(plot.WIDE, 920, 12.0), (plot.NARROW, 360, 10.0)])
def test_text_can_be_read_in_every_rendering(width, pixels, least):
    rng = np.random.default_rng(0)
    x, y, plan = rng.random((6, 16)), rng.random((6, 16)), sparse.coo_array(np.eye(6) / 6)
    records = [{**MEASURED, "step": k, "precision": 0.5, "modes": 3, "class_score": 2.0} for k in range(3)]
    with rc_context({**plot.LIGHT, "figure.figsize": (width, 3)}):
        drawn = [
            plot.training_curves({"gp": {**HISTORY, "held_out": [[0.4, 0.8]]}}, 1.0),
            plot.critics_against_exact([REPORT], 1.0),
            plot.run_curves(records),
            plot.score_curves(records),
            plot.critic_and_exact(records),
            plot.transport(x[:, :2], y[:, :2], plan),
            plot.principal_components(x, y),
            plot.matched_images(x, y, plan, (4, 4)),
            plot.distributions(x[:, :1], y[:, :1]),
        ]
    for figure in (one if isinstance(one, Figure) else one.figure for one in drawn):
        assert figure.get_size_inches()[0] == width
        written = [text for text in figure.findobj(Text) if text.get_text().strip()]
        assert min(float(text.get_fontsize()) for text in written) / 72 / width * pixels >= least


def test_panels_stand_below_each_other_on_narrow_paper():
    with rc_context({"figure.figsize": (plot.NARROW, 3)}):
        narrow = plot.distributions([0.0, 1.0], [2.0])
    wide = plot.distributions([0.0, 1.0], [2.0])
    corners = [[ax.get_position().p0 for ax in figure.axes] for figure in (wide, narrow)]
    (left, right), (above, below) = corners
    assert (left[1], left[0] < right[0]) == (right[1], True)
    assert (above[0], above[1] > below[1]) == (below[0], True)


def test_no_other_line_hides_the_exact_one():
    curves = plot.run_curves([{**MEASURED, "step": k} for k in (1, 2)])
    exact = next(line for line in curves.lines if line.get_label() == "exact")
    bound = next(line for line in curves.lines if line.get_label() == "lower bound")
    assert all(line.get_zorder() < exact.get_zorder() for line in curves.lines if line is not exact)
    assert bound.get_linewidth() > exact.get_linewidth(), "it is seen on both sides where it is as good as exact"
    training = plot.training_curves({"gp": HISTORY}, exact=1.0)
    assert max(training.lines, key=lambda line: line.get_zorder()).get_ydata() == [1.0, 1.0]


def test_points_that_a_scatter_crops_are_counted():
    real = [[0.0, 0.0], [1.0, 1.0]]
    assert plot.generated_points(real, [[0.5, 0.5], [9.0, 0.5], [0.5, -9.0]]).get_xlabel() == "2 of 3 outside"
    assert plot.generated_points(real, [[0.5, 0.5], [1.05, 0.0]]).get_xlabel() == ""


def test_numbers_in_figures_have_a_true_minus_sign():
    ax = plot.training_curves({"gp": {"step": [1], "estimate": [[-100.0]]}}, exact=1.0)
    assert "gp −100" in texts(ax)
    assert ax.yaxis.get_major_formatter()(-10.0) == "−10"


@given(
    st.lists(st.integers(-99, 99).map(lambda k: k / 8), min_size=1, max_size=20),
    st.lists(st.integers(-99, 99).map(lambda k: k / 8), min_size=1, max_size=20),
)
def test_the_area_between_the_distribution_functions_is_the_distance(x, y):
    _, right = plot.distributions(x, y).axes
    one, other = right.lines
    np.testing.assert_array_equal(one.get_xdata(), other.get_xdata())
    between = np.abs(np.asarray(one.get_ydata()) - np.asarray(other.get_ydata()))[:-1]
    area = between @ np.diff(np.asarray(one.get_xdata()))
    assert area == pytest.approx(otgan.wasserstein(x, y), abs=1e-9)


def test_a_far_point_makes_no_more_bins():
    left, _ = plot.distributions([0.0, 1e-9, 2e-9] * 100, [1e9]).axes
    assert np.shape(left.patches[0].get_path().vertices)[0] <= 2 * 60 + 2


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99), st.sampled_from([3, 50]))
def test_principal_components_keep_the_distances_of_what_is_flat(n, m, seed, dim):
    rng = np.random.default_rng(seed)
    plane = np.linalg.qr(rng.normal(size=(dim, 2)))[0].T
    flat = rng.normal(size=(n + m, 2))
    points = flat @ plane + rng.normal(size=dim)
    ax = plot.principal_components(points[:n], points[n:])
    shown = np.concatenate([np.asarray(one.get_offsets()) for one in ax.collections])
    distances = [np.linalg.norm(side[:, None] - side[None], axis=2) for side in (flat, shown)]
    np.testing.assert_allclose(distances[1], distances[0], atol=1e-6)


def test_equal_points_have_no_components_and_are_drawn():
    assert "(0 % of the variance)" in plot.principal_components(np.ones((2, 3)), np.ones((1, 3))).get_xlabel()


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 1), (2, 2, 3)])
def test_pairs_run_from_the_nearest_to_the_furthest(shape):
    x = np.zeros((30, int(np.prod(shape))))
    y = np.random.default_rng(0).random(x.shape)
    figure = plot.matched_images(x, y, sparse.coo_array(np.eye(30) / 30), shape, names=("here", "there"))
    shown = [float(tick.get_text()) for tick in figure.axes[0].get_xticklabels()]
    away = np.linalg.norm(y, axis=1)
    assert len(shown) == 10
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (round(away.min(), 2), round(away.max(), 2))
    assert figure.axes[0].get_title(loc="left") == "above: here\nbelow: there"
    assert np.asarray(figure.axes[0].images[0].get_array()).shape[:2] == (2 * 2 + 1, 10 * 2 + 9)


def test_images_stand_in_rows_if_asked_to():
    shown = np.asarray(plot.sample_images(np.ones((5, 4)), (2, 2), n=5, across=3).images[0].get_array())
    assert shown.shape == (2 * 2 + 1, 3 * 2 + 2)


@pytest.mark.parametrize(
    ("dim", "shape", "names"),
    [
        (1, (1,), ["distributions"]),
        (2, (2,), ["plan"]),
        (5, (5,), ["components"]),
        (4, (2, 2), ["pairs", "components"]),
        (16, (2, 2, 4), ["components"]),
    ],
)
def test_each_kind_of_data_has_its_pictures(dim, shape, names):
    x, plan = np.random.default_rng(0).random((4, dim)), sparse.coo_array(np.eye(4) / 4)
    found = plot.pictures(x, x[::-1], plan, shape, ("a", "a name of more than thirty-two letters"))
    assert [picture.name for picture in found] == names
    for picture in found:
        papers = plot.render_all(picture.draw)
        assert papers is not None
        assert len({*papers}) == 4


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
