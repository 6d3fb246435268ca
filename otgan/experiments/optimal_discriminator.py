"""The optimal discriminator: a trained one and one found numerically both reach p / (p + q)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from otgan import divergences, plot
from otgan.critics import mlp
from otgan.critics.methods.method import DECAYS, adam
from otgan.divergences import Gaussian
from otgan.experiments.experiment import Claim, Experiment, Record, of_case
from otgan.gan.objectives import Minimax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["EXPERIMENT", "Settings", "maximiser", "on_grid", "run"]

REAL, FAKE = Gaussian(0.0, 1.0), Gaussian(1.0, 0.25)
GRID = np.linspace(-8.0, 8.0, 3201)  # points of the line; sums over them are integrals to rounding
SHOWN = GRID[(np.abs(GRID - 0.25) <= 3.25)][::13]  # those that are drawn
LARGEST_LOGIT = 30.0  # beyond it float64 does not tell D from 0 or 1
ROUNDING = 1e-9  # absolute, in nats
RANDOM = 1000  # discrete distributions drawn at random


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    steps : int
        Of Adam, on fresh samples.
    batch_size : int
        Samples of each side in a step.
    learning_rate : float
        At the first step; it falls to zero along a cosine.
    width, depth : int
        Hidden units of the network and hidden layers.
    held_out : int
        Fresh samples of each side for each measurement.
    atoms : int
        Of the discrete distributions; one is of the real distribution alone and one of the generated.
    """

    steps: int = 10_000
    batch_size: int = 512
    learning_rate: float = 2e-3
    width: int = 64
    depth: int = 2
    held_out: int = 20_000
    atoms: int = 12


def measure(settings: Settings, case: str, seed: int) -> Record:
    """A discriminator of one kind, from its start to the optimum."""
    return _trained(settings, seed) if case == "gaussians" else _found(settings, seed)


