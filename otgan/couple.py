"""Couplings of two minibatches by the exact plan between them, as flow matching and GAN training use them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otgan import frames, inputs
from otgan.errors import InvalidInput
from otgan.solve import solve

__all__ = ["couple"]


def couple(x0: Any, x1: Any, p: float = 2, *, rng: Any = None, replace: bool = False) -> tuple[Any, Any]:
    """Rows of x0 and x1 in pairs, by the exact optimal plan for the Euclidean distance to the power p.

    Parameters
    ----------
    x0 : (n, ...) ndarray or torch.Tensor
        Samples of any shape, for example images.
    x1 : (m, ...) ndarray or torch.Tensor
        Others of the same shape.
    p : float, default 2
    rng : numpy.random.Generator or int, optional
        A generator or its seed, for ``replace=True``.
    replace : bool, default False
        Draw n pairs from the plan, with replacement. Otherwise n = m, and each row of x0 and of x1 is in one pair: x0
        stays as it is, and x1 is put into the order of the optimal permutation.

    Returns
    -------
    x0, x1 : arrays or tensors like those that came, (n, ...) each
        Row k of one belongs to row k of the other. Tensors stay on their devices, and gradients pass through.

    Raises
    ------
    InvalidInput
        As for :func:`otgan.solve`, and for n != m without ``replace``.

    References
    ----------
    Pooladian et al., Multisample flow matching (2023), arXiv:2304.14772; Tong et al. (2023), arXiv:2302.00482.

    Examples
    --------
    >>> import numpy as np
    >>> import otgan
    >>> x0, x1 = otgan.couple(np.array([[0.0], [5.0]]), np.array([[6.0], [1.0]]))
    >>> x1.ravel().tolist()
    [1.0, 6.0]
    """
    replace, generator = inputs.flag(replace, "replace"), inputs.generator(rng)
    x, y = (_flat(given, name) for given, name in ((x0, "x0"), (x1, "x1")))
    if tuple(x0.shape[1:]) != tuple(x1.shape[1:]):
        raise InvalidInput(
            f"x0 and x1 must hold samples of one shape, but they are {tuple(x0.shape[1:])} and {tuple(x1.shape[1:])}."
        )
    if not replace and len(x) != len(y):
        raise InvalidInput(
            f"without replace, x0 and x1 must hold as many samples, but there are {len(x)} and {len(y)}. Use "
            "replace=True."
        )
    solution = solve(x, y, p)
    if not replace:
        return x0, x1[solution.assignment.tolist()]
    rows, cols = solution.sample(len(x), rng=generator)
    return x0[rows.tolist()], x1[cols.tolist()]


def _flat(given: Any, name: str) -> np.ndarray:
    """Samples as rows of numbers."""
    if frames.columns(given) is not None or frames.is_series(given) or not getattr(given, "shape", ()):
        raise InvalidInput(f"{name} must be an array or a tensor of samples, but a {type(given).__name__} came.")
    return inputs.real_array(given, name).reshape(len(given), math.prod(given.shape[1:]))
