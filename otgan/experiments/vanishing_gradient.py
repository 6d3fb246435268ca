"""Vanishing gradients: the generator's is lost with a fully trained discriminator, and kept with a critic of W1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import plot
from otgan.critics.methods.clipping import clip_weights
from otgan.experiments.experiment import Claim, Experiment, Record, of_case
from otgan.experiments.lines import seed_lines
from otgan.gan.config import Config
from otgan.gan.dataset import dataset
from otgan.gan.objectives import NonSaturating, objective_of
from otgan.gan.train_state import TrainState
from otgan.solve import wasserstein

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from torch import nn

    from otgan.gan.dataset import Dataset
    from otgan.gan.objectives import Objective

__all__ = [
    "CASES",
    "EXPERIMENT",
    "Probe",
    "Settings",
    "batch_gradients",
    "norm_and_variance",
    "run",
    "steps_to_measure",
]

CASES = {
    "discriminator": "minimax",
    "clip": "wgan",
    "gp": "wgan-gp",
    "orthogonal": "wgan-lipschitz",
}
"""What is trained, and the objective of :class:`otgan.gan.Config` that trains it."""
CRITICS = ("clip", "gp", "orthogonal")
USEFUL = {"clip": 0.1, "gp": 0.4, "orthogonal": 0.4}  # least advantage in the cosine with the gradient of the exact W1
APART = 1000  # between the seeds of training and of measuring
SEPARATED = 0.99  # share of samples told apart


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    data : str
        The real samples.
    steps : int
        Of the discriminator or critic; the generator stays as it was drawn.
    width, orthogonal_width, depth : int
        Hidden units of generator, discriminator and critics; those of the 1-Lipschitz critic; hidden layers.
    latent : int
        Coordinates of the generator's input.
    batch_size : int
        Samples of each side in a step, and in each batch whose gradient is measured.
    batches : int
        How many gradients are measured at a time.
    n : int
        Generated samples, and held-out real ones, for what is compared with the exact W1.
    discriminator_rate, clip_rate, gp_rate, orthogonal_rate : float
        Learning rates; for the critics those of :class:`otgan.gan.Config`.
    """

    data: str = "digits"
    steps: int = 4000
    width: int = 128
    orthogonal_width: int = 64
    depth: int = 3
    latent: int = 16
    batch_size: int = 64
    batches: int = 16
    n: int = 300
    discriminator_rate: float = 1e-3
    clip_rate: float = 5e-5
    gp_rate: float = 1e-4
    orthogonal_rate: float = 1e-3


def measure(settings: Settings, case: str, seed: int) -> Record:
    """The generator's gradients while a discriminator or critic is trained against it."""
    config = _config(settings, case, seed)
    samples = dataset(config, torch.device("cpu"))
    config = config.resolved(samples.scaling.network_shape)
    state = TrainState.fresh(config, samples.scaling.network_shape, torch.device("cpu"))
    trained_by = objective_of(config)
    losses = {"minimax": trained_by, "-log D": NonSaturating()} if case == "discriminator" else {case: trained_by}
    probe = Probe.drawn(settings, samples, state.generator, seed + APART)

    kept = steps_to_measure(settings.steps)
    found: Record = {"step": kept, "told apart": [], "estimate": []}
    found |= {name: {"norm": [], "variance": [], "cosine": []} for name in losses}
    for step in range(settings.steps + 1):
        if step in kept:
            _append(found, probe.critic(trained_by, state.critic))
            for name, loss in losses.items():
                _append(found[name], probe.gradient(loss, state))
        if step < settings.steps:
            _critic_step(trained_by, config, samples, state)
    return found


def _critic_step(objective: Objective, config: Config, samples: Dataset, state: TrainState) -> None:
    """A step of the critic alone, as in GAN training."""
    n, random = config.recipe.batch_size, state.random
    real = samples.batch(n, random)
    noise = torch.randn(n, config.latent, generator=random, device=random.device)
    t = torch.rand(n, generator=random, device=random.device)
    with torch.no_grad():
        fake = state.generator(noise)
    loss = objective.critic_loss(state.critic, real, fake, t)
    state.critic_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.critic_optimizer.step()
    if config.recipe.clip is not None:
        clip_weights(state.critic, config.recipe.clip)


def _append(lists: Record, numbers: dict[str, float]) -> None:
    for name, number in numbers.items():
        lists[name].append(number)


