"""A run as one page of HTML that needs nothing beside itself."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from otgan import plot, report
from otgan.gan.grid import grid_png

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otgan.gan.run import Run

__all__ = ["run_figures", "run_page"]

SHOWN, WIDTH = 64, 640  # generated images, pixels of their picture
NUMBERS = {
    "exact": "exact W1 to held-out samples",
    "exact_ema": "the same of the averaged generator",
    "floor": "the same of samples trained on (the floor)",
    "critic": "the critic's number on the same points",
    "critic_corrected": "that without the overshoot of the penalty",
    "lower_bound": "W1 that the critic proves, repaired",
    "constant_bound": "W1 that a constant critic proves, repaired",
    "rank_correlation": "rank correlation of critic and exact over the run",
    "patch": "exact W1 between patches",
    "patch_floor": "W1 between patches of samples trained on (the floor)",
    "frechet_distance": "Fréchet distance in features of digits",
    "frechet_floor": "Fréchet distance of samples trained on (the floor)",
    "precision": "precision",
    "recall": "recall",
    "class_score": "class score",
    "modes": "classes or modes of the data that samples fall into",
    "outside": "share of samples in classes that the data do not have",
    "in_modes": "share of samples in modes",
}

DRAWN = (
    (
        plot.run_curves,
        "curves",
        "Exact distance and critic over the steps",
        "The exact distance between generated and held-out samples, in its 95 % band over other samples, and what the "
        "critic says on the same points. The dotted floor is what samples trained on have.",
    ),
    (plot.score_curves, "scores", "Scores over the steps", "Scores of the averaged generator's samples."),
    (
        plot.critic_and_exact,
        "critic",
        "The critic's number against the exact distance",
        "Each dot is a measurement, the later the darker: a critic that measured the distance would lie on a line.",
    ),
)


def run_page(run: Run, figures: Sequence[report.Figure] | None = None) -> str:
    """The page: the last measurement, how it came about, samples, and everything that is needed to do it again.

    Parameters
    ----------
    run : Run
    figures : sequence of Figure, optional
        Those of :func:`run_figures`, which are drawn if they do not come.

    Returns
    -------
    str
        A whole document; every string that came from outside is escaped.

    Examples
    --------
    >>> from otgan.gan import Config, train
    >>> page = run_page(train(Config(data="gaussians8", n=100, steps=2, width=8, monitor_every=1)))
    >>> page.count("exact W1 to held-out samples"), "<script" in page
    (1, False)
    """
    title = f"{run.config.data}, {run.config.objective}, {run.step} steps"
    measured = run.measurements
    start = next((record for record in run.history if record["kind"] == "run"), {})
    body = [
        f"<h1>{escape(title)}</h1>",
        _answer(measured[-1]) if measured else "<p>Nothing was measured: monitor_every is 0.</p>",
        *(report.figure_html(figure) for figure in (run_figures(run) if figures is None else figures)),
        "<h2>The last measurement</h2>" + report.facts_html(_numbers(measured[-1])) if measured else "",
        "<h2>How to do it again</h2>",
        report.facts_html({name: value for name, value in asdict(run.config).items() if value is not None}),
        report.facts_html({**start.get("data", {}), **report.environment_facts(start.get("environment", {}))}),
    ]
    return report.document(title, body)


def run_figures(run: Run) -> list[report.Figure]:
    """The curves, where something was measured and matplotlib is installed, and the samples.

    Samples are images, or points of the plane that the run has drawn into its folder.
    """
    figures = []
    for draw, name, alt, caption in DRAWN if len(run.measurements) > 1 else ():  # one point is no curve
        papers = plot.on_both_papers(lambda draw=draw: draw(run.history))
        if papers is not None:
            figures.append(report.Figure(*papers, alt, caption, name))
    if run.scaling.is_image:
        grid = grid_png(run.sample(SHOWN).reshape(SHOWN, -1), run.scaling, least_width=WIDTH)
        figures.append(report.Figure(grid, grid, "Generated images", "Samples of the averaged generator.", "samples"))
    elif last := _last_picture(run):
        caption = "Samples of the averaged generator, over real ones that were held out."
        figures.append(report.Figure(last, last, "Generated points", caption, "samples"))
    return figures


def _answer(last: dict[str, Any]) -> str:
    return (
        f'<div class="answer"><p class="number">W₁ = {float(last["exact"]):.5g}</p>'
        f"<p>The exact Wasserstein distance between {last['n']} samples of the generator in training and as many "
        f"held-out ones, proven, at step {last['step']}. The averaged generator, whose samples are shown, has "
        f"{float(last['exact_ema']):.5g}; samples trained on have {float(last['floor']):.5g}. "
        f"The critic says {float(last['critic']):.5g} "
        f"({escape(last['critic_estimates'])}) and proves {float(last['lower_bound']):.5g}"
        f"{_merit(last)}.</p></div>"
    )


def _merit(last: dict[str, Any]) -> str:
    """What any critic would prove; not in logs of earlier versions."""
    constant = last.get("constant_bound")
    return "" if constant is None else f"; a constant one, repaired in the same way, proves {float(constant):.5g}"


def _numbers(last: dict[str, Any]) -> dict[str, str]:
    there = {key: last[key] for key in NUMBERS if last.get(key) is not None}
    intervals = {key: ends for key, ends in last.get("intervals", {}).items() if ends}
    within = {key: f" ({float(low):.4g} to {float(high):.4g})" for key, (low, high) in intervals.items()}
    numbers = {key: f"{float(value):.6g}{within.get(key, '')}" for key, value in there.items()}
    if "modes_of" in last and "modes" in numbers:  # not in logs of earlier versions
        numbers["modes"] += f" of {last['modes_of']}"
    return {NUMBERS[key]: number for key, number in numbers.items()}


def _last_picture(run: Run) -> bytes | None:
    """What the run itself drew last."""
    drawn = sorted(run.folder.glob("samples/*.png")) if run.folder else []
    return drawn[-1].read_bytes() if drawn else None
