"""Affine layers of an ensemble, each with its own way to bound the spectral norm.

``matrix()`` is what a layer multiplies by. While training it is computed once a step, however many forward passes the
step makes. In evaluation mode it is *certified*: where a proven bound on its spectral norm is above one, the matrix is
divided by it. So the Lipschitz constant holds for the rounded numbers too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn

from otgan.critics.networks.norms import UNIT_ROUNDOFF, product_bound, spectral_norms

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AlmostOrthogonal", "Constrained", "Dense", "Orthogonal", "Residual", "Spectral", "bjorck"]

BJORCK_STEPS = 5  # of the iteration, from a free weight
REACH = 1.5  # of the bound on the norm, after a step of the optimiser
TINY = 1e-30  # keeps a quotient of norms finite where a weight is zero


class Dense(nn.Module):
    """``h -> W h + b``, drawn as torch.nn.Linear draws: uniform within 1 / sqrt(fan_in).

    Parameters
    ----------
    fan_in, fan_out : int
    generator : torch.Generator, optional
        Where initial weights come from.
    """

    def __init__(self, fan_in: int, fan_out: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        reach = 1 / math.sqrt(fan_in)
        self.weight = nn.Parameter(torch.empty(1, fan_out, fan_in).uniform_(-reach, reach, generator=generator))
        self.bias = nn.Parameter(torch.empty(1, 1, fan_out).uniform_(-reach, reach, generator=generator))

    def matrix(self) -> torch.Tensor:
        """W, (S, fan_out, fan_in)."""
        return self.weight

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(S, k, fan_in) -> (S, k, fan_out)."""
        return torch.baddbmm(self.bias, h, self.matrix().mT)

    def lipschitz(self) -> torch.Tensor:
        """Proven bounds on the spectral norms, (S,)."""
        return spectral_norms(self.matrix())