@dataclass(frozen=True, eq=False)
class Probe:
    """The fixed inputs of every measurement, which are not trained on.

    Attributes
    ----------
    noise : (batches, k, latent) tensor
        The generator's input, for the gradients of its weights.
    real, fake : (n, ...) tensor
        Held-out and generated samples.
    exact : (n, d) tensor
        The gradient of their exact W1 with respect to the generated ones.
    """

    noise: torch.Tensor
    real: torch.Tensor
    fake: torch.Tensor
    exact: torch.Tensor

    @classmethod
    def drawn(cls, settings: Settings, samples: Dataset, generator: nn.Module, seed: int) -> Probe:
        """Everything from a seed of its own."""
        random = torch.Generator().manual_seed(seed)
        noise = torch.randn(settings.batches, settings.batch_size, settings.latent, generator=random)
        real = samples.scaling.to_network(samples.held_out[: settings.n])
        with torch.no_grad():
            fake = generator(torch.randn(settings.n, settings.latent, generator=random))
        return cls(noise, real, fake, _slopes_at(fake, lambda y: wasserstein(y.flatten(1), real.flatten(1))))

    def gradient(self, loss: Objective, state: TrainState) -> dict[str, float]:
        """Norm and variance of the gradient of the generator's weights, and the directions for the samples."""
        norm, variance = norm_and_variance(batch_gradients(loss, state.generator, state.critic, self.noise))
        slopes = _slopes_at(self.fake, lambda y: loss.generator_loss(state.critic, self.real, y))
        cosine = torch.cosine_similarity(slopes.flatten(), self.exact.flatten(), dim=0).item()
        return {"norm": norm, "variance": variance, "cosine": cosine}

    @torch.no_grad()
    def critic(self, trained_by: Objective, critic: nn.Module) -> dict[str, float]:
        """The share of samples that are told apart by the sign, the mean of both sides, and the critic's number."""
        f_real, f_fake = critic(self.real), critic(self.fake)
        right = (f_real > 0).double().mean() + (f_fake < 0).double().mean()
        return {"told apart": right.item() / 2, "estimate": trained_by.estimate(f_real, f_fake)}


def _config(settings: Settings, case: str, seed: int) -> Config:
    """The same generator for every case of a seed."""
    options: dict[str, Any] = {
        "objective": CASES[case],
        "critic_learning_rate": getattr(settings, f"{case}_rate"),
        "critic_width": settings.orthogonal_width,
    }
    for name in ("data", "width", "depth", "latent", "batch_size"):
        options[name] = getattr(settings, name)
    return Config(network="mlp", seed=seed, **options)


def steps_to_measure(steps: int) -> list[int]:
    """Steps that are measured: the first ones, then more and more rarely, and evenly in the second half.

    Examples
    --------
    >>> steps_to_measure(100)
    [0, 1, 2, 3, 4, 6, 8, 12, 17, 25, 35, 50, 60, 70, 80, 90, 100]
    """
    early, late = np.geomspace(1, steps / 2, 12), np.linspace(steps / 2, steps, 6)
    return sorted({0, *(round(step) for step in (*early, *late))})


def batch_gradients(loss: Objective, generator: nn.Module, critic: nn.Module, noise: torch.Tensor) -> torch.Tensor:
    """The gradient of the generator's weights, for each batch of its input.

    Parameters
    ----------
    loss : Objective
        Whose generator loss does not look at real samples.
    generator, critic : torch.nn.Module
    noise : (batches, k, latent) tensor

    Returns
    -------
    (batches, weights) float64 tensor

    Examples
    --------
    The generator ``z -> w z`` under the loss ``-E f`` with ``f(y) = 3 y``:

    >>> from torch import nn
    >>> from otgan.gan.objectives import Wasserstein
    >>> generator = nn.Linear(1, 1, bias=False)
    >>> noise = torch.tensor([[[1.0], [3.0]], [[0.0], [2.0]]])
    >>> batch_gradients(Wasserstein(), generator, lambda y: 3 * y[:, 0], noise)
    tensor([[-6.],
            [-3.]], dtype=torch.float64)
    """
    weights, rows = list(generator.parameters()), []
    for batch in noise:
        fake = generator(batch)
        gradients = torch.autograd.grad(loss.generator_loss(critic, fake[:0].detach(), fake), weights)
        rows.append(torch.cat([gradient.flatten() for gradient in gradients]).double())
    return torch.stack(rows)


