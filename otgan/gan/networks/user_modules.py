"""Torch modules of the user's as generators and critics: made of what was given, and tried before they are trained."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from otgan.critics.networks import CERTIFIED, certified_lipschitz, copied, own_bound
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from otgan.gan.config import Config

__all__ = ["batch_norm_layer", "check_objective", "check_outputs", "proven_constant", "user_module"]

TRIED = 4  # samples of the forward passes that check a network


def user_module(given: Any, role: str, shape: tuple[int, ...], seed: int) -> nn.Module:
    """A network of its own in float32: a copy of a module, or what a function of the shape makes from a seed."""
    network = given if isinstance(given, nn.Module) else _from_function(given, role, shape, seed)
    tensors = [*network.parameters(), *network.buffers()]
    if any(map(is_lazy, tensors)):
        raise InvalidInput(f"{role} has lazy layers without weights yet. Call it once before you pass it.")
    if any(tensor.is_meta for tensor in tensors):
        raise InvalidInput(f"{role} is on the device 'meta', where weights have no values. Make it on a real one.")
    strange = [name for name, value in network.state_dict().items() if not isinstance(value, torch.Tensor)]
    if strange:
        raise InvalidInput(
            f"the state of {role} must be tensors, which checkpoints hold, but its {strange[0]!r} is none. Make it a "
            "buffer, or leave it out of state_dict()."
        )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        frozen = "all its parameters are frozen" if any(True for _ in network.parameters()) else "it has no parameters"
        raise InvalidInput(
            f"{role} must have parameters to train, but {frozen}. Thaw some (requires_grad_()), or give another."
        )
    if isinstance(network, torch.jit.ScriptModule):
        raise InvalidInput(f"{role} must be a module of Python, but a compiled {type(network).__name__} came.")
    try:
        return copied(network).float()
    except Exception as error:  # whatever a user's module holds
        raise InvalidInput(
            f"{role} cannot be copied ({type(error).__name__}: {error}). Take out what cannot, such as open files."
        ) from error


def _from_function(given: Any, role: str, shape: tuple[int, ...], seed: int) -> nn.Module:
    wanted = f"{role} must be a torch module, or a function that makes one for samples of a shape, here {shape}"
    if not callable(given):
        raise InvalidInput(f"{wanted}, but {given!r} came.")
    try:
        inspect.signature(given).bind(shape)
    except ValueError:  # it does not tell
        pass
    except TypeError as error:
        name = getattr(given, "__name__", "Network")
        raise InvalidInput(
            f"{wanted}, but {name} cannot be called so: {error}. Write lambda shape: {name}(...)."
        ) from None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = given(shape)
    if not isinstance(made, nn.Module):
        raise InvalidInput(f"{wanted}, but the function returned a {type(made).__name__}.")
    return made


@torch.no_grad()
def check_outputs(network: nn.Module, role: str, takes: tuple[int, ...], gives: tuple[int, ...]) -> None:
    """Refuse a network that does not map (k, *takes) to (k, *gives), finite, while it is trained or evaluated.

    Parameters
    ----------
    network : torch.nn.Module
        Left as it is.
    role : {"generator", "critic"}
    takes, gives : tuple of int
        One sample of each; () stands for one number, which may have axes of length one.

    Raises
    ------
    InvalidInput
        That says what came instead.
    """
    expected = f"{role} must map {_batch(takes)} to {_batch(gives)}" + ("" if gives else " or (k, 1)")
    samples = torch.rand(TRIED, *takes, generator=torch.Generator().manual_seed(0)) * 2 - 1
    samples = samples.to(next(network.parameters()).device)
    for training in (True, False):
        try:
            with torch.random.fork_rng(devices=[]):
                made = copied(network).train(training)(samples)  # a copy: in training running means move
        except Exception as error:  # whatever the code of a user's module stumbles over
            raise InvalidInput(
                f"{expected}, float32, but raised {type(error).__name__}: {error}{_beginning(role, takes)}"
            ) from error
        if not isinstance(made, torch.Tensor) or not made.is_floating_point():
            came = f"a tensor of {made.dtype}" if isinstance(made, torch.Tensor) else f"a {type(made).__name__}"
            raise InvalidInput(
                f"{expected}, but returned {came}. Wrap it in a module that returns one tensor of floats."
            )
        one_number_each = not gives and made.numel() == TRIED and TRIED in made.shape
        if made.shape != (TRIED, *gives) and not one_number_each:
            raise InvalidInput(f"{expected}, but maps {(TRIED, *takes)} to {tuple(made.shape)}.{_end(made, gives)}")
        if not bool(made.isfinite().all()):
            raise InvalidInput(
                f"{role} must give finite numbers, but gave NaN or inf for numbers in [-1, 1]. Look at its weights."
            )


def _beginning(role: str, takes: tuple[int, ...]) -> str:
    """What a network may have to begin with, if it takes samples of another shape."""
    if role == "generator":
        return f" If it takes noise (k, {takes[0]}, 1, 1), begin it with torch.nn.Unflatten(1, {(*takes, 1, 1)})."
    return " If it takes flat samples, begin it with torch.nn.Flatten()." if len(takes) > 1 else ""


def _end(made: torch.Tensor, gives: tuple[int, ...]) -> str:
    """What a network may have to end with, if its output holds the right number of values."""
    if made.ndim != 2 or made.shape != (TRIED, math.prod(gives)):
        return ""
    return f" End it with torch.nn.Unflatten(1, {gives})."


def _batch(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['k', *map(str, shape)])}{'' if shape else ','})"


def check_objective(critic: nn.Module, config: Config) -> None:
    """Refuse what the objective's paper rules out in a critic, as for those of otgan."""
    normed = batch_norm_layer(critic)
    if normed is not None and config.penalised:
        raise InvalidInput(
            f"objective {config.objective!r} cannot have batch norm in the critic, but yours has some ({normed}): it "
            "penalises the gradient at each point, and batch norm makes a point's value depend on the whole batch "
            "(Gulrajani et al. 2017, section 4). Use layer or instance norm, or objective 'wgan'."
        )
    if config.objective == "wgan-lipschitz":
        bound = proven_constant(critic)
        if bound is None or bound > CERTIFIED:
            known = "yours proves nothing" if bound is None else f"yours may have {bound:.6g}"
            raise InvalidInput(
                f"objective 'wgan-lipschitz' needs a critic that proves a Lipschitz constant of at most 1, but {known}."
                " Give it a method lipschitz() that returns a bound, build it of otgan.critics.networks, or use an "
                "objective that constrains any critic, such as 'wgan-gp'."
            )
    if config.objective in ("minimax", "non-saturating") and isinstance([*critic.modules()][-1], nn.Sigmoid):
        raise InvalidInput(
            f"objective {config.objective!r} needs a critic that gives logits, but yours ends with a sigmoid, which "
            "the loss takes itself. Leave its last layer out."
        )


def batch_norm_layer(network: nn.Module) -> str | None:
    """The first batch norm layer that takes means over the batch in training; None without one."""
    network.train()
    for name, layer in network.named_modules():
        if isinstance(layer, _BatchNorm) and (layer.training or layer.running_mean is None):
            return f"{name}, {type(layer).__name__}" if name else type(layer).__name__
    return None


def proven_constant(critic: nn.Module) -> float | None:
    """A bound that outlasts training: what has weights must prove one itself, not just have small weights now.

    A plain nn.Sequential has the product of its parts.
    """
    critic.eval()
    bound = own_bound(critic)
    if bound is not None:
        return bound if math.isfinite(bound) else None
    if type(critic) is nn.Sequential and not (critic._forward_hooks or critic._forward_pre_hooks):
        bounds = [proven_constant(part) for part in critic]
        found = [bound for bound in bounds if bound is not None]
        return math.prod(found) if len(found) == len(bounds) else None
    return None if any(True for _ in critic.parameters()) else certified_lipschitz(critic)
