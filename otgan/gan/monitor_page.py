"""The page of what a monitor measured: one file that refers to no other file or host."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import plot, report
from otgan.data.datasets import CHANNELS
from otgan.errors import OTError
from otgan.gan.grid import grid_png, to_bytes
from otgan.gan.scaling import SampleScaling
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from otgan.gan.monitor import Monitor

__all__ = ["DISTANCES", "MEANINGS", "NUMBERS", "SCORES", "MonitorPage", "advice", "monitor_page"]

SHOWN_IMAGES, GRID_WIDTH_PIXELS = 64, 640  # generated ones, and at least the width of their picture
IMAGES_A_ROW, IMAGES_A_NARROW_ROW = 16, 8  # of these
COMPARED_SAMPLES = 500  # of each side in pictures of both
NEAR = 1.1  # times the floor: a generator that is no further from the data has little left to win
LEAST_SEEN = 1.01  # times the least distance of the run: what counts as still falling
FOLLOWS = 0.8  # rank correlation of a critic that can be steered by

DISTANCES = {
    "exact": "exact W1 to held-out samples",
    "exact_ema": "the same of the averaged generator",
    "floor": "exact W1 of samples trained on (the floor)",
    "critic": "the critic's number on the same points",
    "critic_corrected": "that without the overshoot of the penalty",
    "lower_bound": "W1 that the critic proves, repaired",
    "constant_bound": "W1 that a constant critic proves, repaired",
    "sliced": "W1 along lines, the mean of 64",
    "sliced_floor": "W1 along lines of samples trained on (the floor)",
    "sliced_max": "W1 along the line on which it is largest",
    "patch": "exact W1 between patches",
    "patch_floor": "W1 between patches of samples trained on (the floor)",
}
SCORES = {
    "rank_correlation": "rank correlation of critic and exact over the run",
    "frechet_distance": "Fréchet distance in features of a network",
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
    "sliced": "both samples projected onto lines, where the exact W1 costs a sort",
    "sliced_max": "of these and the one through both means; projections bring points nearer: it is never above W1",
    "patch": "small squares cut out of images, which convolutional critics compare rather than whole ones",
    "rank_correlation": report.WORDS["rank correlation"],
    "frechet_distance": "between Gaussians fitted to what a network sees in real and in generated samples",
    "precision": "the share of generated samples that lie among real ones",
    "recall": "the share of real samples that lie among generated ones",
    "class_score": report.WORDS["class score"],
    "outside": "as the classifier sees them",
    "in_modes": "within three standard deviations of the centre of one",
}


@dataclass(frozen=True, eq=False)
class MonitorPage:
    """What a page shows, and the page.

    Attributes
    ----------
    title, about : str
        The heading, and a line below it, which may be empty.
    records : sequence of mappings
        Those of kind "monitor" are shown.
    unmeasured : str
        What is said where there are none.
    advice : (str, str or None)
        What to do next, and the command that does it.
    facts : sequence of mappings
        Tables of what is needed to do it again.
    scaling : SampleScaling
        Shape of a sample; of images the values of black and white.
    generator : str
        What it is called whose samples are shown.
    sample : callable or None
        At most so many of its samples, (k, d); None where there are none.
    real : callable
        Held-out samples (m, d), to show beside them, or None.
    drawn : bytes or None
        A picture of samples (PNG) for where nothing else can be shown.
    """

    title: str
    about: str
    records: Sequence[Mapping[str, Any]]
    unmeasured: str
    advice: tuple[str, str | None]
    facts: Sequence[Mapping[str, Any]]
    scaling: SampleScaling
    generator: str
    sample: Callable[[int], NDArray[np.float64]] | None
    real: Callable[[], NDArray[np.float64] | None]
    drawn: bytes | None = None

    @property
    def measured(self) -> list[Mapping[str, Any]]:
        """The measurements."""
        return [record for record in self.records if record["kind"] == "monitor"]

    def html(self, figures: Sequence[report.Figure]) -> str:
        """The page: the last measurement, how it came about, samples, and what is needed to do it again.

        Every string that came from outside is escaped.
        """
        last = self.measured[-1] if self.measured else None
        body = [
            f"<h1>{escape(self.title)}</h1>",
            f'<p class="quiet">{escape(self.about)}</p>',
            _answer(last) if last else f"<p>{escape(self.unmeasured)}</p>",
            report.next_html(*self.advice),
            *(["<h2>The last measurement</h2>", *_tables(last)] if last else []),
            report.truths_html(*report.truths_of_measurement(last or {})),
            "<h2>The figures</h2>",
            *(report.figure_html(figure) for figure in figures),
            "<h2>How to do it again</h2>",
            *(report.facts_html(table) for table in self.facts),
        ]
        return report.document(self.title, body)

    def figures(self) -> list[report.Figure]:
        """The curves, where something was measured and matplotlib is installed, and the samples.

        Samples stand beside held-out ones where there are any; otherwise they are images alone, or what was drawn
        before.
        """
        pictures = [*self._curves(), *self._samples()]
        drawn = ((plot.render_all(picture.draw), picture) for picture in pictures)
        figures = [
            report.Figure(renderings.light, renderings.dark, picture.alt, picture.caption, picture.name, renderings[2:])
            for renderings, picture in drawn
            if renderings is not None
        ]
        there = {figure.name for figure in figures}
        caption = f"Samples of {self.generator}"
        if self.sample and self.scaling.is_image and "samples" not in there:  # without matplotlib
            grid = grid_png(self.sample(SHOWN_IMAGES), self.scaling, least_width=GRID_WIDTH_PIXELS)
            figures.append(report.Figure(grid, grid, "Generated images", f"{caption}.", "samples"))
        elif not there & {"samples", "plan"} and self.drawn is not None:
            over = f"{caption}, over real ones that were held out."
            figures.append(report.Figure(self.drawn, self.drawn, "Generated points", over, "samples"))
        return figures

    def files(self) -> dict[str, bytes]:
        """The page as ``report.html``, and its figures, by the names of their files."""
        figures = self.figures()
        drawn = {f"{figure.name}.png": figure.light for figure in figures}
        return {**drawn, "report.html": self.html(figures).encode("utf-8", "replace")}

    def _curves(self) -> Iterator[plot.Picture]:
        if len(self.measured) < 2:  # one point is no curve
            return
        yield plot.Picture(
            partial(plot.run_curves, self.records),
            "curves",
            "Exact distance and critic over the steps",
            "The exact distance between generated and held-out samples, in its 95 % band over other samples, and what "
            "the critic says on the same points. The pale wide line is the lower bound that the critic proves, the "
            "dashed one what a constant proves: where both are the same, the critic adds nothing. The dotted floor is "
            "what samples trained on have.",
        )
        yield plot.Picture(
            partial(plot.score_curves, self.records),
            "scores",
            "Scores over the steps",
            f"Scores of samples of {self.generator}. What they mean stands in the table above.",
        )
        if any(record.get("critic") is not None for record in self.measured):
            yield plot.Picture(
                partial(plot.critic_and_exact, self.records),
                "critic",
                "The critic's number against the exact distance",
                "Each dot is a measurement, the later the darker: a critic that measured the distance would lie on a "
                "line.",
            )

    def _samples(self) -> Iterator[plot.Picture]:
        """Generated images, and pictures of generated and held-out samples."""
        shape = self.scaling.shape
        if self.sample is None:
            return
        if self.scaling.is_image:
            shown = to_bytes(self.sample(SHOWN_IMAGES), self.scaling) / 255
            yield plot.Picture(
                lambda: plot.sample_images(
                    shown, shape, n=SHOWN_IMAGES, across=IMAGES_A_NARROW_ROW if plot.is_narrow() else IMAGES_A_ROW
                ),
                "samples",
                "Generated images",
                f"Samples of {self.generator}.",
            )
        if (real := self.real()) is None:
            return
        real = real[:COMPARED_SAMPLES]
        try:
            generated = self.sample(len(real))
        except OTError:  # not finite: there is nothing to show
            return
        plan = solve(real, generated, throw=False).plan
        yield from plot.pictures(real, generated, plan, shape, ("the held-out data", self.generator))


def monitor_page(monitor: Monitor) -> MonitorPage:
    """The page of a monitor, with the samples that it measured last."""
    shape = monitor.layout.shape
    if len(shape) == 3 and shape[2] not in CHANNELS:  # no picture has such channels
        shape = (monitor.held_out.shape[1],)
    low, high = float(monitor.held_out.min()), float(monitor.held_out.max())
    trained = [record for record in monitor.history if record["step"] > 0]
    text = "Nothing is known of its samples yet. Measure them after some steps."
    generated = monitor.generated
    return MonitorPage(
        title=f"{len(monitor.history)} measurements of a generator",
        about="Exact Wasserstein distances to held-out samples.",
        records=monitor.history,
        unmeasured="Nothing was measured yet.",
        advice=(advice(trained, "Change how it is trained, such as the learning rate")[0] if trained else text, None),
        facts=[monitor.facts(), report.environment_facts(report.environment())],
        scaling=SampleScaling.within(shape, low, high if high > low else low + 1),
        generator="the generator",
        sample=None if generated is None else lambda n: generated[:n],
        real=lambda: monitor.held_out,
    )


def advice(trained: Sequence[Mapping[str, Any]], another: str) -> tuple[str, bool]:
    """What measurements after the first step say is to be done, and whether that is to train on.

    Parameters
    ----------
    trained : sequence of mappings
        At least one.
    another : str
        What to do where the distance does not fall any more.

    Examples
    --------
    >>> advice([{"step": 1, "exact": 3.0, "floor": 1.0}, {"step": 2, "exact": 2.0, "floor": 1.0}], "Stop")
    ("Train on: its W1 is still 2.0 times that of the data's own samples, and falls.", True)
    """
    first, worth = _generator(trained, another)
    critic = f" {_critic(trained[-1])}" if trained[-1].get("critic") is not None else ""
    return f"{first}{critic}", worth


def _generator(trained: Sequence[Mapping[str, Any]], another: str) -> tuple[str, bool]:
    """What is to be done about the generator, and whether that is to train on."""
    distances = [float(record.get("exact_ema", record["exact"])) for record in trained]
    times = distances[-1] / (float(trained[-1].get("floor") or math.nan) or math.nan)
    if times <= NEAR:
        return "More steps have little left to win: its samples are as near to held-out ones as the data's own.", False
    away = f"is still {times:.1f} times that of the data's own samples, and " if math.isfinite(times) else ""
    if not min(distances) * LEAST_SEEN < distances[-1]:
        return f"Train on: its W1 {away}falls.", True
    best = trained[int(np.nanargmin(distances))]["step"] if not np.isnan(distances).all() else 0
    return f"{another}: its W1 {away}was least at step {best}.", False


def _critic(last: Mapping[str, Any]) -> str:
    """Whether the critic's number says something."""
    correlation = last.get("rank_correlation")
    if correlation is None or math.isnan(float(correlation)):
        return "Whether its critic's number follows the exact W1 is seen after three measurements."
    said = report.typeset(f"{float(correlation):.2f}")
    if float(correlation) >= FOLLOWS:
        return f"Its critic's number can be watched in between: it follows the exact W1 (rank correlation {said})."
    return f"Do not steer by its critic's number, which does not follow the exact W1 (rank correlation {said})."


