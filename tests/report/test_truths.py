"""Pages say what they take for the truth, all in the same words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otgan
from otgan import report
from otgan.check import check
from otgan.gan import Monitor

if TYPE_CHECKING:
    from pathlib import Path


def said(page: str) -> set[str]:
    """The truths whose sentence a page has."""
    return {name for name, text in report.TRUTHS.items() if escape(report.typeset(text)) in page}


@pytest.mark.parametrize("n_held_out", [0, 20])
def test_a_check_has_the_samples_and_what_is_held_out(n_held_out: int, tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 20 + n_held_out, 2)) + np.array([[[0.0, 0.0]], [[2.0, 0.0]]])
    options: dict[str, Any] = {"methods": ["clip"], "steps": 3, "n": 20}
    page = (check(x, y, **options).write(tmp_path) / "report.html").read_text(encoding="utf-8")
    assert said(page) == ({"samples", "held out"} if n_held_out else {"samples"})
    assert page.index('class="answer"') < page.index("What is taken for the truth")


def test_a_monitor_has_samples_that_were_held_out(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(40, 2))
    monitor = Monitor(points, n=20)
    monitor.measure(points[:20] + 1.0, step=1)
    page = monitor.report(tmp_path).read_text(encoding="utf-8")
    assert said(page) == {"samples", "held out"}


def test_a_preflight_has_distributions_whose_w1_is_known() -> None:
    page = otgan.preflight("digits:8", methods=["clip"], n=60, steps=3, seeds=1, device="cpu").to_html()
    assert said(page) == {"known W1"}
    assert page.index('class="answer"') < page.index("What is taken for the truth")
