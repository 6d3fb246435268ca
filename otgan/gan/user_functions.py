"""Networks and functions of the user's, called so that nothing of theirs changes: modes, buffers, random numbers."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from otgan.critics.networks import copied
from otgan.errors import InvalidInput
from otgan.gan.run import NotFinite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["critic_values", "features_of", "frozen", "same_randomness"]

CHUNK = 500  # samples that are evaluated at a time


@contextmanager
def same_randomness(seed: int) -> Iterator[None]:
    """The same random numbers every time in the ``with`` block, and those of the caller untouched; without gradients.

    Of Python, of NumPy's global generator, and of torch on every device.

    Examples
    --------
    >>> with same_randomness(0):
    ...     first = torch.rand(2)
    >>> with same_randomness(0):
    ...     bool((torch.rand(2) == first).all())
    True
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the caller may use it
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def frozen(function: Any, name: str) -> Callable[[torch.Tensor], Any]:
    """A function as it came, and a module as a copy in evaluation mode: the module itself is never called.

    Raises
    ------
    InvalidInput
        If it cannot be called.
    """
    if isinstance(function, nn.Module):
        return copied(function).eval().requires_grad_(False)
    if not callable(function):
        raise InvalidInput(f"{name} must be a torch module or a function of a batch, but {function!r} came.")
    return function


def critic_values(critic: Callable[[torch.Tensor], Any], batch: torch.Tensor, seed: int) -> NDArray[np.float64]:
    """A critic's values (k,) at a batch (k, ...).

    Raises
    ------
    InvalidInput
        If it returns anything but a tensor (k,) or (k, 1).
    """

    def fits(out: torch.Tensor, n: int) -> bool:
        return out.shape in ((n,), (n, 1))

    return _called(critic, batch, seed, fits, "critic must map {0} samples to a tensor ({0},) or ({0}, 1)").reshape(-1)


def features_of(features: Callable[[torch.Tensor], Any], batch: torch.Tensor, seed: int) -> NDArray[np.float64]:
    """Features (k, f) of a batch (k, ...).

    Raises
    ------
    InvalidInput
        If it returns anything but a tensor of that shape.
    NotFinite
        If one is not finite.
    """

    def fits(out: torch.Tensor, n: int) -> bool:
        return out.ndim == 2 and len(out) == n

    found = _called(features, batch, seed, fits, "features must map {0} samples to a tensor ({0}, f)")
    if not np.isfinite(found).all():
        raise NotFinite("the features are not finite.")
    return found


@torch.no_grad()
def _called(
    function: Callable[[torch.Tensor], Any],
    batch: torch.Tensor,
    seed: int,
    fits: Callable[[torch.Tensor, int], bool],
    expected: str,
) -> NDArray[np.float64]:
    """What a function gives for a batch, in parts, as float64; of a module on its device and in its precision."""
    device, dtype = torch.device("cpu"), torch.float32
    if isinstance(function, nn.Module):
        held = (t for t in (*function.parameters(), *function.buffers()) if t.is_floating_point())
        device, dtype = next(((t.device, t.dtype) for t in held), (device, dtype))
    found = []
    with same_randomness(seed), torch.autocast(device.type, enabled=False):
        for part in batch.split(CHUNK):
            out = function(part.to(device, dtype))
            if not isinstance(out, torch.Tensor) or not fits(out, len(part)):
                came = tuple(out.shape) if isinstance(out, torch.Tensor) else f"a {type(out).__name__}"
                raise InvalidInput(
                    f"{expected.format(len(part))}, but returned {came}. Wrap it in a function that does."
                )
            found.append(out.detach().cpu().double().numpy())
    return np.concatenate(found)
