"""Controls: methods that use more than a critic may know, to show what a benchmark can distinguish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from otgan import inputs
from otgan.critics.methods.method import Method, adam
from otgan.critics.networks.cones import LeastCone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from otgan.critics.source import Source

__all__ = ["Cones", "DiscretePotentials"]


@dataclass(frozen=True)
class Control(Method):
    """Base class of controls: their network is a function of cones."""

    exact_lipschitz: ClassVar[bool] = True
    control: ClassVar[bool] = True
    own_network: ClassVar[bool] = True


@dataclass(frozen=True)
class Cones(Control):
    """``f(x) = -min_n (|x - c_n| + b_n)`` with learnt centres: the shape of the optimal critic of funnels.

    Centres start at points of x, where the mass of that benchmark gathers. ``width`` is the number of cones; ``depth``
    has no meaning here.
    """

    name: ClassVar[str] = "cones"
    summary: ClassVar[str] = "control: the least of learnt cones, the shape of the funnels' answer"
    reference: ClassVar[str] = "arXiv:2206.07767, equation 11 (MinFunnel)"
    batch_size: int = 512
    learning_rate: float = 1e-2
    decay: str = "cosine"
    width: int = 512

    def network(self, dimension: int, generator: torch.Generator | None = None) -> LeastCone:
        """Cones at normal points, until :meth:`start` has seen the data."""
        centers = torch.randn(1, self.width, dimension, generator=generator)
        return LeastCone(centers, torch.zeros(1, self.width), sign=-1, learnt=True)

    def weights(self, dimension: int) -> int:
        """A centre and an offset for each cone."""
        return self.width * (dimension + 1)

    @torch.no_grad()
    def start(self, network: nn.Module, x: Source, y: Source, generators: Sequence[torch.Generator]) -> None:
        """Centres at points of x."""
        network.get_parameter("centers").copy_(torch.stack([x.batch(self.width, g) for g in generators]))

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0.9, 0.99)."""
        return adam(network, self.learning_rate, (0.9, 0.99))


@dataclass(frozen=True)
class DiscretePotentials(Control):
    """Exact potentials of one finite sample, extended by ``f(x) = min_j |x - y_j| - g_j`` (McShane 1934).

    Nothing is trained, and ``steps``, ``batch_size``, ``learning_rate``, ``width`` and ``depth`` have no meaning here.

    Attributes
    ----------
    points : int
        Points of each side that are solved for: all of a fixed sample that has no more, else so many draws.
    """

    name: ClassVar[str] = "discrete"
    summary: ClassVar[str] = "control: exact potentials of a finite sample, extended to the space"
    reference: ClassVar[str] = "McShane, Extension of range of functions (1934), arXiv:2206.07767 (POT)"
    steps: int = 1
    points: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.count(self.points, "points")

    def network(self, dimension: int, generator: torch.Generator | None = None) -> LeastCone:
        """A single cone, until :meth:`start` has seen the data."""
        return LeastCone(torch.zeros(1, 1, dimension), torch.zeros(1, 1), sign=1, learnt=False)

    def weights(self, dimension: int) -> int:
        """None that are trained."""
        return 0

    def start(self, network: nn.Module, x: Source, y: Source, generators: Sequence[torch.Generator]) -> None:
        """Solve exactly, once for each member that has other points."""
        solved: list[tuple[torch.Tensor, torch.Tensor]] = []
        for generator in generators:
            sides = x.some(self.points, generator), y.some(self.points, generator)
            fixed = all(len(side) == source.size for side, source in zip(sides, (x, y), strict=True))
            solved.append(solved[0] if fixed and solved else _cones_of(*sides))
        device = next(network.buffers()).device
        for k, name in enumerate(("centers", "offsets")):
            network._buffers[name] = torch.stack([cones[k] for cones in solved]).to(device)

    def optimizer(self, network: nn.Module) -> None:
        """None."""

    def step(
        self,
        network: nn.Module,
        optimizer: Any,
        x: torch.Tensor,
        y: torch.Tensor,
        generators: Sequence[torch.Generator],
    ) -> None:
        """Do nothing: there is nothing to train."""


def _cones_of(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centres (m, d) and offsets (m,) of the cones whose least is the exact potential f."""
    from otgan.solve import solve

    solution = solve(x.double().cpu().numpy(), y.double().cpu().numpy())
    offsets = -(solution.g - np.mean(solution.g))
    return y.float().cpu(), torch.as_tensor(offsets, dtype=torch.float32)
