"""Functions of the user's, called so that nothing of theirs changes: buffers, modes, random numbers."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from otgan.critics.given import before_each_call, left_as_they_were
from otgan.critics.networks import copied
from otgan.errors import InvalidInput
from otgan.gan.run import NotFinite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Features", "undisturbed"]

CHUNK = 500  # samples that are evaluated at a time


@contextmanager
def undisturbed(seed: int) -> Iterator[None]:
    """The same random numbers every time in the ``with`` block, without gradients; afterwards all is as it was.

    That is the random state of Python, of NumPy's global generator and of torch on every device; and the buffers of all
    modules that this thread calls, such as batch norm's running means, which move in training mode.

    Examples
    --------
    >>> layer = nn.BatchNorm1d(2)
    >>> found = []
    >>> for _ in range(2):
    ...     with undisturbed(seed=0):
    ...         found.append(layer(torch.rand(3, 2)))
    >>> torch.equal(*found), layer.num_batches_tracked.item()
    (True, 0)
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the caller may use it
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad(), _buffers_kept():
            torch.default_generator.manual_seed(seed)
            for device in devices:
                torch.cuda.default_generators[device].manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def _buffers_kept() -> Iterator[None]:
    """Put back the buffers of modules that this thread calls."""
    kept: dict[nn.Module, list[tuple[str, torch.Tensor, torch.Tensor]]] = {}

    def keep(module: nn.Module) -> None:
        if module in kept:
            return
        for part in (
            module.modules() if isinstance(module, torch.jit.ScriptModule) else (module,)
        ):  # it calls them itself
            kept[part] = [(name, held, held.clone()) for name, held in part.named_buffers(recurse=False)]

    try:
        with before_each_call(keep):
            yield
    finally:
        for module, buffers in kept.items():
            for name, held, content in buffers:
                with torch.inference_mode(mode=held.is_inference()):
                    held.copy_(content)
                if not isinstance(module, torch.jit.ScriptModule):
                    module._buffers[name] = held


class Features:
    """A network or a function from a batch to features.

    Parameters
    ----------
    given : torch.nn.Module or callable
        From a batch (k, ...) to a tensor (k, f). A module is copied, and the copy evaluated; the modules that a
        function calls are put in evaluation mode, and back.

    Raises
    ------
    InvalidInput
        If it cannot be called.

    Examples
    --------
    >>> Features(nn.Flatten())(torch.zeros(3, 2, 2)).shape
    (3, 4)
    """

    def __init__(self, given: Any) -> None:
        if not callable(given):
            raise InvalidInput(f"features must be a torch module or a function of a batch, but {given!r} came.")
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.called = given
        if isinstance(given, nn.Module):
            if any(is_lazy(tensor) for tensor in (*given.parameters(), *given.buffers())):
                raise InvalidInput(f"features must have weights, but a {type(given).__name__} has none. Call it once.")
            self.called = copied(given).eval().requires_grad_(False)
            held = (t for t in (*given.parameters(), *given.buffers()) if t.is_floating_point())
            self.device, self.dtype = next(((t.device, t.dtype) for t in held), (self.device, self.dtype))

    def __call__(self, batch: torch.Tensor) -> NDArray[np.float64]:
        """Features (k, f) of a batch (k, ...).

        Raises
        ------
        InvalidInput
            If they have another shape.
        NotFinite
            If one is not finite.
        """
        with undisturbed(seed=0), left_as_they_were():
            batch = batch.to(self.device, self.dtype, copy=True)  # which the user's code may change
            found = np.concatenate([self._of(part) for part in batch.split(CHUNK)])
        if not np.isfinite(found).all():
            raise NotFinite("the features are not finite.")
        return found

    def _of(self, batch: torch.Tensor) -> NDArray[np.float64]:
        out = self.called(batch)
        if isinstance(out, torch.Tensor) and (out.is_complex() or out.is_meta or out.layout != torch.strided):
            raise InvalidInput(
                f"features must be a dense tensor of real numbers, but returned a {out.dtype} tensor, {out.layout}, on "
                f"{out.device}. Convert it."
            )
        if not isinstance(out, torch.Tensor) or out.ndim != 2 or len(out) != len(batch):
            came = tuple(out.shape) if isinstance(out, torch.Tensor) else f"a {type(out).__name__}"
            k = len(batch)
            raise InvalidInput(
                f"features must map {k} samples to a tensor ({k}, f), but returned {came}. Flatten what it gives."
            )
        return out.detach().cpu().double().numpy()
