"""Weight clipping: gradients explode or vanish with depth, weights collect at the clip, momentum is unstable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import gan, plot
from otgan.critics import fit
from otgan.critics.methods import METHODS
from otgan.critics.networks import given_network
from otgan.data import toys
from otgan.experiments.experiment import Claim, Experiment, Record, of_case
from otgan.experiments.layers import deep_mlp, factor_per_layer, histogram, layer_gradients, share_at_bounds, weights_of
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import nn

    from otgan.critics import CriticFit

__all__ = ["EXPERIMENT", "Settings", "run"]

PENALISED = "gp"
BATCH_NORM = ", batch norm"
OPTIMISERS: dict[str, dict[str, Any]] = {
    "GAN, RMSProp": {"optimizer": "rmsprop"},
    "GAN, Adam without momentum": {"optimizer": "adam", "beta1": 0.0, "beta2": 0.99},
    "GAN, Adam with momentum 0.9": {"optimizer": "adam", "beta1": 0.9, "beta2": 0.99},
}
TIGHT = 0.01  # clips up to here leave a deep critic nothing to learn from
STEPS_ACROSS = 200  # Algorithm 1 has rate 5e-5 and clip 0.01: so many steps of RMSProp lead from 0 to the edge
BINS = 41  # of a histogram of weights


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    n : int
        Points of each side: a Swiss roll, and another one with noise N(0, I) added.
    depth, width : int
        Hidden layers of a critic, and units of each.
    steps, batch_size : int
        Of a critic's training.
    clips, batch_norm_clips : tuple of float
        c of the critics without and with batch norm; the greatest comes first.
    gp_learning_rate : float
        Of the penalised critic; the clipped ones have c / 200, as Algorithm 1 of WGAN.
    gan_n, gan_steps, gan_width : int
        Samples, generator steps and hidden units of the GANs, whose networks have three hidden layers.
    gan_clip, gan_learning_rate : float
    monitor_n : int
        Samples of each side that the exact W1 of a GAN is between.
    monitors : int
        How often it is measured.
    """

    n: int = 512
    depth: int = 12
    width: int = 128
    steps: int = 1000
    batch_size: int = 64
    clips: tuple[float, ...] = (0.1, 0.03, 0.01, 0.001)
    batch_norm_clips: tuple[float, ...] = (0.1, 0.03, 0.01, 0.001)
    gp_learning_rate: float = 1e-3
    gan_n: int = 3000
    gan_steps: int = 1000
    gan_width: int = 64
    gan_clip: float = 0.05
    gan_learning_rate: float = 2e-3
    monitor_n: int = 300
    monitors: int = 20


def _clipped(clip: float, batch_norm: bool = False) -> str:
    return f"clip {clip:g}{BATCH_NORM if batch_norm else ''}"


def cases(settings: Settings) -> tuple[str, ...]:
    """Clipped critics, the same with batch norm, the penalised critic, and GANs with three optimisers."""
    plain = (_clipped(clip) for clip in settings.clips)
    normed = (_clipped(clip, batch_norm=True) for clip in settings.batch_norm_clips)
    return (*plain, *normed, PENALISED, *OPTIMISERS)


def measure(settings: Settings, case: str, seed: int) -> Record:
    """A critic's gradients and weights, or how far a GAN's samples are from the data while it is trained."""
    if case in OPTIMISERS:
        return _measure_gan(settings, OPTIMISERS[case], seed)
    rng = np.random.default_rng(seed)
    x, noisy = (toys.swiss_roll(settings.n, rng) for _ in range(2))
    y = noisy + rng.standard_normal(x.shape)
    exact = solve(x, y)
    start, fitted = _train(settings, case, x, y, seed)
    end = fitted.critic.network.get_submodule("members.0")
    sides = [torch.as_tensor(fitted.critic.scaling.inward(side)) for side in (x, y)]
    norms, weights = layer_gradients(end, *sides), weights_of(end)
    reach = fitted.options.get("clip") or float(np.abs(weights).max())
    factor, r_squared = factor_per_layer(norms)
    return {
        "W1": exact.distance,
        "gap": exact.gap,
        "estimate": fitted.estimate,
        "norms": norms,
        "factor": factor,
        "straight": r_squared,
        "factor_at_start": factor_per_layer(layer_gradients(start, *sides))[0],
        "ends": share_at_bounds(weights, reach),
        "ends_at_start": share_at_bounds(weights_of(start), reach),
        "reach": reach,
        "histogram": histogram(weights, reach, BINS),
    }


