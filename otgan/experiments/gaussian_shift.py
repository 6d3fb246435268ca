"""Gaussians moved apart: JS stops growing and its gradient vanishes, while W1 keeps a slope of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from otgan import divergences, plot
from otgan.divergences import Gaussian
from otgan.experiments.experiment import Claim, Experiment, Record
from otgan.gan.objectives import Minimax, NonSaturating
from otgan.line import wasserstein_1d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["EXPERIMENT", "Settings", "loss_gradient", "minimax_gradient", "run", "w1_gradient"]

FAR = 30.0  # distance of the means: where the documents say that nothing is left of the gradient
APART = 5.0  # distance of the means: from here on two samples hardly overlap
ROUNDING = 1e-9  # relative for KL, absolute for JS and slopes
VANISHED = 1e-40  # slope, where that of W1 is one
DECADES = (-200, -100, -50, -20, -5, 0)  # powers of ten at ticks
BELOW = 1.3  # factor: how much further down than the least gradient zero stands, where no power of ten is
U = np.linspace(-12.0, 12.0, 9601)  # the sum over it is exact to rounding: the integrand is analytic, and decays


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    n : int
        Samples of each side at each mean, drawn anew; they are also the generator's batch.
    mus : tuple of float
        Means of the generator N(mu, 1); the real distribution is N(0, 1).
    """

    n: int = 20_000
    mus: tuple[float, ...] = tuple(float(mu) for mu in range(36))


def measure(settings: Settings, case: str, seed: int) -> Record:
    """Distances and divergences at each mean, and each loss's gradient there."""
    rng = np.random.default_rng(seed)
    names = ("KL", "JS", "W1", "minimax", "minimax, batch", "-log D, batch", "W1, batch")
    found: Record = {"mu": settings.mus, **{name: [] for name in names}}
    for mu in settings.mus:
        real, noise = rng.standard_normal((2, settings.n))
        fake, truth = Gaussian(mu, 1.0), Gaussian(0.0, 1.0)
        found["KL"].append(divergences.kullback_leibler(fake, truth))
        found["JS"].append(divergences.jensen_shannon(fake, truth))
        found["W1"].append(wasserstein_1d(noise + mu, real))
        found["minimax"].append(minimax_gradient(mu))
        found["minimax, batch"].append(loss_gradient(Minimax(), mu, noise))
        found["-log D, batch"].append(loss_gradient(NonSaturating(), mu, noise))
        found["W1, batch"].append(w1_gradient(mu, noise, real))
    return found


def minimax_gradient(mu: float) -> float:
    """The slope in mu of ``E log(1 - D*(mu + z))``, with D* held fixed, for a whole population.

    Parameters
    ----------
    mu : float
        Mean of the generator.

    Returns
    -------
    float
        ``mu E D*(mu + z)``; that of -log D is ``mu`` less this.

    Notes
    -----
    D* has the logit ``mu^2 / 2 - mu y`` (Goodfellow et al. 2014, proposition 1). With p the real density and q the
    generated one, ``q D*`` is ``sqrt(p q) / (2 cosh(logit / 2))``, and ``sqrt(p q)`` is ``exp(-mu^2 / 8)`` times the
    density of N(mu / 2, 1): so the slope is ``mu exp(-mu^2 / 8) E 1 / (2 cosh(mu u / 2))``, u standard normal. It is
    below ``sqrt(pi / 2) exp(-mu^2 / 8)``, and near that for large mu.

    Examples
    --------
    >>> [f"{minimax_gradient(mu):.2g}" for mu in (0.0, 1.0, 5.0, 30.0)]
    ['0', '0.4', '0.047', '1.7e-49']
    """
    density = np.exp(-U * U / 2) / math.sqrt(2 * math.pi)
    with np.errstate(over="ignore"):  # the reciprocal of inf is the right rounding
        mean = float(np.sum(density / (2 * np.cosh(mu * U / 2)))) * float(U[1] - U[0])
    return mu * math.exp(-mu * mu / 8) * mean


