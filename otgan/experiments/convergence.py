"""How fast and how steadily generators get better: DCGAN's objective, WGAN and WGAN-GP, dense and residual networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan import gan, plot
from otgan.experiments.experiment import Claim, Experiment, Record, of_case
from otgan.experiments.lines import seed_lines
from otgan.gan.correlation import rank_correlation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["EXPERIMENT", "NETWORKS", "OBJECTIVES", "Settings", "run"]

OBJECTIVES = ("non-saturating", "wgan", "wgan-gp")
NETWORKS = ("mlp", "resnet")
KEPT = ("step", "exact", "floor", "critic", "rank_correlation", "class_score", "modes")
SHOWN = (("step", "exact"), ("seconds", "exact"), ("step", "class_score"))  # across and up, a panel each


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    networks : tuple of str
        Of :data:`NETWORKS`.
    data : str
        Digits, whose classes a classifier knows.
    steps : int
        Of the generator.
    mlp_width, resnet_width : int
        Hidden units; channels.
    latent, batch_size : int
    rate, clip_rate : float
        Learning rate of all objectives but wgan, and of wgan.
    monitors : int
        How often samples are judged.
    """

    networks: tuple[str, ...] = NETWORKS
    data: str = "digits"
    steps: int = 1500
    mlp_width: int = 128
    resnet_width: int = 8
    latent: int = 32
    batch_size: int = 64
    rate: float = 5e-4
    clip_rate: float = 2e-4
    monitors: int = 20


def cases(settings: Settings) -> list[str]:
    """Every objective with both networks."""
    return [f"{network} {objective}" for network in settings.networks for objective in OBJECTIVES]


def measure(settings: Settings, case: str, seed: int) -> Record:
    """Exact W1 and scores over the training of one GAN; "seconds" are those of training alone."""
    network, objective = case.split()
    config = gan.Config(
        data=settings.data,
        objective=objective,  # type: ignore[arg-type]
        network=network,  # type: ignore[arg-type]
        width=settings.mlp_width if network == "mlp" else settings.resnet_width,
        latent=settings.latent,
        batch_size=settings.batch_size,
        learning_rate=settings.clip_rate if objective == "wgan" else settings.rate,
        steps=settings.steps,
        monitor_every=max(1, settings.steps // settings.monitors),
        ema_decay=0.99,
        seed=seed,
        device="cpu",
    )
    measured = gan.train(config).measurements
    spent = np.array([record["seconds"] for record in measured]) - np.cumsum([record["cost"] for record in measured])
    return {key: [record[key] for record in measured] for key in KEPT} | {"seconds": spent.tolist()}


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """WGAN-GP's samples get better with both networks, and a dense critic's number with them; others not always."""
    excess = {case: _of(runs, case, lambda run: _excess(run, -1)) for case in cases(settings)}
    before = {case: _of(runs, case, lambda run: _excess(run, 0)) for case in cases(settings)}
    seconds = {case: _of(runs, case, lambda run: run["seconds"][-1]) for case in cases(settings)}
    better = (
        Claim(
            f"{network}, wgan-gp: W1 above its floor, after training over before",
            _ratio(excess[f"{network} wgan-gp"], before[f"{network} wgan-gp"]),
            most=0.5,
        )
        for network in settings.networks
    )
    worse = (
        Claim(
            f"mlp: W1 above its floor, {name} over wgan-gp",
            _ratio(excess[f"mlp {name}"], excess["mlp wgan-gp"]),
            least=least,
        )
        for name, least in (("non-saturating", 1.5), ("wgan", 1.1))
    )
    return (
        *better,
        # A residual critic says 0.2 all along the last half, in which W1 falls by a tenth: nothing to follow.
        Claim(
            "mlp, wgan-gp: rank correlation of critic and W1, last half",
            tuple(_of(runs, "mlp wgan-gp", _correlation).tolist()),
            least=0.5,
        ),
        *worse,
        Claim(
            "mlp: seconds of wgan-gp over those of wgan", _ratio(seconds["mlp wgan-gp"], seconds["mlp wgan"]), least=1.0
        ),
    )


def _excess(run: Record, k: int) -> float:
    """How far W1 is above its floor at measurement ``k``."""
    return run["exact"][k] - run["floor"][k]


def _of(runs: Sequence[Record], case: str, number: Callable[[Record], float]) -> NDArray[np.float64]:
    return np.array([number(run) for run in of_case(runs, case)])


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple((over / under).tolist())


def _correlation(run: Record) -> float:
    """Of critic and exact W1 over the last half; before that samples go from a blur near all digits to digits."""
    half = len(run["exact"]) // 2
    late = zip(run["critic"][half:], run["exact"][half:], strict=True)
    correlation = rank_correlation([{"kind": "monitor", "critic": critic, "exact": exact} for critic, exact in late])
    return math.nan if correlation is None else correlation


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """A row for each network: exact W1 against steps and against time, and the class score against steps."""
    figure, axes = plot.panels(3 * len(settings.networks), 2.6, across=3, narrow_height=2.2)
    panels = [axes[k : k + 3] for k in range(0, len(axes), 3)]
    for network, row in zip(settings.networks, panels, strict=True):
        for k, objective in enumerate(OBJECTIVES):
            own = of_case(runs, f"{network} {objective}")
            for ax, (across, up) in zip(row, SHOWN, strict=True):
                seed_lines(ax, ((run[across], run[up]) for run in own), objective, k)
        for ax in row[:2]:
            ax.axhline(runs[0]["floor"][0], color=plot.text_colour(), linewidth=0.8, linestyle=":")
        row[0].set_ylabel(f"{network}: exact W1")
        row[1].set_ylabel("exact W1")
        row[2].set_ylabel("class score")
    for ax, (across, _) in zip(axes if plot.is_narrow() else panels[-1], len(panels) * SHOWN, strict=False):
        ax.set_xlabel(across)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


EXPERIMENT = Experiment(
    name="convergence",
    title="Convergence over steps and over time",
    source="Gulrajani et al. 2017, Improved Training of Wasserstein GANs, figure 3 and section 5.3",
    about=(
        "DCGAN's objective, WGAN and WGAN-GP with the same networks on digits, dense and residual, judged by the exact "
        "W1 to held-out digits and by the class score, over steps and over time."
    ),
    full=Settings(),
    quick=Settings(networks=("mlp",), steps=1200, mlp_width=64, rate=1e-3, clip_rate=5e-4, monitors=16),
    cases=cases,
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
