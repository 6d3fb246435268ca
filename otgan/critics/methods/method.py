"""The interface of a method to train critics.

A method is a small frozen dataclass. Its fields are its options with their defaults. Its functions are the places where
methods differ: the network, the optimiser and the schedule of its rate, the loss of a batch, a training step, the
estimate, and what is known about its bias. The loop in :mod:`otgan.critics.training` does the rest, for all seeds at
once. Networks are ensembles of S members (:mod:`otgan.critics.networks.ensemble`), and whatever is not elementwise is
done for each member on its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from otgan import inputs
from otgan.critics.networks import CERTIFIED, ModuleEnsemble, certified_lipschitz, mlp_ensemble, n_members, values
from otgan.critics.room import DEEPEST
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from otgan.critics.critic import Critic
    from otgan.critics.source import Source
    from otgan.potentials import DualPotentials

    Slopes = Callable[[], NDArray[Any]]

__all__ = ["DECAYS", "Method", "adam", "rmsprop"]

CORRECTIONS = ("congested", "gradient-norm")

DECAYS: dict[str, Callable[[float], float]] = {
    "none": lambda share: 1.0,
    "linear": lambda share: 1.0 - share,
    "cosine": lambda share: 0.5 * (1.0 + math.cos(math.pi * share)),
}


@dataclass(frozen=True)
class Method:
    """How to train a critic f so that ``E f(x) - E f(y)`` approaches W1 (Kantorovich-Rubinstein duality).

    Attributes
    ----------
    steps : int
        Optimiser steps.
    batch_size : int
        Points of each side in a step, drawn with replacement.
    learning_rate : float
        At the first step.
    decay : {"none", "linear", "cosine"}
        How the learning rate falls to zero over the steps.
    width, depth : int
        Hidden units and hidden layers of the default network.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    exact_lipschitz: ClassVar[bool] = False  # 1-Lipschitz by construction
    control: ClassVar[bool] = False  # not a contender: it knows more than a critic may
    whole: ClassVar[bool] = False  # a step sees all of a fixed sample that is no larger than a batch
    correction: ClassVar[str | None] = None  # of fit.corrections, what proved best in benchmarks/corrections.py
    own_network: ClassVar[bool] = False  # its network is the method itself, and no other will do
    mirror: ClassVar[str] = ""  # the name of the same method with the sides exchanged, where that is another one
    shallowest: ClassVar[int] = 1  # hidden layers that it needs
    side: ClassVar[str] = "x"  # that prototypes stand among, in a method that has some

    steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 1e-4
    decay: str = "none"
    width: int = 256
    depth: int = 3

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "width"):
            inputs.count(getattr(self, name), name)
        inputs.count(self.depth, "depth", low=self.shallowest, high=DEEPEST)
        inputs.real(self.learning_rate, "learning_rate", low=0.0, high=1e3, open_low=True)
        inputs.choice(self.decay, "decay", tuple(DECAYS))

    @classmethod
    def with_options(cls, options: dict[str, Any]) -> Method:
        """The method with some of its fields set; an option that it does not have is refused by name."""
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise InvalidInput(
                    f"method {cls.name!r} has no option {name!r}; its options are {', '.join(sorted(known))}."
                )
        return cls(**options)

    def network(self, dimension: int, generator: torch.Generator | None = None) -> nn.Module:
        """A fresh critic: an ensemble of one, from (1, k, dimension) to (1, k)."""
        return mlp_ensemble(dimension, self.width, self.depth, generator)

    def weights(self, dimension: int) -> int:
        """How many weights :meth:`network` has, or somewhat more."""
        return (self.width + 2) * (dimension + 1 + self.depth * (self.width + 2))

    def work(self, dimension: int) -> int:
        """Multiplications of a step for each member: roughly what seconds say, but the same on every machine."""
        return self.batch_size * self.weights(dimension)

    def check_network(self, network: nn.Module) -> None:
        """Refuse a network of the user's that contradicts the method.

        A method whose network is the method itself takes none. One that is 1-Lipschitz by construction takes what has a
        ``lipschitz()`` of its own: a small bound on plain layers would not outlast the first step.
        """
        if self.own_network:
            raise InvalidInput(
                f"method {self.name!r} is defined by its own network, and takes no network of yours. Leave network out,"
                " or choose a method that trains any, such as 'gp'."
            )
        if not self.exact_lipschitz:
            return
        bound = certified_lipschitz(network.eval()) if hasattr(network, "lipschitz") else None
        if bound is None or bound > CERTIFIED:
            known = "this one proves nothing" if bound is None else f"this one may have {bound:.6g}"
            raise InvalidInput(
                f"method {self.name!r} needs a network that proves a Lipschitz constant of at most 1, but {known}."
                " Use otgan.critics.networks, or a method that constrains any network, such as 'gp'."
            )

    def start(self, network: nn.Module, x: Source, y: Source, generators: Sequence[torch.Generator]) -> None:
        """Prepare a fresh network with the data, where a method needs that."""

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer | None:
        """The optimiser, elementwise so that members stay independent; None where nothing is learnt."""
        raise NotImplementedError  # pragma: no cover - the contract test covers every registered method

    def schedule(self, step: float) -> float:
        """What the learning rate is multiplied by at ``step``, counted from 0; beyond the last one as at the end."""
        return self.falls(min(step / self.steps, 1.0))

    def falls(self, share: float) -> float:
        """What it is multiplied by after this share of the steps."""
        return DECAYS[self.decay](share)

    def cool(self, network: nn.Module, share: float) -> None:
        """Set how smooth a network is that ends less so than it begins: ``share`` falls from 1 to 0 with the steps."""

    def loss(
        self, network: nn.Module, x: torch.Tensor, y: torch.Tensor, generators: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """What a step minimises, for each member (S,), from batches (S, k, d) of both sides."""
        f_x, f_y = on_both(network, x, y)
        return f_y.mean(dim=1) - f_x.mean(dim=1)

    def step(
        self,
        network: nn.Module,
        optimizer: Any,
        x: torch.Tensor,
        y: torch.Tensor,
        generators: Sequence[torch.Generator],
    ) -> None:
        """One step on batches (S, k, d). The members' losses are added: no gradient crosses between them."""
        loss = self.loss(network, x, y, generators)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        self.after_step(network)

    def after_step(self, network: nn.Module) -> None:
        """Bring the weights back into the method's set, where it has one."""

    @torch.no_grad()
    def estimates(
        self,
        network: nn.Module,
        x: torch.Tensor,
        y: torch.Tensor,
        a: torch.Tensor | None = None,
        b: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Each member's number for W1 between the points (n, d) and (m, d), float64 (S,).

        a (n,) and b (m,) are positive shares that add to one, float64; None means equal ones.
        """
        return average(values(network, x), a) - average(values(network, y), b)

    def potentials(self, critic: Critic, x: NDArray[Any]) -> DualPotentials:
        """The critic as a pair of potentials, whose g may rest on the points x (n, d) of the estimate."""
        return critic.potentials

    def congested(self, estimate: float) -> float | None:
        """W1 behind an estimate at the method's optimum where all mass moves along one ray; None without a formula."""
        return None

    def corrections(self, estimates: NDArray[Any], slopes: Slopes, unit: float) -> dict[str, float]:
        """Every correction of the mean of estimates (n_seeds,) that there is for the method, by name.

        "congested" inverts the optimum of a penalised critic. "gradient-norm" divides each estimate by its critic's
        mean gradient norm over the points, ``slopes()`` (n_seeds,). Estimates are in the data's units, of which
        ``unit`` are one of the network's.
        """
        found = {name: self._correction(name, estimates, slopes, unit) for name in CORRECTIONS}
        return {name: value for name, value in found.items() if value is not None}

    def corrected(self, estimates: NDArray[Any], slopes: Slopes, unit: float) -> float | None:
        """The one of :meth:`corrections` that proved best for the method; None where none did."""
        return None if self.correction is None else self._correction(self.correction, estimates, slopes, unit)

    def _correction(self, name: str, estimates: NDArray[Any], slopes: Slopes, unit: float) -> float | None:
        if name == "congested":
            found = self.congested(float(estimates.mean()) / unit)
            return None if found is None else unit * found
        steepness = slopes()
        return None if min(steepness) == 0 else float((estimates / steepness).mean())


def adam(network: nn.Module, learning_rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    """Adam, fused: small steps would lose much of their time to it otherwise."""
    parameters = list(network.parameters())
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
    return torch.optim.Adam(parameters, lr=learning_rate, betas=betas, fused=fused)


def rmsprop(network: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """RMSProp without momentum, which WGAN's authors report to destabilise training (section 4.2 of the paper)."""
    return torch.optim.RMSprop(network.parameters(), lr=learning_rate, foreach=True)


def average(of_points: torch.Tensor, shares: torch.Tensor | None) -> torch.Tensor:
    """The mean of values (S, k) over points with these shares (k,), or equal ones, (S,)."""
    return of_points.mean(dim=1) if shares is None else of_points @ shares


def on_both(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values at both batches, (S, k) each, in one pass where no layer of the user's may mix the points of a batch."""
    if isinstance(network, ModuleEnsemble):
        return network(x), network(y)
    f_x, f_y = network(torch.cat([x, y], dim=1)).split([x.shape[1], y.shape[1]], dim=1)
    return f_x, f_y


def uniform(generators: Sequence[torch.Generator], like: torch.Tensor) -> torch.Tensor:
    """Numbers uniform on [0, 1], (S, k, 1, ...): one for each point, each member's from its own generator."""
    shape = (like.shape[1], *[1] * (like.ndim - 2))
    return torch.stack([torch.rand(shape, generator=g, device=like.device, dtype=like.dtype) for g in generators])


def generators_for(network: nn.Module, seed: int, device: torch.device) -> list[torch.Generator]:
    """One generator for each member, seeded ``seed, seed + 1, ...``."""
    return [torch.Generator(device).manual_seed(seed + k) for k in range(n_members(network))]