def loss_gradient(objective: Minimax, mu: float, noise: NDArray[np.float64]) -> float:
    """The slope in mu of a generator's loss on a batch, against the optimal discriminator, which is held fixed.

    Parameters
    ----------
    objective : Minimax
        Or its variant with -log D.
    mu : float
    noise : (n,) ndarray
        The generator adds mu to it.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(1000)
    >>> loss_gradient(Minimax(), 30.0, noise) < 1e-100
    True
    >>> round(loss_gradient(NonSaturating(), 30.0, noise), 9)
    30.0
    """

    def logit(y: torch.Tensor) -> torch.Tensor:
        return mu * (mu / 2 - y[:, 0])

    unused = torch.empty(0, 1, dtype=torch.float64)  # real samples, which these losses do not look at
    return _slope(lambda fake: objective.generator_loss(logit, unused, fake[:, None]), mu, noise)


def w1_gradient(mu: float, noise: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    """The slope in mu of the exact W1 between the batch ``mu + noise`` (n,) and ``real`` (m,).

    Examples
    --------
    >>> w1_gradient(5.0, np.array([-1.0, 1.0]), np.array([0.0, 0.5]))
    1.0
    """
    return _slope(lambda fake: wasserstein_1d(fake, torch.as_tensor(real)), mu, noise)


def _slope(loss: Callable[[torch.Tensor], torch.Tensor], mu: float, noise: NDArray[np.float64]) -> float:
    parameter = torch.tensor(mu, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(loss(torch.as_tensor(noise) + parameter), parameter)[0].item()


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """KL and W1 grow, JS stops, and with it the gradient of the minimax loss; those of -log D and of W1 remain."""
    error = 5 * math.sqrt(2 / settings.n)  # of a difference of means, in five standard errors
    return (
        Claim("largest relative difference of KL from mu^2 / 2", _each(runs, _kl_error), most=ROUNDING),
        Claim("log 2 less JS, largest from mu = 30 on", _each(runs, _js_left), most=ROUNDING),
        Claim("largest difference of the sample's W1 from mu", _each(runs, _w1_error), most=error),
        Claim("slope of the sample's W1 over mu, by least squares", _each(runs, _w1_slope), least=0.99, most=1.01),
        Claim(
            "minimax: largest gradient of mu from mu = 30 on, whole population",
            _each(runs, lambda run: max(_where(run, "minimax", FAR))),
            most=VANISHED,
        ),
        Claim(
            "minimax: the same on a batch",
            _each(runs, lambda run: max(_where(run, "minimax, batch", FAR))),
            most=VANISHED,
        ),
        Claim("-log D: gradient over mu on a batch, from mu = 5 on, least", _each(runs, _alternative), least=0.95),
        Claim("W1: largest difference of the gradient from 1, from mu = 5 on", _each(runs, _w1_steady), most=ROUNDING),
    )


def _each(runs: Sequence[Record], number: Callable[[Record], float]) -> tuple[float, ...]:
    return tuple(float(number(run)) for run in runs)


def _where(run: Record, name: str, low: float) -> list[float]:
    return [value for value, mu in zip(run[name], run["mu"], strict=True) if mu >= low]


def _kl_error(run: Record) -> float:
    return max(abs(kl / (mu * mu / 2) - 1) for kl, mu in zip(run["KL"], run["mu"], strict=True) if mu)


def _js_left(run: Record) -> float:
    return math.log(2) - min(_where(run, "JS", FAR))


def _w1_error(run: Record) -> float:
    return float(np.max(np.abs(np.array(run["W1"]) - run["mu"])))


def _w1_slope(run: Record) -> float:
    return float(np.polyfit(run["mu"], run["W1"], 1)[0])


def _alternative(run: Record) -> float:
    return min(slope / mu for slope, mu in zip(run["-log D, batch"], run["mu"], strict=True) if mu >= APART)


def _w1_steady(run: Record) -> float:
    return max(abs(slope - 1) for slope in _where(run, "W1, batch", APART))


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """Distances between the distributions on the left, the generator's gradients on the right."""
    figure, (left, right) = plot.panels(2, 3.6, narrow_height=3.0)
    _draw_distances(left, runs[0])
    _draw_gradients(right, runs[0])
    for ax in (left, right):
        ax.set_xlabel("mu")
    return figure


def _draw_distances(ax: Axes, run: Record) -> None:
    """Linear up to 0.1, since all of them begin at zero; logarithmic above."""
    for k, (name, above) in enumerate({"KL": 5, "JS": 4, "W1": -13}.items()):
        ax.plot(run["mu"], run[name], ".-", color=plot.series(k)[0], linewidth=1.2, markersize=4)
        end = (run["mu"][-1], run[name][-1])
        ax.annotate(name, end, (0, above), textcoords="offset points", ha="right", color=plot.series(k)[0])
    ax.axhline(math.log(2), color=plot.text_colour(), linewidth=0.8, linestyle=":")
    middle = (max(run["mu"]) / 2, math.log(2))
    ax.annotate("log 2", middle, (0, -3), textcoords="offset points", ha="center", va="top")
    ax.set_yscale("symlog", linthresh=0.1)
    ax.set_yticks([0, 0.1, 1, 10, 100], ["0", "0.1", "1", "10", "100"])
    ax.set_ylim(bottom=-0.01)
    ax.set_ylabel("between N(mu, 1) and N(0, 1)")


def _draw_gradients(ax: Axes, run: Record) -> None:
    """The size of each gradient, in powers of ten whose square root is drawn.

    So exp(-mu^2 / 8) falls along a straight line, and what is 200 decades below one is seen beside what is near one.
    Zero, which has no logarithm, stands at the bottom.
    """
    lines = {"minimax": ("-", 4), "minimax, batch": ("^", 4), "-log D, batch": (".-", 3), "W1, batch": (".-", 2)}
    powers = {name: [math.log10(abs(value)) if value else -math.inf for value in run[name]] for name in lines}
    least = min(power for values in powers.values() for power in values if math.isfinite(power))
    zero = BELOW * min(least, -1.0)
    for name, (mark, k) in lines.items():
        label = name if k == 4 else name.removesuffix(", batch")  # on a batch and in the population they are the same
        shown = np.maximum(powers[name], zero)
        look = {"linewidth": 1.4, "markersize": 3.5, "label": label.replace("-", "−")}
        ax.plot(run["mu"], shown, mark, color=plot.series(k)[0], **look)
    ax.set_yscale("function", functions=(_root, _square))
    ticks = [power for power in DECADES if power > least]
    ax.set_yticks([zero, *ticks, 1], ["0", *(f"$10^{{{power}}}$" if power else "1" for power in ticks), "10"])
    ax.set_yticks([], minor=True)
    ax.set_ylim(1.1 * zero, 4.0)
    columns = 1 if plot.is_narrow() else 2
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    ax.set_ylabel("size of the gradient of mu")


def _root(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """The square root with the sign of what it is of."""
    return np.sign(power) * np.sqrt(np.abs(power))


def _square(root: NDArray[np.float64]) -> NDArray[np.float64]:
    """What :func:`_root` is the root of."""
    return np.sign(root) * np.square(root)


EXPERIMENT = Experiment(
    name="gaussian_shift",
    title="Gaussians moved apart",
    source="Arjovsky & Bottou 2017, Towards principled methods for training GANs, section 2; Goodfellow et al. 2014",
    about=(
        "The real distribution is N(0, 1), the generator is N(mu, 1) with the one parameter mu. JS stops at log 2, and "
        "against the optimal discriminator the gradient of the minimax loss falls like exp(-mu^2 / 8). KL is mu^2 / 2 "
        "and does not stop; the gradient of -log D is near mu. W1 is mu, and its gradient is 1."
    ),
    full=Settings(),
    quick=Settings(n=2000, mus=(0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 35.0)),
    cases=lambda settings: ("gaussians",),
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
