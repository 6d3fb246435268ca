"""The HTML page of a run: one file that refers to no other file or host."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import plot, report
from otgan.errors import OTError
from otgan.gan.dataset import dataset
from otgan.gan.grid import grid_png, to_bytes
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from otgan.gan.run import Run

__all__ = ["run_advice", "run_figures", "run_page"]

SHOWN_IMAGES, GRID_WIDTH_PIXELS = 64, 640  # generated ones, and at least the width of their picture
IMAGES_A_ROW, IMAGES_A_NARROW_ROW = 16, 8  # of these
COMPARED_SAMPLES = 500  # of each side in pictures of both
SIDES = ("the held-out data", "the averaged generator")
NEAR = 1.1  # times the floor: a generator that is no further from the data has little left to win
LEAST_SEEN = 1.01  # times the least distance of the run: what counts as still falling
FOLLOWS = 0.8  # rank correlation of a critic that can be steered by

DISTANCES = {
    "exact": "exact W1 to held-out samples",
    "exact_ema": "the same of the averaged generator",
    "floor": "the same of samples trained on (the floor)",
    "critic": "the critic's number on the same points",
    "critic_corrected": "that without the overshoot of the penalty",
    "lower_bound": "W1 that the critic proves, repaired",
    "constant_bound": "W1 that a constant critic proves, repaired",
    "patch": "exact W1 between patches",
    "patch_floor": "W1 between patches of samples trained on (the floor)",
}
SCORES = {
    "rank_correlation": "rank correlation of critic and exact over the run",
    "frechet_distance": "Fréchet distance in features of digits",
    "frechet_floor": "Fréchet distance of samples trained on (the floor)",
    "precision": "precision",
    "recall": "recall",
    "class_score": "class score",
    "modes": "classes or modes of the data that samples fall into",
    "outside": "share of samples in classes that the data do not have",
    "in_modes": "share of samples in modes",
}
NUMBERS = DISTANCES | SCORES
MEANINGS = {
    "exact": "of the generator in training; in brackets where 95 % of other samples would have it",
    "exact_ema": "whose weights are a moving average over the steps; the samples shown are its",
    "floor": "what a generator as good as the data itself would have",
    "critic": "of the generator in training",
    "critic_corrected": "a penalised critic is steeper than 1, by an amount that theory predicts",
    "lower_bound": "its values, changed as little as makes them 1-Lipschitz: never above the exact W1",
    "constant_bound": "a critic that has learnt nothing, repaired in the same way: the critic adds the rest",
    "patch": "small squares cut out of images, which convolutional critics compare rather than whole ones",
    "rank_correlation": report.WORDS["rank correlation"],
    "frechet_distance": "between Gaussians fitted to what a classifier sees in real and in generated digits",
    "precision": "the share of generated samples that lie among real ones",
    "recall": "the share of real samples that lie among generated ones",
    "class_score": report.WORDS["class score"],
    "outside": "as the classifier sees them",
    "in_modes": "within three standard deviations of the centre of one",
}

CURVES = (
    (
        plot.run_curves,
        "curves",
        "Exact distance and critic over the steps",
        "The exact distance between generated and held-out samples, in its 95 % band over other samples, and what the "
        "critic says on the same points. The pale wide line is the lower bound that the critic proves. The dotted "
        "floor is what samples trained on have.",
    ),
    (
        plot.score_curves,
        "scores",
        "Scores over the steps",
        "Scores of the averaged generator's samples. What they mean stands in the table above.",
    ),
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
    start = _start(run)
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(_objective(run.config.objective))}</p>',
        _answer(measured[-1]) if measured else "<p>Nothing was measured: monitor_every is 0.</p>",
        report.next_html(*run_advice(run)),
        *(["<h2>The last measurement</h2>", *_tables(measured[-1])] if measured else []),
        "<h2>The figures</h2>",
        *(report.figure_html(figure) for figure in (run_figures(run) if figures is None else figures)),
        "<h2>How to do it again</h2>",
        report.facts_html({name: value for name, value in asdict(run.config).items() if value is not None}),
        report.facts_html({**start.get("data", {}), **report.environment_facts(start.get("environment", {}))}),
    ]
    return report.document(title, body)


def run_figures(run: Run) -> list[report.Figure]:
    """The curves, where something was measured and matplotlib is installed, and the samples.

    Samples stand beside held-out ones where the data can be read again; otherwise they are images alone, or points of
    the plane that the run has drawn into its folder.
    """
    pictures = [*_curves(run), *_samples(run)]
    drawn = ((plot.render_all(picture.draw), picture) for picture in pictures)
    figures = [
        report.Figure(renderings.light, renderings.dark, picture.alt, picture.caption, picture.name, renderings[2:])
        for renderings, picture in drawn
        if renderings is not None
    ]
    there = {figure.name for figure in figures}
    if run.scaling.is_image and "samples" not in there:  # without matplotlib
        grid = grid_png(run.sample(SHOWN_IMAGES).reshape(SHOWN_IMAGES, -1), run.scaling, least_width=GRID_WIDTH_PIXELS)
        figures.append(report.Figure(grid, grid, "Generated images", "Samples of the averaged generator.", "samples"))
    elif not there & {"samples", "plan"} and (last := _last_picture(run)):
        caption = "Samples of the averaged generator, over real ones that were held out."
        figures.append(report.Figure(last, last, "Generated points", caption, "samples"))
    return figures


def _curves(run: Run) -> Iterator[plot.Picture]:
    for draw, *about in CURVES if len(run.measurements) > 1 else ():  # one point is no curve
        yield plot.Picture(partial(draw, run.history), *about)


def _samples(run: Run) -> Iterator[plot.Picture]:
    """Generated images, and pictures of generated and held-out samples."""
    if run.scaling.is_image:
        shown = to_bytes(run.sample(SHOWN_IMAGES).reshape(SHOWN_IMAGES, -1), run.scaling) / 255
        yield plot.Picture(
            lambda: plot.sample_images(
                shown,
                run.scaling.shape,
                n=SHOWN_IMAGES,
                across=IMAGES_A_NARROW_ROW if plot.is_narrow() else IMAGES_A_ROW,
            ),
            "samples",
            "Generated images",
            "Samples of the averaged generator.",
        )
    real = _held_out(run)
    if real is None:
        return
    real = real[:COMPARED_SAMPLES]
    try:
        generated = run.sample(len(real)).reshape(len(real), -1)
    except OTError:  # not finite: there is nothing to show
        return
    plan = solve(real, generated, throw=False).plan
    yield from plot.pictures(real, generated, plan, run.scaling.shape, SIDES)


def _held_out(run: Run) -> NDArray[np.float64] | None:
    """Held-out samples (m, d), read again; None where that cannot be, or the data have changed since."""
    try:
        samples = dataset(run.config, torch.device("cpu"))
    except (OTError, OSError):
        return None
    return samples.held_out if samples.sha256 == _start(run).get("data", {}).get("sha256") else None


def _start(run: Run) -> dict[str, Any]:
    """What the log says of the run as a whole."""
    return next((record for record in run.history if record["kind"] == "run"), {})


def _objective(name: str) -> str:
    return f"{name}: {report.typeset(report.WORDS[name])}." if name in report.WORDS else ""


def run_advice(run: Run) -> tuple[str, str | None]:
    """Two sentences on a run: whether more steps are worth their time, and whether its critic can be relied on.

    Returns
    -------
    text : str
    command : str or None
        What does it.

    Examples
    --------
    >>> from otgan.gan import Config, train
    >>> run_advice(train(Config(data="gaussians8", n=100, steps=2, width=8, monitor_every=0)))[0]
    'Nothing is known of its samples. Train with --monitor-every, and the exact W1 is measured on the way.'
    """
    trained = [record for record in run.measurements if record["step"] > 0]
    onward = shlex.join(["otgan", "train", "--resume", str(run.folder), "--steps", f"{2 * max(run.step, 1)}"])
    command = onward if run.folder else None
    if not run.measurements:
        return (
            "Nothing is known of its samples. Train with --monitor-every, and the exact W1 is measured on the way.",
            None,
        )
    if not trained:
        return (
            "It was measured before training alone. Go on with it up to a step that --monitor-every divides.",
            command,
        )
    first, worth = _generator(trained, run.config.objective)
    return f"{first} {_critic(trained[-1])}", command if worth else None


def _generator(trained: list[dict[str, Any]], objective: str) -> tuple[str, bool]:
    """What is to be done about the generator, and whether that is to train on."""
    distances = [float(record["exact_ema"]) for record in trained]
    times = distances[-1] / (float(trained[-1]["floor"]) or math.nan)
    if times <= NEAR:
        return "More steps have little left to win: its samples are as near to held-out ones as the data's own.", False
    away = f"its W1 is still {times:.1f} times that of the data's own samples" if math.isfinite(times) else "it"
    if not min(distances) * LEAST_SEEN < distances[-1]:
        return f"Train on: {away}, and falls.", True
    best = trained[int(np.nanargmin(distances))]["step"] if not np.isnan(distances).all() else 0
    other = "--objective wgan-gp" if objective != "wgan-gp" else "--learning-rate"
    return f"Train another one ({other}): {away}, and was least at step {best}.", False


def _critic(last: dict[str, Any]) -> str:
    """Whether the critic's number says something."""
    correlation = last.get("rank_correlation")
    if correlation is None or math.isnan(float(correlation)):
        return "Whether its critic's number follows the exact W1 is seen after three measurements."
    said = report.typeset(f"{float(correlation):.2f}")
    if float(correlation) >= FOLLOWS:
        return f"Its critic's number can be watched in between: it follows the exact W1 (rank correlation {said})."
    return f"Do not steer by its critic's number, which does not follow the exact W1 (rank correlation {said})."


