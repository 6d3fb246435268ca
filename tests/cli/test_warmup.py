"""``otgan warmup``; that nothing is left to be compiled after it, ``benchmarks/first_call.py`` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otgan.cli import main
from otgan.cli.warmup import calls

if TYPE_CHECKING:
    import pytest


def test_it_says_that_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warmup"]) == 0
    assert capsys.readouterr().out.startswith("compiled")


def test_it_makes_many_calls() -> None:
    assert len(calls()) > 15