def _trained(settings: Settings, seed: int) -> Record:
    """A network between Gaussians, trained by Goodfellow's loss on fresh samples."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = mlp(1, settings.width, settings.depth)
    objective, optimizer = Minimax(), adam(network, settings.learning_rate, (0.9, 0.99))
    kept = {round(step) for step in np.geomspace(1, settings.steps, 20)}
    found: Record = {"step": [], "error": [], "value": [], "sampled": [], "stderr": []}
    for step in range(settings.steps + 1):
        if step in kept or step == 0:
            found["step"].append(step)
            for name, number in _judged(network, settings.held_out, generator).items():
                found[name].append(number)
        if step == settings.steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * DECAYS["cosine"](step / settings.steps)
        real, fake = (_drawn(side, settings.batch_size, generator) for side in (REAL, FAKE))
        loss = objective.critic_loss(lambda x: network(x)[:, 0], real, fake, torch.zeros(len(real)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    best = 2 * divergences.jensen_shannon(REAL, FAKE) - 2 * math.log(2)
    return {**found, "optimum": best, "x": SHOWN.tolist(), "D": _acceptance(network, SHOWN).tolist()}


def _drawn(side: Gaussian, n: int, generator: torch.Generator) -> torch.Tensor:
    return side.mean.item() + side.factor.item() * torch.randn(n, 1, generator=generator)


@torch.no_grad()
def _acceptance(network: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """D at points (k,)."""
    logits = network(torch.as_tensor(x, dtype=torch.float32)[:, None])[:, 0].double()
    return torch.sigmoid(logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)).numpy()


def _judged(network: nn.Module, n: int, generator: torch.Generator) -> dict[str, float]:
    """The network beside D*, by quadrature; and its value on n fresh samples a side, with the standard error."""
    p, q = on_grid(REAL), on_grid(FAKE)
    d, best = _acceptance(network, GRID), divergences.optimal_discriminator(p, q)
    real, fake = (_acceptance(network, _drawn(side, n, generator)[:, 0].double().numpy()) for side in (REAL, FAKE))
    accepted, refused = np.log(real), np.log1p(-fake)
    return {
        "error": float((p + q) / 2 @ np.abs(d - best)),
        "value": divergences.gan_value(p, q, d),
        "sampled": float(accepted.mean() + refused.mean()),
        "stderr": float(math.sqrt((accepted.var(ddof=1) + refused.var(ddof=1)) / n)),
    }


def on_grid(side: Gaussian) -> NDArray[np.float64]:
    """A Gaussian on the line as masses on the grid, whose divergences are the Gaussians' own to about 1e-12.

    Examples
    --------
    >>> difference = divergences.jensen_shannon(on_grid(REAL), on_grid(FAKE)) - divergences.jensen_shannon(REAL, FAKE)
    >>> abs(difference) < 1e-12
    True
    """
    standard = (GRID - side.mean.item()) / side.factor.item()
    masses = np.exp(-standard * standard / 2)
    return masses / masses.sum()


def _found(settings: Settings, seed: int) -> Record:
    """Random masses on atoms: D* beside what a maximiser finds, and beside random discriminators."""
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(settings.atoms), 2)
    p[-1], q[0] = 0.0, 0.0
    p, q = p / p.sum(), q / q.sum()
    best, found = divergences.optimal_discriminator(p, q), maximiser(p, q)
    optimum = 2 * divergences.jensen_shannon(p, q) - 2 * math.log(2)
    others = [divergences.gan_value(p, q, d) for d in rng.random((RANDOM, settings.atoms))]
    return {
        "error": float((p + q) / 2 @ np.abs(found - best)),
        "value": divergences.gan_value(p, q, found),
        "value of D*": divergences.gan_value(p, q),
        "highest of random": max(others),
        "optimum": optimum,
    }


def maximiser(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """The discriminator of the greatest value between masses (k,), found by L-BFGS over its logits.

    It knows the value and its slope, not D*.

    Examples
    --------
    >>> maximiser(np.array([0.75, 0.25]), np.array([0.25, 0.75])).round(6)
    array([0.75, 0.25])
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(logits: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        d = expit(logits)
        return -divergences.gan_value(p, q, d), q * d - p * (1 - d)

    start, bounds = np.zeros(len(p)), [(-LARGEST_LOGIT, LARGEST_LOGIT)] * len(p)
    options = {"ftol": 0.0, "gtol": 1e-9, "maxiter": 10_000}
    return expit(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x)


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """Discriminators come near D*, their values near 2 JS - 2 log 2, and none is above."""
    trained = of_case(runs, "gaussians")
    atoms = of_case(runs, "atoms")
    return (
        Claim(
            "trained: mean abs(D - D*) under (p + q) / 2, at the end",
            tuple(run["error"][-1] for run in trained),
            most=0.01,
        ),
        Claim(
            "trained: 2 JS - 2 log 2 less the value, at the end",
            tuple(run["optimum"] - run["value"][-1] for run in trained),
            least=-ROUNDING,
            most=0.001,
        ),
        Claim(
            "trained: the value less 2 JS - 2 log 2, highest of all steps",
            tuple(max(run["value"]) - run["optimum"] for run in trained),
            most=ROUNDING,
        ),
        Claim(
            "trained: the same on fresh samples, in standard errors",
            tuple(_excess(run) for run in trained),
            most=4.0,
        ),
        Claim(
            "atoms: abs(value of D* - (2 JS - 2 log 2))",
            tuple(abs(run["value of D*"] - run["optimum"]) for run in atoms),
            most=ROUNDING,
        ),
        Claim(
            "atoms: mean abs(D - D*) of the maximiser under (p + q) / 2",
            tuple(run["error"] for run in atoms),
            most=1e-6,
        ),
        Claim(
            f"atoms: highest value of {RANDOM} random discriminators less 2 JS - 2 log 2",
            tuple(run["highest of random"] - run["optimum"] for run in atoms),
            most=0.0,
        ),
    )


def _excess(run: Record) -> float:
    sampled, stderr = np.array(run["sampled"]), np.array(run["stderr"])
    return float(np.max((sampled - run["optimum"]) / stderr))


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """The paper's figure 1 on the left, with networks as D, one a seed; on the right how near they come."""
    trained = of_case(runs, "gaussians")
    figure, (left, right) = plot.panels(2, 3.6, narrow_height=3.0)
    best = divergences.optimal_discriminator(REAL, FAKE)(SHOWN)
    for k, (side, name) in enumerate(((REAL, "real"), (FAKE, "generated"))):
        density, colour = on_grid(side) / (GRID[1] - GRID[0]), plot.series(2 + k)[0]
        left.plot(SHOWN, np.interp(SHOWN, GRID, density), color=colour, linewidth=1.2)
        top = (side.mean.item(), density.max())
        left.annotate(name, top, (0, 3), textcoords="offset points", ha="center", color=colour)
    left.plot(SHOWN, best, color=plot.text_colour(), linewidth=3, alpha=0.35, label="D* = p / (p + q)")
    for run in trained:
        label = "trained D" if run is trained[0] else None
        left.plot(run["x"], run["D"], color=plot.series(0)[0], linewidth=1, label=label)
    left.set_xlabel("x")
    left.set_ylim(0, 1.05)
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    for run in trained:
        lines = {
            "2 JS − 2 log 2 less the value": run["optimum"] - np.array(run["value"]),
            "mean abs(D − D*)": run["error"],
        }
        for k, (name, numbers) in enumerate(lines.items()):
            label = name if run is trained[0] else None
            right.plot(run["step"], numbers, ("-", "--")[k], color=plot.series(k)[0], linewidth=1, label=label)
    right.set_xscale("symlog", linthresh=1)
    right.set_xlim(left=0)
    right.set_yscale("log")
    right.set_xlabel("step of the discriminator")
    right.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, borderaxespad=0.2)
    return figure


EXPERIMENT = Experiment(
    name="optimal_discriminator",
    title="The optimal discriminator",
    source="Goodfellow et al. 2014, Generative adversarial nets, proposition 1, theorem 1 and figure 1",
    about=(
        "No discriminator beats D* = p / (p + q), whose value is 2 JS - 2 log 2. A network trained by the GAN's loss "
        "between N(0, 1) and N(1, 1/4) comes near both, and so does a numerical maximiser on finitely many atoms."
    ),
    full=Settings(),
    quick=Settings(steps=1500, batch_size=256),
    cases=lambda settings: ("gaussians", "atoms"),
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
