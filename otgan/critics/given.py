"""Critics that were not trained here: modules and functions of the user's, called as they are and left as they were."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parameter import is_lazy

from otgan import inputs
from otgan.critics.critic import Critic
from otgan.critics.modes import own_modes
from otgan.critics.networks import CertifiesItself, ModuleEnsemble, certify, copied
from otgan.critics.scaling import Scaling
from otgan.errors import InvalidInput
from otgan.runtime.device import torch_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["as_seen", "before_each_call", "critic_name", "given_critics", "left_as_they_were"]

ONE_THREAD = threading.RLock()  # at a time, for random states and modules are shared
PROBED = 3  # points that show whether a critic takes them
TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)  # of which a function takes the first that it can


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
    if shape is not None and not isinstance(shape, list | tuple):
        raise InvalidInput(f"shape must be that of one sample, such as (1, 28, 28), but {shape!r} came.")
    shape = (dimension,) if shape is None else tuple(inputs.count(size, "shape") for size in shape)
    if math.prod(shape) != dimension:
        raise InvalidInput(
            f"shape must have as many numbers as a point, {dimension}, but {shape} has {math.prod(shape)}."
        )
    where = None if device is None else torch_device(device)
    cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with ONE_THREAD, own_modes(), torch.random.fork_rng(devices=cuda), left_as_they_were():
        yield tuple(_as_critic(critic, dimension, shape, where) for critic in critics)


def as_seen(critic: Critic, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (k, d) as the numbers of a given critic hold them; unchanged for one that was trained here.

    Examples
    --------
    >>> with given_critics([nn.Linear(1, 1)], 1) as (critic,):
    ...     as_seen(critic, np.array([[1e8 + 1]])).tolist()
    [[100000000.0]]
    """
    network = critic.network.members[0] if isinstance(critic.network, ModuleEnsemble) else None
    if not isinstance(network, GivenModule):
        return points
    return torch.from_numpy(points).to(network.like.dtype).double().numpy()


def critic_name(critic: Any) -> str:
    """What a critic is called in a report: its class, or a function's own name.

    Examples
    --------
    >>> critic_name(nn.Linear(2, 1)), critic_name(len), critic_name(lambda x: x)
    ('Linear', 'len', 'function')
    """
    name = getattr(critic, "__name__", type(critic).__name__)
    return "function" if name == "<lambda>" else name


class GivenModule(CertifiesItself):
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
        batch = points.reshape(-1, *self.shape).to(self.like, copy=True)  # the user's code may change it
        try:
            values = self.called(batch)
        except InvalidInput:
            raise
        except Exception as error:  # whatever the code of a user's critic stumbles over
            raise InvalidInput(
                f"a critic must take a batch of points, but for a {batch.dtype} tensor of shape {tuple(batch.shape)} "
                f"it raised {type(error).__name__}: {error}. Pass shape=, one sample as it takes them, or a "
                "function that converts them."
            ) from error
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
        if values.is_complex() or values.is_meta or values.layout != torch.strided:
            raise InvalidInput(
                f"a critic must return a dense tensor of real numbers, but returned a {values.dtype} tensor, "
                f"{values.layout}, on {values.device}. Convert it, or give the critic its weights."
            )
        return values.flatten()

    def certify(self, shape: Sequence[int] | None = None) -> tuple[float | None, str | None]:
        """What is proven of a module's slope; nothing of a function's."""
        if isinstance(self.called, nn.Module):
            return certify(self.called, self.shape)
        return None, "the code of a function"


class ModuleMethod(nn.Module):
    """A method of a module, as a module that is copied, and put in evaluation mode, as a whole.

    Parameters
    ----------
    owner : torch.nn.Module
    method : callable
        Of the module and a batch.
    """

    def __init__(self, owner: nn.Module, method: Callable[[nn.Module, torch.Tensor], Any]) -> None:
        super().__init__()
        self.owner = owner
        self.method = method

    def forward(self, batch: torch.Tensor) -> Any:
        """What the method gives."""
        return self.method(self.owner, batch)


