"""The HTML page of a run: one file that refers to no other file or host."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from otgan import report
from otgan.errors import OTError
from otgan.gan.dataset import dataset
from otgan.gan.monitor_page import MonitorPage, advice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from otgan.gan.run import Run

__all__ = ["run_advice", "run_figures", "run_page"]


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
    page = _page(run)
    return page.html(page.figures() if figures is None else figures)


def run_figures(run: Run) -> list[report.Figure]:
    """The curves, where something was measured and matplotlib is installed, and the samples.

    Samples stand beside held-out ones where the data can be read again; otherwise they are images alone, or points of
    the plane that the run has drawn into its folder.
    """
    return _page(run).figures()


def _page(run: Run) -> MonitorPage:
    start = _start(run)
    return MonitorPage(
        title=f"{run.config.data}, {run.config.objective}, {run.step} steps",
        about=_objective(run.config.objective),
        records=run.history,
        unmeasured="Nothing was measured: monitor_every is 0.",
        advice=run_advice(run),
        facts=[
            {name: value for name, value in asdict(run.config).items() if value is not None},
            {**start.get("data", {}), **report.environment_facts(start.get("environment", {}))},
        ],
        scaling=run.scaling,
        generator="the averaged generator",
        sample=lambda n: run.sample(n).reshape(n, -1),
        real=lambda: _held_out(run),
        drawn=_last_picture(run),
    )


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
    other = "--objective wgan-gp" if run.config.objective != "wgan-gp" else "--learning-rate"
    text, worth = advice(trained, f"Train another one ({other})")
    return text, command if worth else None


def _last_picture(run: Run) -> bytes | None:
    """What the run itself drew last."""
    drawn = sorted(run.folder.glob("samples/*.png")) if run.folder else []
    return drawn[-1].read_bytes() if drawn else None
