"""Certified upper bounds on spectral norms, valid under rounding.

A computed norm is near the true one, above or below it. Here the number of an eigenvalue solver, raised a little, is
*proven* to be above: if ``t I - G`` has a Cholesky factor in floating point, then no eigenvalue of G is above t, up to
the rounding of the factorisation (Rump 2006, "Verification of positive definiteness"; Higham 2002, theorem 10.3). The
difference of G from ``W W^T`` in exact arithmetic is bounded by the usual ``gamma_k = k u / (1 - k u)`` (Higham 2002,
section 3.5), whatever the order of the sums. So what is added grows with the sizes, and the bound always holds.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["UNIT_ROUNDOFF", "product_bound", "spectral_norms"]

UNIT_ROUNDOFF = 2.0**-53  # relative, of float64


@torch.no_grad()
def spectral_norms(matrix: torch.Tensor, apart: torch.Tensor | float = 0.0) -> torch.Tensor:
    """A proven upper bound on the spectral norm of each matrix, (S, o, i) -> float64 (S,).

    With n the smaller of o and i, k the greater and u = 2**-53, the bound is above the norm by a relative
    ``8 n (k + 4) u`` at most, 6e-10 for 784 x 784; infinite for a matrix that is not finite.

    Parameters
    ----------
    matrix : (S, o, i) tensor
        Its entries are exactly the values of its floats.
    apart : (S,) tensor or float, default 0
        The bound is then one for every matrix whose Frobenius distance from the given one is at most this: where the
        matrix that is meant could only be computed.

    Examples
    --------
    >>> bound = float(spectral_norms(torch.tensor([[[3.0, 4.0]]])))
    >>> 5 <= bound <= 5 + 1e-13
    True
    """
    matrix = matrix.detach().double()
    largest = matrix.abs().amax(dim=(1, 2)) if matrix.numel() else matrix.new_zeros(len(matrix))
    finite = largest.isfinite()
    unit = _powers_of_two(torch.where(finite & (largest > 0), largest, 1.0))
    scaled = torch.where(finite[:, None, None], matrix / unit[:, None, None], 0.0)  # entries up to 2: no overflow
    bound = _norms_about_one(scaled if matrix.shape[1] <= matrix.shape[2] else scaled.mT) * unit + apart
    return torch.where(finite, _up(bound), torch.inf)


def _norms_about_one(rows: torch.Tensor) -> torch.Tensor:
    """The bounds for (S, n, k) with n <= k; entries that underflow are far below what the slack has room for."""
    n, k = rows.shape[1:]
    squares = rows.square().sum(dim=(1, 2)) * (1 + 2 * n * k * UNIT_ROUNDOFF)
    gram = rows @ rows.mT  # within gamma_k |W| |W|^T of W W^T, in norm within gamma_k times the sum of squares
    of_factor = n * (n + 4) * UNIT_ROUNDOFF  # the factor's rounding, relative to t: gamma_{n+1} trace(t I - G)
    t = torch.linalg.eigvalsh(gram)[:, -1].clamp(min=0) * (1 + 4 * of_factor)
    shifted = torch.diag_embed(t[:, None].expand(-1, n)) - gram
    proven = torch.linalg.cholesky_ex(shifted).info == 0
    # Twice the terms of first order: room for those of higher order, for other ways to write the factorisation, and
    # for the rounding of these lines. Without a factor the Frobenius norm is what is sure.
    top = torch.where(proven, t * (1 + 2 * of_factor), squares)
    return (top + 2 * (k + 2) * UNIT_ROUNDOFF * squares).sqrt() * (1 + 8 * UNIT_ROUNDOFF)


def _powers_of_two(numbers: torch.Tensor) -> torch.Tensor:
    """The largest power of two up to each positive number, exactly."""
    exponents = np.frexp(numbers.cpu().numpy())[1] - 1
    return torch.from_numpy(np.ldexp(1.0, exponents)).to(numbers.device)


def _up(numbers: torch.Tensor) -> torch.Tensor:
    """The next number above: at least what was rounded to nearest."""
    return torch.nextafter(numbers, torch.full_like(numbers, torch.inf))


def product_bound(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """``first * second`` or the next number above; exact where a factor is one.

    Examples
    --------
    >>> one, tenth = (torch.tensor([value], dtype=torch.float64) for value in (1.0, 0.1))
    >>> product_bound(one, tenth).item(), product_bound(tenth, tenth).item() > 0.1 * 0.1
    (0.1, True)
    """
    product = first * second
    return torch.where((first == 1) | (second == 1), product, _up(product))
