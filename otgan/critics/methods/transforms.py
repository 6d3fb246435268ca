"""Critics whose second potential is the c-transform of the first over the batch (Mallasto et al. 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from otgan import inputs
from otgan.costs import PointCost
from otgan.critics.methods.method import Method, adam, average, on_both
from otgan.critics.networks import values
from otgan.critics.networks.cones import distances, quick_distances
from otgan.potentials import DualPotentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from otgan.critics.critic import Critic

__all__ = ["CTransform", "ComparedTransforms", "SoftCTransform"]

BLOCK = 2**23  # distances held at a time while estimating


@dataclass(frozen=True)
class CTransform(Method):
    """A free f and ``f^c(y_j) = min_i |x_i - y_j| - f(x_i)`` over the batch (Mallasto, Montufar & Gerolin 2019).

    Maximises ``E f(x) + E f^c(y)``. The pair is feasible on the points that the minimum ran over, so the estimate,
    which takes the minimum over all of them, is a lower bound on the distance of these samples; as a number for a
    population it is biased upwards. f is not constrained between the points, so its gradient means little.

    Where a fixed sample has no more than ``batch_size`` points, every step sees all of it: then what is maximised is
    the dual of the exact problem itself, and a network with room for the sample comes close to the exact distance.
    """

    name: ClassVar[str] = "c-transform"
    summary: ClassVar[str] = "free network and its c-transform over the batch (Mallasto, Montufar & Gerolin 2019)"
    reference: ClassVar[str] = "arXiv:1910.03875, the c-transform formulation"
    whole: ClassVar[bool] = True

    steps: int = 1500
    batch_size: int = 1024
    learning_rate: float = 1e-3
    decay: str = "cosine"

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0.9, 0.99)."""
        return adam(network, self.learning_rate, (0.9, 0.99))

    def transform(self, slack: torch.Tensor, shares: torch.Tensor | None = None) -> torch.Tensor:
        """``g_j`` from ``|x_i - y_j| - f(x_i)``, (S, n, m) -> (S, m), whatever the shares of the points x."""
        return slack.min(dim=1).values

    def loss(
        self, network: nn.Module, x: torch.Tensor, y: torch.Tensor, generators: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """``-(E f(x) + E f^c(y))``."""
        f = network(x)
        return -f.mean(dim=1) - self.transform(quick_distances(x, y) - f[:, :, None]).mean(dim=1)

    @torch.no_grad()
    def estimates(
        self,
        network: nn.Module,
        x: torch.Tensor,
        y: torch.Tensor,
        a: torch.Tensor | None = None,
        b: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``E f(x) + E f^c(y)`` with the transform over all points, float64 (S,)."""
        f = values(network, x)
        columns = max(1, BLOCK // f.numel())
        parts = [self.transform(distances(x.double(), part) - f[:, :, None], a) for part in y.double().split(columns)]
        return average(f, a) + average(torch.cat(parts, dim=1), b)

    def potentials(self, critic: Critic, x: NDArray[Any]) -> DualPotentials:
        """The critic and its c-transform over the points x."""
        return DualPotentials(critic.dimension, critic, Transformed(x, critic(x)), critic.gradient, critic.columns)


@dataclass(frozen=True, eq=False)
class Transformed:
    """The c-transform of values f (n,) at points x (n, d), as a function that can be pickled."""

    x: NDArray[Any]
    f: NDArray[Any]

    def __call__(self, new: NDArray[Any]) -> NDArray[Any]:
        """Values at points, (k, d) -> (k,)."""
        return PointCost(self.x, new).column_minima(self.f)[0]


@dataclass(frozen=True)
class SoftCTransform(CTransform):
    """The entropic version: ``f^{c,eps}(y_j) = -eps log mean_i exp((f(x_i) - |x_i - y_j|) / eps)``.

    Its optimum is the entropic cost, which is above W1; the transform is smooth, so every point of a batch learns.

    Attributes
    ----------
    epsilon : float
        In units of distance.
    """

    name: ClassVar[str] = "c-eps-transform"
    summary: ClassVar[str] = "free network and its entropic c-transform (Mallasto, Montufar & Gerolin 2019)"
    reference: ClassVar[str] = "arXiv:1910.03875, the (c, epsilon)-transform formulation"

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.real(self.epsilon, "epsilon", low=0.0, high=1e9, open_low=True)

    def transform(self, slack: torch.Tensor, shares: torch.Tensor | None = None) -> torch.Tensor:
        """The soft minimum over x: ``-eps log sum_i share_i exp(-slack_i / eps)``."""
        if shares is not None:
            return -self.epsilon * torch.logsumexp(shares.log()[:, None] - slack / self.epsilon, dim=1)
        n = slack.shape[1]
        return -self.epsilon * (torch.logsumexp(-slack / self.epsilon, dim=1) - math.log(n))


@dataclass(frozen=True)
class ComparedTransforms(CTransform):
    """CoWGAN (Kwon, Kim, Montufar & Yang 2021): descend where the critic contradicts c-concavity, else ascend.

    Three values of a batch: ``L1 = E f(x) - E f(y)``, and with c-transforms of f and of -f,
    ``L2 = E f(x) + E f^c(y)`` and ``L3 = E (-f)^c(x) - E f(y)``. For a 1-Lipschitz f neither of the latter is below the
    first. Where one is, it is maximised, which lowers the slopes that are too steep; else L1 is.
    """

    name: ClassVar[str] = "cowgan"
    summary: ClassVar[str] = "comparison with c-transforms: CoWGAN (Kwon, Kim, Montufar & Yang 2021)"
    reference: ClassVar[str] = "arXiv:2110.14150 (as benchmarked in arXiv:2206.07767)"

    def loss(
        self, network: nn.Module, x: torch.Tensor, y: torch.Tensor, generators: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """Minus the value that is to be maximised, for each member its own."""
        apart, (f_x, f_y) = quick_distances(x, y), on_both(network, x, y)
        first = f_x.mean(dim=1) - f_y.mean(dim=1)
        second = f_x.mean(dim=1) + self.transform(apart - f_x[:, :, None]).mean(dim=1)
        third = (apart + f_y[:, None, :]).min(dim=2).values.mean(dim=1) - f_y.mean(dim=1)
        return -torch.where(second < first, second, torch.where(third < first, third, first))

    @torch.no_grad()
    def estimates(
        self,
        network: nn.Module,
        x: torch.Tensor,
        y: torch.Tensor,
        a: torch.Tensor | None = None,
        b: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``E f(x) - E f(y)``."""
        return Method.estimates(self, network, x, y, a, b)

    def potentials(self, critic: Critic, x: NDArray[Any]) -> DualPotentials:
        """The critic and its negative."""
        return critic.potentials
