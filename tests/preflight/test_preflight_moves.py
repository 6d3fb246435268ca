"""How soon critics follow fakes that move, and that the far pair is among those that settings are chosen on."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest

import otgan
from otgan.preflights.cell import Cell
from otgan.preflights.ranking import followed, ranking
from otgan.preflights.table import moves_table
from otgan.preflights.verdict import verdict

PAIR: Any = {"family": "trees", "size": "halfway", "w1": 2.0, "share": 0.15, "line_number": 1.0, "line_cosine": 0.5}
JUDGED: Any = {"numbers": (1.8,), "cosines": (0.8,), "norms": (1.0,), "slopes": (1.0,), "steps": 200}
COMPARED = Cell("gp", {}, "pairs", settled=50, **PAIR, **JUDGED)
MOVED = Cell("gp", {}, "moves", settled=12, **PAIR, **JUDGED)


def test_settings_are_compared_near_halfway_and_far_and_every_critic_follows_a_move() -> None:
    result = otgan.preflight("digits:8", methods=["clip", "lp"], n=100, steps=4, seeds=1, device="cpu")
    tried = {(cell.size, cell.family) for cell in result.cells if cell.stage == "settings"}
    assert [size for size, _ in sorted(tried)] == ["far", "halfway", "near"]
    moved = followed(result.cells)
    assert set(moved) == {"clip", "lp"}
    assert all(1 <= (cell.settled or 0) <= cell.steps == 4 for cell in moved.values())
    assert len(moves_table(result.cells)) == 3
    assert "n_critic: how soon a critic follows" in result.to_html()


def test_a_move_has_no_part_in_the_ranking() -> None:
    assert ranking([COMPARED, MOVED]) == ranking([COMPARED])


@pytest.mark.parametrize(
    ("settled", "words"),
    [
        (1, "again after 1 step:"),
        (12, "again after 12 steps:"),
        (190, "200 steps were too few for its number to settle"),
    ],
)
def test_what_is_said_of_a_move(settled: int, words: str) -> None:
    (text,) = verdict([COMPARED, replace(MOVED, settled=settled)]).expect
    assert "When fakes moved to others that are as far away (halfway)" in text
    assert words in text


def test_without_a_move_nothing_is_said_of_one() -> None:
    assert "moved" not in verdict([COMPARED]).expect[0]
    assert len(moves_table([COMPARED])) == 1


def test_modules_can_be_imported_beside_the_function() -> None:
    import otgan.preflights.plan as plan

    assert plan is importlib.import_module("otgan.preflights.plan")
    assert callable(otgan.preflight)