def _answer(last: dict[str, Any]) -> str:
    exact = float(last["exact"])

    def said(key: str) -> str:
        return report.typeset(report.amount(last[key], exact))

    return (
        f'<div class="answer"><p class="number">W₁ = {said("exact")}</p>'
        f"<p>The exact Wasserstein distance between {last['n']} samples of the generator in training and as many "
        f"held-out ones, proven, at step {last['step']}. The averaged generator, whose samples are shown, has "
        f"{said('exact_ema')}; samples trained on have {said('floor')}. "
        f"The critic says {said('critic')} ({escape(last['critic_estimates'])}) and proves {said('lower_bound')}"
        f"{_share(last, said)}.</p></div>"
    )


def _share(last: dict[str, Any], said: Any) -> str:
    """What any critic would prove; not in logs of earlier versions."""
    if last.get("constant_bound") is None:
        return ""
    return f"; a constant one, repaired in the same way, proves {said('constant_bound')}"


def _tables(last: dict[str, Any]) -> Iterator[str]:
    """Distances with the decimals of the exact one, and scores with three, each with what it means."""
    for head, names, scale in (
        ("Distances, in units of the data", DISTANCES, float(last["exact"])),
        ("Scores", SCORES, 1.0),
    ):
        facts = {label: _fact(last, key, scale) for key, label in names.items() if last.get(key) is not None}
        if facts:
            yield f"<h3>{head}</h3>{report.facts_html(facts)}"


def _fact(last: dict[str, Any], key: str, scale: float) -> Any:
    """A number with its interval, and what it means."""
    form = (lambda value: f"{float(value):.0f}") if key == "modes" else (lambda value: report.amount(value, scale))
    ends = last.get("intervals", {}).get(key)
    within = f" ({form(ends[0])} to {form(ends[1])})" if ends else ""
    among = f" of {last['modes_of']}" if key == "modes" and "modes_of" in last else ""  # not in logs of old versions
    value = report.typeset(f"{form(last[key])}{among}{within}")
    return (value, MEANINGS[key]) if key in MEANINGS else value


def _last_picture(run: Run) -> bytes | None:
    """What the run itself drew last."""
    drawn = sorted(run.folder.glob("samples/*.png")) if run.folder else []
    return drawn[-1].read_bytes() if drawn else None
