"""Sentences on cells that are made up: what they must say is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otgan.preflights.cell import Cell
from otgan.preflights.ranking import best_settings, ranking
from otgan.preflights.verdict import verdict

SIZES = {"near": 0.3, "halfway": 1.5, "far": 6.0}


def cells(method: str, ratio: float, cosine: float, slope: float = 1.0, **options: float) -> list[Cell]:
    """A critic that is as far off everywhere."""
    return [
        Cell(
            method=method,
            options=dict(options),
            stage="pairs",
            family=family,
            size=size,
            w1=w1,
            share=w1 / 10,
            line_number=0.4 * w1,
            line_cosine=0.4,
            numbers=(ratio * w1, ratio * w1),
            cosines=(cosine, cosine),
            norms=(slope, slope),
            slopes=(slope, slope),
            steps=400,
            settled=100,
            seconds=1.0,
        )
        for family in ("least-cones", "networks")
        for size, w1 in SIZES.items()
    ]


CLIP, INFLATED, RIGHT = cells("clip", 0.1, 0.3, 0.15), cells("gp", 1.8, 0.7, 1.8), cells("orthogonal", 0.97, 0.95)


def test_the_right_critic_is_first_and_is_trusted() -> None:
    said = verdict([*CLIP, *INFLATED, *RIGHT], "faces")
    assert said.answer.startswith("Trust orthogonal on faces: number and gradient are right at every distance.")
    assert "orthogonal is first with a score of 0.96 of 1, then gp 0.45 and clip 0.20" in said.answer
    assert "0.40: a straight line" in said.answer
    assert said.advice == "Train with orthogonal (defaults), and watch its number: it is the distance."


def test_a_number_far_off_is_said_with_how_far_and_what_its_slope_would_make_of_it() -> None:
    _, expected, _ = verdict([*CLIP, *INFLATED, *RIGHT])
    clip = next(text for text in expected if text.startswith("clip:"))
    assert "nearly there its number is 0.10 of the distance, and its gradient points 0.30 along the way" in clip
    assert "no better than a straight line's where fakes are nearly there, halfway and far away" in clip
    assert "Divided by its largest slope, its number would be 0.67 of the distance" in clip
    assert "Its number settles after 100 steps, 20 of the generator at n_critic = 5." in clip


def test_an_inflated_number_is_said_as_a_multiple() -> None:
    said = verdict(INFLATED, "faces")
    assert said.answer.startswith("No critic can be trusted on faces as it is.")
    assert "its number is 1.80 times the distance" in said.expect[0]
    assert "do not read its number as the distance" in said.advice


def test_a_gradient_that_is_right_is_trusted_alone() -> None:
    said = verdict(cells("clip", 0.1, 0.95), "faces")
    assert said.answer.startswith("Trust the gradient of clip on faces, but no critic's number.")


def test_where_nothing_beats_a_straight_line_that_is_the_advice() -> None:
    assert verdict(cells("gp", 0.05, 0.1)).advice.startswith("No critic did better than a straight line.")


def test_a_number_that_still_moves_is_said() -> None:
    moving = [replace(cell, settled=390) for cell in INFLATED]
    said = verdict(moving)
    assert "After 400 steps its number was still moving" in said.expect[0]
    assert said.advice.endswith("gp was still learning at the end: more time (--minutes) may change the order.")


def test_nothing_compared_is_no_verdict() -> None:
    assert verdict([]).answer == "It was stopped before critics could be compared."


def test_critics_are_compared_on_the_pairs_that_all_have() -> None:
    hard = replace(RIGHT[0], family="trees", numbers=(0.0,), cosines=(0.0,))
    with_one_more, without = ranking([*RIGHT, hard, *CLIP]), ranking([*RIGHT, *CLIP])
    assert [place.score for place in with_one_more] == [place.score for place in without]


def test_a_critic_that_diverges_scores_nothing_there() -> None:
    failed = replace(RIGHT[0], numbers=(), cosines=(), norms=(), slopes=(), failed="the critic diverged")
    place = ranking([failed, *RIGHT[1:]])[0]
    assert place.failed == 1
    assert place.score < ranking(RIGHT)[0].score
    assert "On 1 of the pairs its training diverged." in verdict([failed, *RIGHT[1:]]).expect[0]


def test_settings_are_chosen_by_their_mean_score() -> None:
    tried = [
        replace(cell, stage="settings")
        for cell in [*cells("gp", 0.2, 0.2)[:2], *cells("gp", 0.9, 0.8, learning_rate=1e-3)[:2]]
    ]
    assert best_settings(tried) == {"gp": {"learning_rate": 1e-3}}
    said = verdict([*tried, *cells("gp", 0.9, 0.8, learning_rate=1e-3)]).expect[0]
    assert "Of the settings tried, learning rate 0.001 did best, with a score of 0.85 (defaults 0.20)." in said


@pytest.mark.parametrize("ratio", [-0.5, 0.0, 3.0])
def test_a_number_on_the_wrong_side_or_far_beyond_earns_nothing(ratio: float) -> None:
    assert ranking(cells("gp", ratio, 0.0))[0].score == 0.0