def _as_critic(given: Any, dimension: int, shape: tuple[int, ...], device: torch.device | None) -> Critic:
    if isinstance(given, Critic):
        if given.dimension != dimension:
            raise InvalidInput(f"the critic takes points of {given.dimension} columns, but these have {dimension}.")
        return given
    given = _unwrapped(given)
    like = next((weight for weight in _weights(given) if weight.is_floating_point()), torch.zeros(()))
    refused = None
    for dtype in (like.dtype,) if isinstance(given, nn.Module) else TYPES:
        network = GivenModule(_copied(given), shape, dtype)
        network.to(like.device if device is None else device)
        _to_evaluation(network)
        critic = Critic(
            ModuleEnsemble([network]),
            Scaling(np.zeros(dimension)),
            dtype=torch.float64 if dtype == torch.float64 else torch.float32,
        )
        try:
            critic(np.zeros((PROBED, dimension)))
        except InvalidInput as error:
            refused = refused or error
        else:
            return critic
    assert refused is not None
    raise refused


def _unwrapped(given: Any) -> Any:
    """What torch.compile, torch.export and the data-parallel wrappers call."""
    if isinstance(given, torch.export.ExportedProgram):
        return given.module()
    if isinstance(given, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return _unwrapped(given.module)
    if isinstance(given, MethodType) and isinstance(given.__self__, nn.Module):
        return ModuleMethod(given.__self__, given.__func__)
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


@contextmanager
def left_as_they_were() -> Iterator[None]:
    """Put the modules that this thread calls in evaluation mode, and put back at the end what that changed of them."""
    found: dict[nn.Module, _Kept] = {}

    def keep(module: nn.Module) -> None:
        if module in found:
            return
        for part in module.modules():
            if part not in found:
                found[part] = _Kept.of(part)
        _to_evaluation(module)

    try:
        with before_each_call(keep):
            yield
    finally:
        for part, kept in found.items():
            kept.put_back(part)


@contextmanager
def before_each_call(action: Callable[[nn.Module], None]) -> Iterator[None]:
    """Let ``action`` see each module that this thread calls, before it is called."""
    thread = threading.get_ident()
    hook = register_module_forward_pre_hook(
        lambda module, arguments: action(module) if threading.get_ident() == thread else None
    )
    try:
        yield
    finally:
        hook.remove()


@dataclass(frozen=True)
class _Kept:
    """What a module holds: its attributes, the entries of its tables (parameters, buffers, ...), tensors' contents."""

    training: bool
    attributes: dict[str, Any]
    tables: dict[str, dict[str, Any]]
    contents: list[tuple[torch.Tensor, torch.Tensor]]

    @classmethod
    def of(cls, module: nn.Module) -> _Kept:
        own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
        if any(is_lazy(tensor) for tensor in own):
            raise InvalidInput(f"a critic must have its weights, but a {type(module).__name__} has none. Call it once.")
        attributes = {} if isinstance(module, torch.jit.ScriptModule) else dict(vars(module))
        tables = {name: dict(table) for name, table in attributes.items() if isinstance(table, dict)}
        own += tuple(value for value in attributes.values() if isinstance(value, torch.Tensor))
        return cls(module.training, attributes, tables, [(tensor, tensor.detach().clone()) for tensor in own])

    def put_back(self, module: nn.Module) -> None:
        with torch.no_grad():
            for tensor, content in self.contents:
                if not tensor.is_meta and not torch.equal(tensor, content):
                    with torch.inference_mode(mode=tensor.is_inference()):
                        tensor.data.copy_(content)  # no change to a graph that it is in
        if isinstance(module, torch.jit.ScriptModule):
            module.training = self.training
            return
        vars(module).clear()
        vars(module).update(self.attributes)
        for name, table in self.tables.items():
            self.attributes[name].clear()
            self.attributes[name].update(table)
