"""Mode collapse: which modes a generator reaches in training, few of them with the first GAN, all with WGAN-GP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import data, gan, plot
from otgan.experiments.experiment import Claim, Experiment, Record, of_case
from otgan.experiments.lines import seed_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from otgan.gan import Run

__all__ = ["EXPERIMENT", "MODES", "OBJECTIVES", "Settings", "run"]

MODES = {"gaussians8": 8, "gaussians25": 25, "digits": 10}  # of each set
LEFT = {"gaussians8": 4, "gaussians25": 12, "digits": 8}  # modes that minimax has left at most
OBJECTIVES = ("minimax", "wgan", "wgan-gp")
SHOWN_POINTS, SHOWN_IMAGES = 400, 16  # samples of a run


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    data : tuple of str
        Mixtures and digits, keys of :data:`MODES`.
    points_steps, digits_steps : int
        Of the generator; each has five steps of the critic or the discriminator before it.
    width, depth, latent : int
        Both networks: hidden units, hidden layers, coordinates of the generator's input.
    points_batch, digits_batch : int
        Samples of each side in a step.
    rate, clip_rate : float
        Learning rate of minimax and wgan-gp, and of wgan.
    points_clip, digits_clip : float
        Of wgan; with that of the paper a critic of points stops learning.
    points_gp_weight, digits_gp_weight : float
        Of the penalty of wgan-gp; on mixtures that of the paper's code.
    monitors : int
        How often modes are counted.
    n : int
        Samples that are counted on mixtures; on digits as many as are held out.
    """

    data: tuple[str, ...] = ("gaussians8", "gaussians25", "digits")
    points_steps: int = 8000
    digits_steps: int = 2000
    width: int = 128
    depth: int = 3
    latent: int = 16
    points_batch: int = 128
    digits_batch: int = 64
    rate: float = 1e-3
    clip_rate: float = 5e-4
    points_clip: float = 0.03
    digits_clip: float = 0.01
    points_gp_weight: float = 0.1
    digits_gp_weight: float = 10.0
    monitors: int = 20
    n: int = 1000


def cases(settings: Settings) -> list[str]:
    """Every objective on every set."""
    return [f"{name} {objective}" for name in settings.data for objective in OBJECTIVES]


def measure(settings: Settings, case: str, seed: int) -> Record:
    """Modes covered, exact W1, and the critic's number over the training of one GAN; and some samples."""
    name, objective = case.split()
    digits = name == "digits"
    steps = settings.digits_steps if digits else settings.points_steps
    weight = settings.digits_gp_weight if digits else settings.points_gp_weight
    clip = settings.digits_clip if digits else settings.points_clip
    config = gan.Config(
        data=name,
        objective=objective,  # type: ignore[arg-type]
        network="mlp",
        width=settings.width,
        depth=settings.depth,
        latent=settings.latent,
        batch_size=settings.digits_batch if digits else settings.points_batch,
        learning_rate=settings.clip_rate if objective == "wgan" else settings.rate,
        clip=clip if objective == "wgan" else None,
        gp_weight=weight if objective == "wgan-gp" else None,
        n_critic=5,  # for the discriminator too, so that nothing but the objective differs
        steps=steps,
        monitor_every=max(1, steps // settings.monitors),
        monitor_n=settings.n,
        ema_decay=0.99,
        seed=seed,
        device="cpu",
    )
    trained = gan.train(config)
    kept = ("step", "modes", "exact", "exact_ema", "floor", "critic")
    return {key: [record[key] for record in trained.measurements] for key in kept} | {"samples": _shown(trained)}


def _shown(trained: Run) -> list[Any]:
    """A few samples: points, or images in sixteenths."""
    if len(trained.scaling.shape) == 1:
        return np.round(trained.sample(SHOWN_POINTS), 3).tolist()
    return np.rint(16 * np.clip(trained.sample(SHOWN_IMAGES), 0, 1)).astype(int).tolist()


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """WGAN-GP reaches every mode, minimax does not, and is further from the data than either Wasserstein GAN."""
    found = []
    for name in settings.data:
        modes = MODES[name]
        reached, left = (_last(runs, f"{name} {objective}", "modes") for objective in ("wgan-gp", "minimax"))
        apart = np.array(_last(runs, f"{name} minimax", "exact_ema"))
        found += [
            Claim(f"{name}: modes that wgan-gp covers at the end, of {modes}", reached, least=modes),
            Claim(f"{name}: modes that minimax covers at the end", left, most=LEFT[name]),
            *(
                Claim(
                    f"{name}: exact W1 of minimax over that of {objective}",
                    tuple((apart / _last(runs, f"{name} {objective}", "exact_ema")).tolist()),
                    least=1.1,
                )
                for objective in ("wgan", "wgan-gp")
            ),
        ]
    return tuple(found)


def _last(runs: Sequence[Record], case: str, key: str) -> tuple[float, ...]:
    return tuple(float(run[key][-1]) for run in of_case(runs, case))


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """A row for each set: samples of each objective, and modes over the steps."""
    across = len(OBJECTIVES) + 1
    ratios: dict[str, Any] = {} if plot.is_narrow() else {"width_ratios": [*[1.0] * len(OBJECTIVES), 1.4]}
    figure, axes = plot.panels(across * len(settings.data), 2.2, across=across, narrow=2, **ratios)
    panels = [axes[k : k + across] for k in range(0, len(axes), across)]
    for name, row in zip(settings.data, panels, strict=True):
        for k, objective in enumerate(OBJECTIVES):
            own = of_case(runs, f"{name} {objective}")
            _draw_samples(row[k], name, own[0])
            row[k].set_title(f"{objective}: {own[0]['modes'][-1]} of {MODES[name]}", fontsize="medium")
            seed_lines(row[-1], ((run["step"], run["modes"]) for run in own), objective, k)
        row[-1].axhline(MODES[name], color=plot.text_colour(), linewidth=0.8, linestyle=":")
        row[-1].set_ylim(bottom=0)
        row[-1].locator_params(axis="y", integer=True)
        row[-1].set(xlabel="step", ylabel="modes covered")
    figure.legend(*axes[across - 1].get_legend_handles_labels(), loc="outside upper right", ncols=len(OBJECTIVES))
    return figure


def _draw_samples(ax: Axes, name: str, run: Mapping[str, Any]) -> None:
    samples = np.asarray(run["samples"], dtype=float)
    if samples.ndim == 2:
        real = data.load(name, n=1000, seed=0).points
        plot.generated_points(real, samples, ax, legend=False)
        ax.set_aspect("equal")
    else:
        side = int(len(samples) ** 0.5)
        framed = np.pad(samples, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)  # nothing between two images
        height, width = framed.shape[1:]
        sheet = framed.reshape(side, side, height, width).swapaxes(1, 2).reshape(side * height, side * width)
        ax.imshow(sheet[:-1, :-1], cmap="gray", interpolation="nearest")
        ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])


EXPERIMENT = Experiment(
    name="mode_collapse",
    title="Modes that a generator reaches",
    source="Gulrajani et al. 2017, Improved Training of Wasserstein GANs, figure 2; Metz et al. 2017, figure 2",
    about=(
        "The same networks trained by three objectives on mixtures of Gaussians and on digits. A mode of a mixture is "
        "covered by a sample within three standard deviations of its centre, a class of digits by one sample in fifty."
    ),
    full=Settings(),
    quick=Settings(
        data=("gaussians8", "digits"), points_steps=800, digits_steps=500, width=64, points_batch=64, monitors=4
    ),
    cases=cases,
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
