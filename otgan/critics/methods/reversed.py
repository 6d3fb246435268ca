"""The maximin formulation with a transport map and a potential (MM:R; Korotin et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from otgan import inputs
from otgan.critics.methods.method import Method, adam, average
from otgan.critics.networks import Ensemble, mlp_ensemble, values
from otgan.potentials import DualPotentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from otgan.critics.critic import Critic

__all__ = ["MaximinReversed", "MoverAndPotential"]


class MoverAndPotential(nn.Module):
    """A map ``T(x) = x + N(x)`` and a potential g on the other side; as a critic, ``f(x) = |x - T(x)| - g(T(x))``.

    T(x) should be where the c-transform of g at x attains its minimum, so f should be that transform, and with T held
    fixed (envelope theorem) the gradient of f is ``(x - T(x)) / |x - T(x)|``: the way that x has come.
    """

    def __init__(self, mover: Ensemble, potential: Ensemble) -> None:
        super().__init__()
        self.mover, self.potential = mover, potential

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Values of f, (S, k, d) or (k, d) -> (S, k)."""
        with torch.no_grad():
            moved = self.move(points)
        return (points - moved).norm(dim=-1) - self.potential(moved)

    def move(self, points: torch.Tensor) -> torch.Tensor:
        """T(x), (S, k, d) or (k, d) -> (S, k, d)."""
        return points + self.mover.outputs(points)


@dataclass(frozen=True)
class MaximinReversed(Method):
    """MM:R (Korotin, Kolesov & Burnaev 2022, section 3): ``max_g min_T E [|x - T(x)| - g(T(x))] + E g(y)``.

    "Reversed" means that the mover carries x to y, and so gives the gradient at x, where a generator needs it. Nothing
    constrains g: the mover finds the points where it is too large. The estimate is the value of the game, which is not
    a bound.

    Attributes
    ----------
    mover_steps : int
        Steps of the mover for each of the potential.
    """

    name: ClassVar[str] = "mm-reversed"
    summary: ClassVar[str] = "a mover against a potential: MM:R (Korotin, Kolesov & Burnaev 2022)"
    reference: ClassVar[str] = "arXiv:2206.07767, section 3 (maximin, reversed)"
    own_network: ClassVar[bool] = True

    learning_rate: float = 2e-4
    mover_steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.count(self.mover_steps, "mover_steps")

    def network(self, dimension: int, generator: torch.Generator | None = None) -> nn.Module:
        """A mover and a potential of the same size."""
        mover = mlp_ensemble(dimension, self.width, self.depth, generator, outputs=dimension)
        return MoverAndPotential(mover, mlp_ensemble(dimension, self.width, self.depth, generator))

    def weights(self, dimension: int) -> int:
        """Those of both."""
        return 2 * super().weights(dimension) + self.width * dimension

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0, 0.9) for both: parameters without a gradient stay where they are."""
        return adam(network, self.learning_rate, (0.0, 0.9))

    def step(
        self,
        network: nn.Module,
        optimizer: Any,
        x: torch.Tensor,
        y: torch.Tensor,
        generators: Sequence[torch.Generator],
    ) -> None:
        """Some steps of the mover down, then one of the potential up."""
        if not isinstance(network, MoverAndPotential):  # pragma: no cover - check_network refuses others
            raise TypeError(type(network))
        for _ in range(self.mover_steps):
            _descend(self._game(network, x), network.mover, optimizer)
        _descend(-self._game(network, x) - network.potential(y).mean(dim=1), network.potential, optimizer)

    def _game(self, network: MoverAndPotential, x: torch.Tensor) -> torch.Tensor:
        """``E [|x - T(x)| - g(T(x))]``, (S,)."""
        moved = network.move(x)
        length = ((x - moved).square().sum(dim=2) + 1e-12).sqrt()
        return (length - network.potential(moved)).mean(dim=1)

    @torch.no_grad()
    def estimates(
        self,
        network: nn.Module,
        x: torch.Tensor,
        y: torch.Tensor,
        a: torch.Tensor | None = None,
        b: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``E f(x) + E g(y)``."""
        potential = network.get_submodule("potential")
        return average(values(network, x), a) + average(values(potential, y), b)

    def potentials(self, critic: Critic, x: NDArray[Any]) -> DualPotentials:
        """The pair f and g, which need not be feasible."""
        from dataclasses import replace

        other = replace(critic, network=critic.network.get_submodule("potential"))
        return DualPotentials(critic.dimension, critic, other, critic.gradient)


def _descend(loss: torch.Tensor, part: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """A step of one of the two players."""
    optimizer.zero_grad(set_to_none=True)
    parameters = list(part.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss.sum(), parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
