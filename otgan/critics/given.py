"""Critics that were not trained here: modules and functions of the user's, called as they are and left as they were."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from otgan import inputs
from otgan.critics.critic import Critic
from otgan.critics.modes import own_modes
from otgan.critics.networks import ModuleEnsemble, certify, copied
from otgan.critics.scaling import Scaling
from otgan.errors import InvalidInput
from otgan.runtime.device import torch_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["critic_name", "given_critics"]

PROBED = 3  # points that show whether a critic takes them


@contextmanager
def given_critics(
    critics: Sequence[Any], dimension: int, shape: Sequence[int] | None = None, device: Any = None
) -> Iterator[tuple[Critic, ...]]:
    """Critics of any kind as functions of points (k, d), for the length of a ``with`` block.

    Modules are copied, and the copies put in evaluation mode. So are, until the block ends, the modules that a function
    calls; then their modes, buffers and other tensors are put back. Torch's random state is as it was, too.

    Parameters
    ----------
    critics : sequence of Critic, torch.nn.Module, torch.export.ExportedProgram or callable
        From a batch of tensors to (k,) or (k, 1). A :class:`Critic` is taken as it is.
    dimension : int
        d.
    shape : sequence of int, optional
        One sample as the critics take it, of d numbers in all; (d,) if None.
    device : torch.device or str, optional
        Where they are called; where their weights are if None, which is the CPU for functions.

    Raises
    ------
    InvalidInput
        For what is no critic of such points.

    Examples
    --------
    >>> with given_critics([nn.Linear(2, 1), lambda x: x[:, 0]], 2) as (first, second):
    ...     second([[3.0, 4.0]])
    array([3.])
    """
    shape = (dimension,) if shape is None else tuple(inputs.count(size, "shape") for size in shape)
    if math.prod(shape) != dimension:
        raise InvalidInput(
            f"shape must have as many numbers as a point, {dimension}, but {shape} has {math.prod(shape)}."
        )
    where = None if device is None else torch_device(device)
    cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with own_modes(), torch.random.fork_rng(devices=cuda), _left_as_they_were():
        yield tuple(_as_critic(critic, dimension, shape, where) for critic in critics)


def critic_name(critic: Any) -> str:
    """What a critic is called in a report: its class, or a function's own name.

    Examples
    --------
    >>> critic_name(nn.Linear(2, 1)), critic_name(len), critic_name(lambda x: x)
    ('Linear', 'len', 'function')
    """
    name = getattr(critic, "__name__", type(critic).__name__)
    return "function" if name == "<lambda>" else name


class GivenModule(nn.Module):
    """A user's module, or a function, from points (k, d) to (k,).

    Parameters
    ----------
    called : torch.nn.Module or callable
    shape : tuple of int
        One sample as it takes them.
    dtype : torch.dtype
        Of these.
    """

    like: torch.Tensor

    def __init__(self, called: Callable[[torch.Tensor], Any], shape: tuple[int, ...], dtype: torch.dtype) -> None:
        super().__init__()
        self.called = called
        self.shape = shape
        self.register_buffer("like", torch.zeros((), dtype=dtype))  # moves and changes its type with a module's weights

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """(k, d) -> (k,)."""
        values = self.called(points.reshape(-1, *self.shape).to(self.like))
        if not isinstance(values, torch.Tensor):
            raise InvalidInput(
                f"a critic must return one tensor (k,) or (k, 1), but returned a {type(values).__name__}. Pass a "
                "function that returns the critic's values alone."
            )
        if values.shape not in {(len(points),), (len(points), 1), (len(points), 1, 1, 1)}:
            raise InvalidInput(
                f"a critic must map (k, {', '.join(map(str, self.shape))}) to (k,) or (k, 1), but maps {len(points)} "
                f"points to {tuple(values.shape)}."
            )
        return values.flatten()

    def certify(self, shape: Sequence[int] | None = None) -> tuple[float | None, str | None]:
        """What is proven of a module's slope; nothing of a function's."""
        if isinstance(self.called, nn.Module):
            return certify(self.called, self.shape)
        return None, "the code of a function"


def _as_critic(given: Any, dimension: int, shape: tuple[int, ...], device: torch.device | None) -> Critic:
    if isinstance(given, Critic):
        if given.dimension != dimension:
            raise InvalidInput(f"the critic takes points of {given.dimension} columns, but these have {dimension}.")
        return given
    given = _unwrapped(given)
    like = next((weight for weight in _weights(given) if weight.is_floating_point()), torch.zeros(()))
    network = GivenModule(_copied(given), shape, like.dtype)
    network.to(like.device if device is None else device)
    _to_evaluation(network)
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    critic = Critic(ModuleEnsemble([network]), Scaling(np.zeros(dimension)), dtype=dtype)
    _probe(critic)
    return critic


def _unwrapped(given: Any) -> Any:
    """What torch.compile, torch.export and the data-parallel wrappers call."""
    if isinstance(given, torch.export.ExportedProgram):
        return given.module()
    if isinstance(given, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return _unwrapped(given.module)
    inner = getattr(given, "_orig_mod", None)
    return _unwrapped(inner) if isinstance(inner, nn.Module) else given


def _copied(given: Any) -> Callable[[torch.Tensor], Any]:
    """A copy of a module; what cannot be copied is called itself, and put back as what any function calls."""
    if not callable(given):
        raise InvalidInput(
            f"a critic must be a torch module or a function of a batch of tensors, but a {type(given).__name__} came."
        )
    if not isinstance(given, nn.Module) or isinstance(given, torch.jit.ScriptModule):
        return lambda batch: given(batch)
    try:
        return copied(given)
    except Exception:  # whatever a module of the user's holds that cannot be copied
        return lambda batch: given(batch)


def _weights(given: Any) -> tuple[torch.Tensor, ...]:
    return (*given.parameters(), *given.buffers()) if isinstance(given, nn.Module) else ()


def _to_evaluation(network: nn.Module) -> None:
    try:
        network.eval()
    except NotImplementedError:  # an exported program has no modes
        network.training = False


def _probe(critic: Critic) -> None:
    """Refuse a critic that cannot be called with points."""
    try:
        critic(np.zeros((PROBED, critic.dimension)))
    except InvalidInput:
        raise
    except Exception as error:  # whatever the code of a user's critic stumbles over
        shape = (PROBED, *critic.network.members[0].shape)  # type: ignore[union-attr, index]
        raise InvalidInput(
            f"a critic must take a batch of points, but for a {critic.dtype} tensor of shape {shape} it raised "
            f"{type(error).__name__}: {error}. Pass shape=, one sample as it takes them."
        ) from error


@contextmanager
def _left_as_they_were() -> Iterator[None]:
    """Put the modules that this thread calls in evaluation mode, and put back at the end what that changed of them."""
    thread = threading.get_ident()
    found: dict[nn.Module, tuple[dict[str, Any], dict[str, tuple[torch.Tensor, torch.Tensor]]]] = {}

    def before_forward(module: nn.Module, arguments: Any) -> None:
        if threading.get_ident() != thread or module in found:
            return
        for part in module.modules():
            if part not in found:
                buffers = {name: (held, held.clone()) for name, held in part.named_buffers(recurse=False)}
                found[part] = (dict(vars(part)), buffers)
        _to_evaluation(module)

    hook = register_module_forward_pre_hook(before_forward)
    try:
        yield
    finally:
        hook.remove()
        for part, (attributes, buffers) in found.items():
            for name, (held, content) in buffers.items():
                with torch.no_grad():
                    held.copy_(content)
                part._buffers[name] = held
            vars(part).clear()
            vars(part).update(attributes)