def _answer(last: Mapping[str, Any]) -> str:
    exact = float(last["exact"])

    def said(key: str) -> str:
        return report.typeset(report.amount(last[key], exact))

    there = {key for key in ("exact_ema", "floor", "critic", "constant_bound") if last.get(key) is not None}
    text = [
        f"The exact Wasserstein distance between {last['n']} samples of the generator in training and as many held-out "
        f"ones, proven, at step {last['step']}."
    ]
    if "exact_ema" in there:
        text.append(f"The averaged generator, whose samples are shown, has {said('exact_ema')}.")
    if "floor" in there:
        text.append(f"Real samples, as those trained on, have {said('floor')}.")
    if "critic" in there:
        constant = (
            f"; a constant one, repaired in the same way, proves {said('constant_bound')}"
            if "constant_bound" in there  # not in logs of earlier versions
            else ""
        )
        text.append(
            f"The critic says {said('critic')} ({escape(last['critic_estimates'])}) and proves "
            f"{said('lower_bound')}{constant}."
        )
    return f'<div class="answer"><p class="number">W₁ = {said("exact")}</p><p>{" ".join(text)}</p></div>'


def _tables(last: Mapping[str, Any]) -> Iterator[str]:
    """Distances with the decimals of the exact one, and scores with three, each with what it means."""
    for head, names, scale in (
        ("Distances, in units of the data", DISTANCES, float(last["exact"])),
        ("Scores", SCORES, 1.0),
    ):
        facts = {label: _fact(last, key, scale) for key, label in names.items() if last.get(key) is not None}
        if facts:
            yield f"<h3>{head}</h3>{report.facts_html(facts)}"


def _fact(last: Mapping[str, Any], key: str, scale: float) -> Any:
    """A number with its interval, and what it means."""
    form = (lambda value: f"{float(value):.0f}") if key == "modes" else (lambda value: report.amount(value, scale))
    ends = last.get("intervals", {}).get(key)
    within = f" ({form(ends[0])} to {form(ends[1])})" if ends else ""
    among = f" of {last['modes_of']}" if key == "modes" and "modes_of" in last else ""  # not in logs of old versions
    value = report.typeset(f"{form(last[key])}{among}{within}")
    return (value, MEANINGS[key]) if key in MEANINGS else value
