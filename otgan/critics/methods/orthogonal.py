"""Critics with orthonormal or almost orthogonal layers, 1-Lipschitz by construction (Anil, Lucas & Grosse 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otgan.critics.methods.method import Method, adam
from otgan.critics.networks import AlmostOrthogonal, Dense, Orthogonal, check_activation, feedforward

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["AlmostOrthogonalLayers", "NormPreserving", "OrthogonalAbs", "OrthogonalSort"]


@dataclass(frozen=True)
class NormPreserving(Method):
    """Base class of critics with gradient-norm-preserving layers: Adam with a rate that decays to zero."""

    exact_lipschitz: ClassVar[bool] = True
    layer: ClassVar[type[Dense]]
    activations: ClassVar[tuple[str, ...]] = ("maxmin", "groupsort", "fullsort", "abs")

    steps: int = 1500
    batch_size: int = 256
    learning_rate: float = 2e-3
    decay: str = "cosine"
    depth: int = 4
    activation: str = "maxmin"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_activation(self.activation, self.width, self.activations)

    def network(self, dimension: int, generator: torch.Generator | None = None) -> nn.Module:
        """``depth`` layers of ``width`` units, and a unit vector."""
        return feedforward(self.layer, dimension, self.width, self.depth, self.activation, generator)

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0.9, 0.99)."""
        return adam(network, self.learning_rate, (0.9, 0.99))


@dataclass(frozen=True)
class OrthogonalSort(NormPreserving):
    """Bjorck-orthonormalised layers with sorting activations (Anil, Lucas & Grosse 2019).

    Attributes
    ----------
    activation : {"maxmin", "groupsort", "fullsort", "abs"}
        Sort pairs, groups of four, or all units of a layer.
    """

    name: ClassVar[str] = "orthogonal"
    summary: ClassVar[str] = "orthonormal layers and MaxMin (Anil, Lucas & Grosse 2019)"
    reference: ClassVar[str] = "arXiv:1811.05381, section 4 (GroupSort, Bjorck orthonormalisation)"
    layer: ClassVar[type[Dense]] = Orthogonal
    correction: ClassVar[str | None] = "gradient-norm"


@dataclass(frozen=True)
class OrthogonalAbs(OrthogonalSort):
    """The same with absolute values, which keep gradient norms too and cost less than sorting."""

    name: ClassVar[str] = "orthogonal-abs"
    summary: ClassVar[str] = "orthonormal layers and absolute values (after Anil, Lucas & Grosse 2019)"

    activation: str = "abs"


@dataclass(frozen=True)
class AlmostOrthogonalLayers(NormPreserving):
    """Almost-orthogonal layers, AOL (Prach & Lampert 2022): a rescaling that makes any weight 1-Lipschitz.

    Attributes
    ----------
    activation : {"maxmin", "groupsort", "fullsort", "abs"}
    """

    name: ClassVar[str] = "aol"
    summary: ClassVar[str] = "almost-orthogonal layers and MaxMin: AOL (Prach & Lampert 2022)"
    reference: ClassVar[str] = "arXiv:2208.03160, theorem 1"
    layer: ClassVar[type[Dense]] = AlmostOrthogonal