class CachedWeight(nn.Module):
    """A layer that computes its matrix from its weights once, and keeps it until they change."""

    def __init__(self) -> None:
        nn.Module.__init__(self)  # not the next class: a layer that holds is also a layer of some kind
        self.cached: Any = None

    def train(self, mode: bool = True) -> Self:
        """Drop the matrix when the mode changes: training and evaluation multiply by different matrices."""
        if mode != self.training:
            self.cached = None
        return super().train(mode)

    def once(self, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The cached matrix; where there is none, or none with the graph that training needs, ``make`` it first.

        In full precision, also under autocast: half the digits are not orthonormal, and a weight may be set to them.
        """
        graph = self.training and torch.is_grad_enabled()
        if self.cached is None or (graph and not self.cached.requires_grad):
            with torch.autocast(next(self.parameters()).device.type, enabled=False):
                self.cached = make()
        return self.cached

    def _apply(self, *arguments: Any, **options: Any) -> Self:
        self.cached = None
        return super()._apply(*arguments, **options)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "cached": None}


class Constrained(CachedWeight, Dense):
    """A dense layer whose matrix is made from its weight, with a spectral norm of at most one."""

    def __init__(self, fan_in: int, fan_out: int, generator: torch.Generator | None = None) -> None:
        CachedWeight.__init__(self)
        reach = 1 / math.sqrt(fan_in)
        self.weight = nn.Parameter(torch.empty(1, fan_out, fan_in))
        self.bias = nn.Parameter(torch.empty(1, 1, fan_out).uniform_(-reach, reach, generator=generator))
        nn.init.orthogonal_(self.weight[0].detach(), generator=generator)

    def matrix(self) -> torch.Tensor:
        """The matrix multiplied by, (S, fan_out, fan_in)."""
        return self.once(self.constrained if self.training else self.certified)

    def constrained(self) -> torch.Tensor:
        """The matrix as a differentiable function of the weight."""
        raise NotImplementedError  # pragma: no cover

    @torch.no_grad()
    def certified(self) -> torch.Tensor:
        """The same with what its spectral norm may exceed one by divided out."""
        matrix = self.constrained().double()
        excess = spectral_norms(matrix).clamp(min=1.0)
        return (matrix / excess[:, None, None]).to(self.weight.dtype)


def bjorck(weight: torch.Tensor, steps: int = BJORCK_STEPS, reach: float = 1.0) -> torch.Tensor:
    """Towards the nearest matrix with orthonormal rows or columns, whichever are fewer, (S, o, i) -> (S, o, i).

    ``W <- 1.5 W - 0.5 W W^T W`` (Bjorck & Bowie 1971; Anil, Lucas & Grosse 2019, section 4.2) from a multiple of W with
    spectral norm at most one, which it then stays below. The multiple comes from the largest absolute row sum of the
    Gram matrix, a bound on the squared norm that is tight for orthonormal rows. Vectors are normalised, exactly.

    A W that is nearly there is shrunk by a bound that is not tight; ``reach`` between 1 and sqrt(3) leaves it as it is
    where the bound is between 1 and that. One step is enough for the norm to be at most one again.

    Examples
    --------
    >>> matrix = bjorck(torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]))
    >>> torch.allclose(matrix @ matrix.mT, torch.eye(2), atol=1e-6)
    True
    """
    if 1 in weight.shape[1:]:
        return weight / weight.flatten(1).norm(dim=1)[:, None, None].clamp(min=TINY)
    matrix = weight if weight.shape[1] <= weight.shape[2] else weight.mT
    gram = matrix @ matrix.mT
    bound = gram.abs().sum(dim=2).amax(dim=1)[:, None, None].clamp(min=TINY).sqrt()
    scale = bound / bound.clamp(1.0, reach)
    matrix, gram = matrix / scale, gram / scale.square()
    for step in range(steps):
        gram = matrix @ matrix.mT if step else gram
        matrix = torch.baddbmm(matrix, gram, matrix, beta=1.5, alpha=-0.5)
    return matrix if weight.shape[1] <= weight.shape[2] else matrix.mT


class Tangent(torch.autograd.Function):
    """The nearest orthonormal matrix, for one that is orthonormal already: the normal part of its gradient is removed.

    Moving along the rest keeps rows or columns orthonormal to first order (Edelman, Arias & Smith 1998, section 2.2).
    """

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor) -> torch.Tensor:
        """Q as it is, (S, o, i)."""
        matrix = matrix.clone()
        ctx.save_for_backward(matrix)
        return matrix

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """``D - 0.5 (D Q^T + Q D^T) Q``, or the same of the transposes."""
        gradient, (matrix,) = gradients[0], ctx.saved_tensors
        if matrix.shape[1] <= matrix.shape[2]:
            cross = gradient @ matrix.mT
            return torch.baddbmm(gradient, cross + cross.mT, matrix, alpha=-0.5)
        cross = matrix.mT @ gradient
        return torch.baddbmm(gradient, matrix, cross + cross.mT, alpha=-0.5)


class Orthogonal(Constrained):
    """Rows or columns, whichever are fewer, kept orthonormal by :func:`bjorck`.

    In training each step first puts the weight itself back, by one iteration: it has left by one optimiser step only.
    """

    def constrained(self) -> torch.Tensor:
        """The orthonormalised weight."""
        if not self.training:
            return bjorck(self.weight)
        with torch.no_grad():
            self.weight.copy_(bjorck(self.weight, steps=1, reach=REACH))
        return Tangent.apply(self.weight)  # type: ignore[return-value]


class AlmostOrthogonal(Constrained):
    """Columns rescaled so that the spectral norm is at most one (AOL: Prach & Lampert 2022, theorem 1).

    ``W D`` with ``D_ii = (sum_j |W^T W|_ij) ** -1/2``.
    """

    def constrained(self) -> torch.Tensor:
        """The rescaled weight."""
        row_sums = (self.weight.mT @ self.weight).abs().sum(dim=2)
        return self.weight * (row_sums[:, None, :] + 1e-12).rsqrt()


class Spectral(Constrained):
    """Divided by an estimate of the spectral norm (Miyato et al. 2018, equation 8): one power iteration a step.

    In evaluation mode it is a proven bound on the norm.
    """

    left: torch.Tensor

    def __init__(self, fan_in: int, fan_out: int, generator: torch.Generator | None = None) -> None:
        super().__init__(fan_in, fan_out, generator)
        nn.init.kaiming_uniform_(self.weight[0].detach(), a=math.sqrt(5), generator=generator)
        self.register_buffer("left", torch.randn(1, fan_out, 1, generator=generator))

    def constrained(self) -> torch.Tensor:
        """W / sigma, each member with its own vectors."""
        with torch.no_grad():
            right = nn.functional.normalize(self.weight.mT @ self.left, dim=1, eps=TINY)
            self.left = nn.functional.normalize(self.weight @ right, dim=1, eps=TINY)
        sigma = (self.left * (self.weight @ right)).sum(dim=(1, 2), keepdim=True)
        return self.weight / sigma.clamp(min=TINY)

    @torch.no_grad()
    def certified(self) -> torch.Tensor:
        """W over its spectral norm."""
        norm = spectral_norms(self.weight).clamp(min=TINY)
        return (self.weight.double() / norm[:, None, None]).to(self.weight.dtype)


class Residual(CachedWeight):
    """``h -> h - 2 W T^-1 relu(W^T h + b)``, 1-Lipschitz (SLL: Araujo et al. 2023, theorem 3).

    ``T_i = sum_j |W^T W|_ij q_j / q_i`` for any positive q makes ``W^T W <= T``, and that is all the proof needs. In
    evaluation mode the largest eigenvalue of ``T^-1/2 W^T W T^-1/2`` is bounded, and T raised if that is above one.

    Parameters
    ----------
    width : int
        Coordinates of h, and columns of W.
    generator : torch.Generator, optional
    """

    def __init__(self, width: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, width, width))
        self.bias = nn.Parameter(torch.empty(1, 1, width).uniform_(-1, 1, generator=generator) / math.sqrt(width))
        self.log_q = nn.Parameter(torch.zeros(1, width))
        nn.init.xavier_normal_(self.weight[0].detach(), generator=generator)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(S, k, width) -> (S, k, width)."""
        scale = self.once(self._scale if self.training else self._certified)
        active = torch.baddbmm(self.bias, h, self.weight).relu() * scale[:, None, :]
        return torch.baddbmm(h, active, self.weight.mT, alpha=-2)

    def lipschitz(self) -> torch.Tensor:
        """One where ``W^T W <= T`` holds for the numbers that are used, else no bound."""
        scale = self.once(self._scale if self.training else self._certified)
        proven = self._largest(scale) <= 1
        return torch.where(proven, 1.0, math.inf)

    def _scale(self) -> torch.Tensor:
        """The diagonal of T^-1, (S, width)."""
        q = self.log_q.exp()
        gram = (self.weight.mT @ self.weight).abs()
        return q / (torch.bmm(gram, q[:, :, None])[:, :, 0] + 1e-12)

    @torch.no_grad()
    def _certified(self) -> torch.Tensor:
        scale = self._scale()
        excess = self._largest(scale).clamp(min=1.0)
        return (scale.double() / excess[:, None] * (1 - 1e-7)).to(scale.dtype)

    def _largest(self, scale: torch.Tensor) -> torch.Tensor:
        """No eigenvalue of ``T^-1/2 W^T W T^-1/2`` is above this, float64 (S,)."""
        matrix = self.weight.detach() * scale.detach().double().sqrt()[:, None, :]  # rounded twice
        bound = spectral_norms(matrix, apart=4 * UNIT_ROUNDOFF * matrix.flatten(1).norm(dim=1))
        return product_bound(bound, bound)
