"""Critics from files: programs, and functions of scripts that build one, with weights beside them."""

from __future__ import annotations

import runpy
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["load_critic"]


def load_critic(
    spec: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None, *, trust: bool = False
) -> nn.Module:
    r"""Read a critic from a file.

    Parameters
    ----------
    spec : str or path
        ``script.py:build``, a function of a script of yours that takes nothing and returns a module; or a file that
        ``torch.export.save`` or ``torch.jit.save`` wrote.
    weights : path, optional
        The state of the module that a script builds, a ``.safetensors`` file or one that ``torch.save`` wrote. Nothing
        in it is run.
    trust : bool, default False
        Whether to run a saved program: it is code of whoever wrote the file.

    Returns
    -------
    torch.nn.Module
        On the CPU.

    Raises
    ------
    InvalidInput
        If there is no such file or function, it builds no module, the weights do not fit, or a program came without
        ``trust``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     script = Path(folder, "mine.py")
    ...     _ = script.write_text("from torch import nn\ndef build():\n    return nn.Linear(2, 1)\n")
    ...     load_critic(f"{script}:build")
    Linear(in_features=2, out_features=1, bias=True)
    """
    spec = str(inputs.path(spec, "critic"))
    script, _, function = spec.rpartition(":")
    if script.endswith(".py"):
        module = _built(Path(script), function)
        return module if weights is None else _with_weights(module, Path(inputs.path(weights, "weights")))
    path = Path(spec)
    if not path.is_file():
        raise InvalidInput(f"critic must be a file that is there, or script.py:build, but {spec} came.")
    if path.suffix == ".py":
        raise InvalidInput(f"a script must be named with the function that builds the critic, {spec}:build.")
    if weights is not None:
        raise InvalidInput(f"{path} holds its weights itself. Leave weights out, or name a script.py:build.")
    if not trust:
        raise InvalidInput(
            f"{path} is a program that runs when it is called: whoever wrote it decides what it does. Pass --trust "
            "(trust=True) if you trust it. If it holds weights alone, name a script.py:build of yours as the critic, "
            "and this file as its --weights (weights=), of which nothing is run."
        )
    return _program(path)


def _built(script: Path, function: str) -> nn.Module:
    """The module that a function of a script returns."""
    if not script.is_file():
        raise InvalidInput(f"critic must be script.py:build, but there is no file {script}.")
    try:
        build = runpy.run_path(str(script)).get(function)
        if not callable(build):
            raise InvalidInput(f"{script} must have a function {function} that returns the critic, but has none.")
        module = build()
    except InvalidInput:
        raise
    except Exception as error:  # whatever the script stumbles over
        raise InvalidInput(
            f"{script}:{function} must build a critic, but raised {type(error).__name__}: {error}"
        ) from error
    if not isinstance(module, nn.Module):
        raise InvalidInput(f"{script}:{function} must return a torch module, but returned a {type(module).__name__}.")
    return module


def _with_weights(module: nn.Module, path: Path) -> nn.Module:
    """A module with the weights of a file in place of its own."""
    if not path.is_file():
        raise InvalidInput(f"weights must be a .safetensors or .pt file, but there is no file {path}.")
    with _readable(path):
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{path} must hold the weights of this critic, but {_first_line(error)}") from None
    return module


def _program(path: Path) -> nn.Module:
    """The module of an exported program or of TorchScript."""
    with _readable(path):
        if path.suffix == ".pt2":
            return torch.export.load(path).module()
        if not zipfile.is_zipfile(path):
            raise InvalidInput(f"{path} must be a file of torch.export.save or torch.jit.save, but is none.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # who has such a file knows
            return torch.jit.load(path, map_location="cpu")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read what is wrong with it."""
    try:
        yield
    except InvalidInput:
        raise
    except UnpicklingError:  # torch advises to run what the file holds
        raise InvalidInput(
            f"{path} must hold weights alone, but is damaged, or reading it would run code, as of a module that was "
            'saved whole. Where you trained it, save its weights: torch.save(critic.state_dict(), "critic.pt").'
        ) from None
    except Exception as error:  # readers raise anything for files that are not theirs
        raise InvalidInput(f"{path} must be a file that torch can load, but {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[:3])