def norm_and_variance(gradients: torch.Tensor) -> tuple[float, float]:
    """The mean norm of gradients (batches, weights), and their variance, summed over the weights.

    Examples
    --------
    >>> norm_and_variance(torch.tensor([[3.0, 4.0], [3.0, 0.0]]))
    (4.0, 8.0)
    """
    return gradients.norm(dim=1).mean().item(), gradients.var(dim=0).sum().item()


def _slopes_at(fake: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """The gradient of a loss with respect to generated samples, (n, d)."""
    fake = fake.clone().requires_grad_()
    return torch.autograd.grad(loss(fake), fake)[0].flatten(1).double()


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """The minimax gradient vanishes, that of -log D grows and loses W1's direction; the critics' do neither."""
    by_case = {case: of_case(runs, case) for case in CASES}
    against_d = by_case["discriminator"]
    steady = (
        Claim(
            f"{case} critic: largest over smallest norm of the gradient in the second half of the steps",
            tuple(_ratio(run, case) for run in by_case[case]),
            most=3.0,
        )
        for case in CRITICS
    )
    useful = (
        Claim(
            f"{case} critic: cosine of the gradient at the samples with that of their exact W1, less that of -log D",
            tuple(
                run[case]["cosine"][-1] - other["-log D"]["cosine"][-1]
                for run, other in zip(by_case[case], against_d, strict=True)
            ),
            least=USEFUL[case],
        )
        for case in CRITICS
    )
    return (
        Claim(
            "minimax: largest norm of the gradient while the discriminator is trained, over that at the end",
            tuple(max(run["minimax"]["norm"]) / run["minimax"]["norm"][-1] for run in against_d),
            least=1000.0,
        ),
        Claim(
            f"-log D: variance of the gradient over batches at the end, over that when the discriminator first told "
            f"{SEPARATED:.0%} apart",
            tuple(_growth(run) for run in against_d),
            least=1000.0,
        ),
        Claim(
            "-log D: cosine of the gradient at the samples with that of their exact W1, at the end",
            tuple(run["-log D"]["cosine"][-1] for run in against_d),
            most=0.3,
        ),
        *steady,
        *useful,
    )


def _growth(run: Record) -> float:
    """Not from the start: there the discriminator is flat, and anything would grow."""
    first = next((k for k, share in enumerate(run["told apart"]) if share >= SEPARATED), -1)
    return run["-log D"]["variance"][-1] / run["-log D"]["variance"][first]


def _ratio(run: Record, case: str) -> float:
    late = [norm for norm, step in zip(run[case]["norm"], run["step"], strict=True) if 2 * step >= run["step"][-1]]
    return max(late) / min(late)


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """The paper's figures 2 and 3 with critics beside the discriminator: norm, variance, and where the gradient points.

    One line a seed.
    """
    figure, axes = plot.panels(3, 3.2, narrow_height=3.0)
    panels = {
        "norm": "norm of the generator's gradient",
        "variance": "its variance over batches",
        "cosine": "cosine with the exact W1's",
    }
    for ax, (key, label) in zip(axes, panels.items(), strict=True):
        for k, name in enumerate(("minimax", "-log D", *CRITICS)):
            curves = ((run["step"], run[name][key]) for run in runs if name in run)
            seed_lines(ax, curves, f"{name} critic" if name in CRITICS else name.replace("-", "−"), k, linewidth=1.1)
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xlim(0, settings.steps)
        ax.set_xlabel("step of the discriminator or critic")
        ax.set_ylabel(label)
        if key != "cosine":
            ax.set_yscale("log")
    columns = 2 if plot.is_narrow() else 5
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=columns)
    return figure


EXPERIMENT = Experiment(
    name="vanishing_gradient",
    title="Gradients that vanish, and gradients that do not",
    source=(
        "Arjovsky & Bottou 2017, Towards principled methods for training GANs, figures 2 and 3; Arjovsky, Chintala & "
        "Bottou 2017, Wasserstein GAN, section 3"
    ),
    about=(
        "A generator of digits is frozen as it was drawn, and a discriminator or critic is trained against it. The "
        "better the discriminator, the smaller the gradient of the minimax loss; that of -log D grows instead, with "
        "its variance, and hardly points where W1 falls. Critics of W1 settle at a gradient that does."
    ),
    full=Settings(),
    quick=Settings(
        steps=300,
        orthogonal_width=32,
        batch_size=32,
        batches=6,
        n=200,
        discriminator_rate=3e-3,
        clip_rate=4e-4,
        gp_rate=1e-3,
        orthogonal_rate=2e-3,
    ),
    cases=lambda settings: tuple(CASES),
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