def _train(
    settings: Settings, case: str, x: NDArray[np.float64], y: NDArray[np.float64], seed: int
) -> tuple[nn.Module, CriticFit]:
    """The critic before its first step, already in the box, and trained."""
    method = PENALISED
    options: dict[str, Any] = {"learning_rate": settings.gp_learning_rate}
    if case != PENALISED:
        clip = float(case.removeprefix("clip ").removesuffix(BATCH_NORM))
        method, options = "clip", {"clip": clip, "learning_rate": clip / STEPS_ACROSS}
    make = deep_mlp(settings.width, settings.depth, batch_norm=case.endswith(BATCH_NORM))
    start = given_network(make, x.shape[1], seed)
    METHODS[method].with_options(options).after_step(start)
    shared: dict[str, Any] = {"steps": settings.steps, "batch_size": settings.batch_size, "device": "cpu"}
    shared["unit"] = 1.0  # a box means something for data as they are
    return start, fit(x, y, method, seed=seed, network=start, **shared, **options)


def _measure_gan(settings: Settings, optimiser: dict[str, Any], seed: int) -> Record:
    data = toys.swiss_roll(settings.gan_n, np.random.default_rng(seed))
    config = gan.Config(
        data="swiss_roll",
        objective="wgan",
        width=settings.gan_width,
        latent=2,
        steps=settings.gan_steps,
        learning_rate=settings.gan_learning_rate,
        clip=settings.gan_clip,
        monitor_every=max(1, settings.gan_steps // settings.monitors),
        monitor_n=settings.monitor_n,
        seed=seed,
        device="cpu",
        **optimiser,
    )
    monitored = gan.train(config, data=data).measurements[1:]  # but for that before training
    exact = [record["exact"] for record in monitored]
    late = exact[len(exact) // 2 :]
    return {
        "step": [record["step"] for record in monitored],
        "exact": exact,
        "estimate": [record["critic"] for record in monitored],
        "floor": monitored[-1]["floor"],
        "late": float(np.mean(late)),
        "late_sd": float(np.std(late)),
    }


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """Growth with depth, weights at the clip, and the effect of momentum."""
    widest = _clipped(settings.clips[0])
    risen = np.subtract(_of(runs, widest, "ends"), _of(runs, widest, "ends_at_start"))
    return (
        *_depth_claims(settings, runs),
        Claim(f"{widest}: estimate over exact W1", _ratio(runs, widest), least=100),
        *(
            Claim(f"{name}: size of the estimate over exact W1", _ratio(runs, name), most=1e-3)
            for name in (_clipped(clip) for clip in settings.clips if clip <= TIGHT)
        ),
        Claim("gp: estimate over exact W1", _ratio(runs, PENALISED), least=0.3, most=1.5),
        Claim(f"{widest}: share of weights that training brings to the edge", tuple(risen.tolist()), least=0.1),
        Claim("gp: share of weights on the edge of their range", _of(runs, PENALISED, "ends"), most=1e-3),
        Claim("GAN: exact W1 with momentum over the worse without, last half", _momentum(runs), least=1.3),
    )


def _depth_claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """A factor above one at every layer for the widest clip, far below one for tight ones, one for the penalty.

    Nothing is claimed of a clip between: it is left to the seed whether such a critic ever begins to learn.
    """
    text = "factor of the gradient for each layer back"
    widest, narrow = _clipped(settings.clips[0]), [_clipped(clip) for clip in settings.clips if clip <= TIGHT]
    normed = [_clipped(clip, batch_norm=True) for clip in settings.batch_norm_clips]
    tight = [name for name, clip in zip(normed, settings.batch_norm_clips, strict=True) if clip <= TIGHT]
    explained = [_of(runs, name, "straight") for name in (widest, *narrow)]
    return (
        Claim(f"{widest}: {text}", _of(runs, widest, "factor"), least=1.5),
        *(Claim(f"{name}: {text}", _of(runs, name, "factor"), most=0.35) for name in narrow),
        Claim(
            "variance of the log gradient that one factor explains, least over these clips",
            tuple(map(min, zip(*explained, strict=True))),
            least=0.95,
        ),
        Claim(f"gp: {text}", _of(runs, PENALISED, "factor"), least=0.75, most=1.33),
        *(Claim(f"{name}: {text}", _of(runs, name, "factor"), least=0.75, most=1.5) for name in normed[:1]),
        *(Claim(f"{name}: {text}", _of(runs, name, "factor"), most=0.35) for name in tight),
    )


def _of(runs: Sequence[Record], case: str, name: str) -> tuple[float, ...]:
    return tuple(float(run[name]) for run in of_case(runs, case))


def _ratio(runs: Sequence[Record], case: str) -> tuple[float, ...]:
    return tuple(abs(run["estimate"]) / run["W1"] for run in of_case(runs, case))


def _momentum(runs: Sequence[Record]) -> tuple[float, ...]:
    rmsprop, without, momentum = (_of(runs, name, "late") for name in OPTIMISERS)
    return tuple(m / max(r, w) for r, w, m in zip(rmsprop, without, momentum, strict=True))


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """Figure 1b of the paper with batch norm beside it, and the GANs: all of the first seed."""
    figure, (plain, normed, weights, games) = plot.panels(4, 3.0, across=2, narrow_height=2.7)
    first: dict[str, Record] = {}
    for run in runs:
        first.setdefault(run["case"], run)
    _draw_norms(plain, first, [_clipped(clip) for clip in settings.clips], "no batch norm")
    names = [_clipped(clip, batch_norm=True) for clip in settings.batch_norm_clips]
    _draw_norms(normed, first, names, "batch norm in the clipped critics")
    _draw_weights(weights, first, _clipped(settings.clips[0]))
    for k, name in enumerate(OPTIMISERS):
        colour, _ = plot.series(k)
        games.plot(first[name]["step"], first[name]["exact"], color=colour, label=name.removeprefix("GAN, "))
    floor = first[next(iter(OPTIMISERS))]["floor"]
    games.axhline(floor, color=plot.text_colour(), linewidth=0.8, linestyle=":", label="the data itself, resampled")
    games.set(xlabel="step of the generator", ylabel="exact W1 to the data", title=f"GANs, clip {settings.gan_clip:g}")
    games.set_ylim(0, 1.6 * max(max(first[name]["exact"]) for name in OPTIMISERS))  # the legend needs room
    games.legend(fontsize="small", loc="upper left")
    return figure


def _draw_norms(ax: Axes, first: dict[str, Record], names: Sequence[str], title: str) -> None:
    for k, name in enumerate((*names, PENALISED)):
        colour = plot.text_colour() if name == PENALISED else plot.series(k)[0]
        norms = np.array(first[name]["norms"])
        depth = np.arange(1, len(norms) + 1)
        ax.plot(depth, np.where(norms > 0, norms, np.nan), ".-", color=colour, label=name.removesuffix(BATCH_NORM))
    ax.set_yscale("log")
    ax.set(xlabel="layer, from the input", ylabel="gradient norm", title=title)
    ax.legend(fontsize="small")


def _draw_weights(ax: Axes, first: dict[str, Record], clipped: str) -> None:
    edges = np.linspace(-1, 1, BINS + 1)
    for k, name in enumerate((clipped, PENALISED)):
        colour = plot.text_colour() if name == PENALISED else plot.series(k)[0]
        reach = first[name]["reach"]
        ax.stairs(first[name]["histogram"], edges, color=colour, linewidth=1.3, label=f"{name}: w / {reach:.2g}")
    ax.set_yscale("log")
    ax.set(xlabel="weight, as a part of the greatest", ylabel="share of the weights", title="weights after training")
    ax.set_ylim(top=5)
    ax.legend(fontsize="small", loc="upper center")


EXPERIMENT = Experiment(
    name="clip_sensitivity",
    title="How sensitive clipping is",
    source=(
        "Gulrajani et al. 2017, Improved Training of Wasserstein GANs, figure 1b; Arjovsky, Chintala & Bottou 2017, "
        "Wasserstein GAN, section 4.2 (momentum)"
    ),
    about=(
        "Critics with twelve hidden layers between a Swiss roll and the same with noise. Under clipping the gradient "
        "is multiplied by about the same factor at every layer, above one or far below it as the clip has it, and "
        "weights go to the edge of the box; with a gradient penalty the factor is one. Batch norm helps while its own "
        "scales, clipped too, are not too small. A clipped GAN fails with momentum and trains without."
    ),
    full=Settings(),
    quick=Settings(
        n=200,
        width=64,
        steps=150,
        clips=(0.1, 0.01, 0.001),
        batch_norm_clips=(0.1, 0.01),
        gp_learning_rate=3e-3,
        gan_n=1500,
        gan_steps=120,
        gan_width=32,
        monitor_n=200,
        monitors=8,
    ),
    cases=cases,
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
