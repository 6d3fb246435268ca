"""Several networks of one shape as one module: every parameter has a leading axis of S members.

A step on an ensemble costs the overhead of one network, so the seeds of a fit train side by side in one loop. Members
are independent: member s sees the points of row s only, and an elementwise optimiser does not mix them.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from otgan.critics.networks.certify import CertifiesItself, certify
from otgan.critics.networks.norms import product_bound
from otgan.critics.networks.plain import copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "Ensemble",
    "ModuleEnsemble",
    "drop_cached_weights",
    "gradients",
    "join_members",
    "member",
    "n_members",
    "values",
]

CHUNK = 4096  # points that are evaluated at a time


class Ensemble(nn.Module):
    """S networks of one shape, one layer after the other.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        Each from (S, k, i) to (S, k, o), the last to (S, k, 1); with ``lipschitz()``, a proven bound for each member.

    Examples
    --------
    >>> from otgan.critics.networks import mlp_ensemble
    >>> network = mlp_ensemble(2, 8, 1)
    >>> network(torch.zeros(5, 2)).shape
    torch.Size([1, 5])
    """

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Values (S, k) at points (S, k, d), or at the same points (k, d) for every member."""
        return self.outputs(points).squeeze(-1)

    def outputs(self, points: torch.Tensor) -> torch.Tensor:
        """What the last layer gives, (S, k, o)."""
        h = each_member(points, n_members(self))
        for layer in self.layers:
            h = layer(h)
        return h

    def lipschitz(self) -> torch.Tensor:
        """A proven bound on the slope of each member, float64 (S,): the product over the layers."""
        bound = torch.ones(n_members(self), dtype=torch.float64)
        for layer in self.layers:
            bound = product_bound(bound, layer.lipschitz().cpu())  # type: ignore[operator]
        return bound


class ModuleEnsemble(CertifiesItself):
    """Modules of any kind, each from (k, d) to (k, 1) or (k,), as an ensemble: they are called one after the other."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(modules)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Values (S, k) at points (S, k, d), or at the same points (k, d) for every module."""
        rows = each_member(points, len(self.members))
        return torch.stack([module(row).flatten() for module, row in zip(self.members, rows, strict=True)])

    def lipschitz(self) -> torch.Tensor:
        """A proven bound on the slope of each module, infinite where nothing is known, float64 (S,)."""
        bounds = [certify(module)[0] for module in self.members]
        return torch.tensor([math.inf if bound is None else bound for bound in bounds], dtype=torch.float64)

    def certify(self, shape: Sequence[int] | None = None) -> tuple[float | None, str | None]:
        """The largest of those bounds for points of a shape, or what nothing is known of."""
        found = [certify(module, shape) for module in self.members]
        bounds = [bound for bound, _ in found if bound is not None]
        unknown = next((what for bound, what in found if bound is None), None)
        return (max(bounds), None) if len(bounds) == len(found) else (None, unknown)


def each_member(points: torch.Tensor, n: int) -> torch.Tensor:
    """Points (n, k, ...) as they are; points (k, d) seen by all n members."""
    return points.expand(n, *points.shape) if points.ndim == 2 else points


def n_members(network: nn.Module) -> int:
    """S: how many networks an ensemble holds."""
    if isinstance(network, ModuleEnsemble):
        return len(network.members)
    return len(next(tensor for tensors in (network.parameters(), network.buffers()) for tensor in tensors))


def join_members(parts: Sequence[nn.Module]) -> nn.Module:
    """One ensemble of all members of ``parts``, which have the same layers."""
    whole = copy.deepcopy(parts[0])
    for layer, *others in zip(whole.modules(), *(part.modules() for part in parts), strict=True):
        _replace(layer, lambda name, kind, others=others: torch.cat([getattr(o, kind)[name].detach() for o in others]))
    return whole


def member(network: nn.Module, k: int) -> nn.Module:
    """The network of member k alone, as an ensemble of one that shares nothing with ``network``.

    Examples
    --------
    >>> from otgan.critics.networks import join_members, mlp_ensemble
    >>> first, second = mlp_ensemble(2, 8, 1), mlp_ensemble(2, 8, 1)
    >>> points = torch.randn(5, 2)
    >>> torch.equal(member(join_members([first, second]), 1)(points), second(points))
    True
    """
    if isinstance(network, ModuleEnsemble):
        return ModuleEnsemble([copied(network.members[k])])
    alone = copy.deepcopy(network)
    for layer in alone.modules():
        _replace(layer, lambda name, kind, layer=layer: getattr(layer, kind)[name].detach()[k : k + 1].clone())
    return alone


def _replace(layer: nn.Module, new: Callable[[str, str], torch.Tensor]) -> None:
    """Give a layer's own parameters and buffers other values, whose number of members may differ."""
    for name in layer._parameters:
        layer._parameters[name] = nn.Parameter(new(name, "_parameters"))
    for name in layer._buffers:
        layer._buffers[name] = new(name, "_buffers")


def drop_cached_weights(network: nn.Module) -> None:
    """Drop the matrices that layers hold between forward passes: their weights have changed."""
    for layer in network.modules():
        if hasattr(layer, "cached"):
            layer.cached = None  # type: ignore[assignment]


def gradients(network: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """Gradients of the sum over all members at points (k, d), (k, d); 0 for what is constant, as a step function is."""
    at = points.detach().clone().requires_grad_()
    total = network(at).sum()
    if not total.requires_grad:
        return torch.zeros_like(at)
    (found,) = torch.autograd.grad(total, at, allow_unused=True)
    return torch.zeros_like(at) if found is None else found


@torch.no_grad()
def values(network: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """Values of every member at points (k, d), float64 (S, k), some thousand points at a time."""
    return torch.cat([network(part) for part in points.split(CHUNK)], dim=-1).double()
