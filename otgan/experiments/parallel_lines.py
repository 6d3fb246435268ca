"""Two parallel lines: the Wasserstein distance grows with their distance, divergences only tell that they are apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan import divergences, plot
from otgan.data import toys
from otgan.experiments.experiment import Claim, Experiment, Record
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

__all__ = ["EXPERIMENT", "Settings", "run"]

ROUNDING = 1e-9  # of a length of one


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    n : int
        Points on each line, at the same heights, drawn uniformly.
    thetas : tuple of float
        Where the second line stands; the first stands at 0.
    """

    n: int = 1000
    thetas: tuple[float, ...] = tuple(round(k / 10, 1) for k in range(-10, 11))


def measure(settings: Settings, case: str, seed: int) -> Record:
    """W1, TV, KL and JS between the lines, at each theta."""
    found: Record = {"theta": settings.thetas, "W1": [], "gap": [], "TV": [], "KL": [], "JS": []}
    for theta in settings.thetas:
        # The same heights on both lines: so the sample has the distances of the uniform distributions exactly.
        x, y = (toys.two_lines(settings.n, np.random.default_rng(seed), theta=t) for t in (0.0, theta))
        solution = solve(x, y)
        found["W1"].append(solution.distance)
        found["gap"].append(solution.gap)
        found["TV"].append(divergences.total_variation(None, None, x=x, y=y))
        found["KL"].append(divergences.kullback_leibler(None, None, x=x, y=y))
        found["JS"].append(divergences.jensen_shannon(None, None, x=x, y=y))
    return found


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """W1 is abs(theta); the divergences take only two values."""
    return (
        Claim("largest difference of W1 from abs(theta)", tuple(map(_error, runs)), most=ROUNDING),
        Claim("largest difference of TV from 1 and of JS from log 2, off theta = 0", _off(runs), most=ROUNDING),
        Claim("finite KL off theta = 0", tuple(_finite(run) for run in runs), least=0, most=0),
    )


def _error(run: Record) -> float:
    return float(np.max(np.abs(np.array(run["W1"]) - np.abs(run["theta"]))))


def _off(runs: Sequence[Record]) -> tuple[float, ...]:
    return tuple(max(_apart(run, "TV", 1.0), _apart(run, "JS", math.log(2))) for run in runs)


def _apart(run: Record, name: str, constant: float) -> float:
    return max(abs(value - constant) for value, theta in zip(run[name], run["theta"], strict=True) if theta)


def _finite(run: Record) -> int:
    return sum(math.isfinite(float(value)) for value, theta in zip(run["KL"], run["theta"], strict=True) if theta)


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """Both panels of the paper's figure 1: W1 on the left, JS on the right."""
    figure, (left, right) = plot.panels(2, 3.0, narrow_height=2.4)
    first = runs[0]
    left.plot(first["theta"], first["W1"], ".-", color=plot.series(0)[0], linewidth=1.5)
    left.set_ylabel("W1")
    right.plot(first["theta"], first["JS"], ".", color=plot.series(1)[0])
    right.axhline(math.log(2), color=plot.text_colour(), linewidth=0.8, linestyle=":")
    right.annotate("log 2", (0, math.log(2)), (0, -3), textcoords="offset points", ha="center", va="top")
    right.set_ylabel("Jensen-Shannon")
    right.set_ylim(bottom=-0.02)
    for ax in (left, right):
        ax.set_xlabel("theta")
        ax.locator_params(axis="x", nbins=5)
    return figure


EXPERIMENT = Experiment(
    name="parallel_lines",
    title="Two parallel lines",
    source="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, Example 1 and figure 1",
    about=(
        "P is uniform on the segment x = 0, Q on x = theta. W1 is abs(theta), which a generator can descend. Total "
        "variation, KL and JS are 1, infinite and log 2 wherever theta is not 0: they have no slope."
    ),
    full=Settings(),
    quick=Settings(n=50, thetas=(-1.0, -0.5, 0.0, 0.5, 1.0)),
    cases=lambda settings: ("lines",),
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
