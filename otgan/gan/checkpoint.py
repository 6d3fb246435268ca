"""The checkpoint of a run: one safetensors file with everything that the next step depends on.

The file holds tensors, and in its header the configuration and the counters as JSON; nothing in it is ever run. It
replaces the one before as a whole or not at all.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import inputs
from otgan.critics.scaling import Scaling
from otgan.errors import InvalidInput
from otgan.gan.config import LARGEST_COUNT, Config
from otgan.gan.scaling import SampleScaling
from otgan.report import write_files
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import nn

__all__ = [
    "NAME",
    "Checkpoint",
    "flat_optimizer",
    "load_module",
    "load_optimizer",
    "read",
    "remove_partial_files",
    "write",
]

NAME = "checkpoint.safetensors"
FORMAT = "otgan-gan-3"
MOMENTS = {"Adam": {"step", "exp_avg", "exp_avg_sq"}, "RMSprop": {"step", "square_avg"}}  # of each parameter
MOST_BYTES = MOST_SECONDS = 10**18  # of the log, and of training
LARGEST_FLOAT = sys.float_info.max


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes
    ----------
    config : Config
        Resolved: it holds every number, so that later defaults change nothing.
    scaling : SampleScaling
    data_sha256 : str
        Of the samples trained on.
    step : int
        Steps of the generator that were made.
    log_bytes : int
        Length of the log at that step.
    seconds : float
        Spent in training.
    tensors : dict of str to tensor
        ``generator.``, ``critic.``, ``ema.`` and ``random.`` before the names of each; optimisers' states by the number
        of the parameter, ``generator_optimizer.0.exp_avg``.
    structures : dict of str to dict
        Of "generator" and "critic" where they are the user's, :func:`~otgan.gan.networks.structure.structure`.
    """

    config: Config
    scaling: SampleScaling
    data_sha256: str
    step: int
    log_bytes: int
    seconds: float
    tensors: dict[str, torch.Tensor]
    structures: dict[str, dict[str, str]] = field(default_factory=dict)

    def part(self, name: str) -> dict[str, torch.Tensor]:
        """The tensors ``name.*``, without ``name.`` in front."""
        start = f"{name}."
        return {key.removeprefix(start): value for key, value in self.tensors.items() if key.startswith(start)}


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint.safetensors`` into a folder, in place of the one that is there.

    Raises
    ------
    OSError
        If it cannot be written; the one that was there is as it was.
    """
    with optional_dependency("safetensors", "torch", "Writing a checkpoint"):
        from safetensors.torch import save
    header = {
        "format": FORMAT,
        "config": asdict(checkpoint.config),
        "units": _written(checkpoint.scaling),
        "data_sha256": checkpoint.data_sha256,
        "step": checkpoint.step,
        "log_bytes": checkpoint.log_bytes,
        "seconds": checkpoint.seconds,
        **({"structures": checkpoint.structures} if checkpoint.structures else {}),
    }
    write_files(folder, {NAME: save(_apart(checkpoint.tensors), metadata={"otgan": json.dumps(header)})})


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors on the CPU, each with memory of its own: layers of the user's may share a weight."""
    apart: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        here = tensor.detach().cpu().contiguous()
        place = here.untyped_storage().data_ptr()
        apart[name] = here.clone() if place in seen else here
        seen.add(place)
    return apart


def remove_partial_files(folder: Path) -> None:
    """Remove partial checkpoints and pictures of a run that was killed while it wrote them.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     (folder / NAME).touch()
    ...     (folder / f".{NAME}.0123456789abcdef").touch()
    ...     (folder / "samples").mkdir()
    ...     (folder / "samples" / ".0000500.png.0123456789abcdef").touch()
    ...     remove_partial_files(folder)
    ...     sorted(path.name for path in folder.rglob("*"))
    ['checkpoint.safetensors', 'samples']
    """
    for partial in (*folder.glob(f".{NAME}.*"), *folder.glob("samples/.*.png.*")):
        partial.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint, by its path or that of its folder.

    Raises
    ------
    InvalidInput
        If there is none, or it is cut, damaged or of another kind.
    OTError
        If safetensors is not installed.
    """
    path = inputs.path(path, "path")
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise InvalidInput(f"there is no checkpoint {path}. Pass the folder of a run, or a {NAME} file.")
    header, tensors = _read_file(path)
    try:
        if header["format"] == FORMAT:
            return _checkpoint(header, tensors)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            f"{path} is damaged: its header is not what otgan train writes ({error}). Use another checkpoint."
        ) from None
    raise InvalidInput(
        f"{path} must have the format {FORMAT!r}, but has {header['format']!r}. Read it with the release of otgan that "
        "wrote it."
    )


def _checkpoint(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Checkpoint:
    """The checkpoint of a header and its tensors; every number of the header is checked."""
    scaling = _read_scaling(header["units"])
    config = Config.from_json(json.dumps(header["config"]))
    if config.resolved(scaling.network_shape) != config:
        raise ValueError("a configuration with defaults")
    return Checkpoint(
        config=config,
        scaling=scaling,
        data_sha256=str(header["data_sha256"]),
        step=inputs.count(header["step"], "step", low=0, high=LARGEST_COUNT),
        log_bytes=inputs.count(header["log_bytes"], "log_bytes", high=MOST_BYTES),
        seconds=inputs.real(header["seconds"], "seconds", low=0.0, high=MOST_SECONDS),
        tensors=tensors,
        structures=_read_structures(header.get("structures", {}), config),
    )


def _read_structures(header: Any, config: Config) -> dict[str, dict[str, str]]:
    """The structures of the user's networks; text alone, that fits the configuration."""
    for role, layers in header.items():
        if role not in ("generator", "critic") or not all(isinstance(text, str) for text in layers.values()):
            raise ValueError(f"a structure of {role!r}")
    if ("critic" in header) != (config.critic == "own"):
        raise ValueError("a critic of the user's without its structure, or the other way round")
    return header


def _written(scaling: SampleScaling) -> dict[str, Any]:
    return {"shape": scaling.shape, "center": scaling.affine.center.tolist(), "unit": scaling.affine.unit}


def _read_scaling(header: dict[str, Any]) -> SampleScaling:
    """The scaling that :func:`_written` wrote; every number is checked."""
    shape = tuple(inputs.count(side, "a side of a sample") for side in header["shape"])
    center = [inputs.real(value, "center", low=-LARGEST_FLOAT, high=LARGEST_FLOAT) for value in header["center"]]
    unit = inputs.real(header["unit"], "unit", low=0.0, high=inputs.LARGEST, open_low=True)
    if not 1 <= len(shape) <= 3 or len(center) != (shape[0] if len(shape) == 1 else 1):
        raise ValueError(f"samples of shape {shape} about {len(center)} numbers")
    return SampleScaling(shape, Scaling(np.array(center), unit))


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Header and tensors of a file; each tensor has memory of its own."""
    with optional_dependency("safetensors", "torch", f"Reading {path}"):
        from safetensors import SafetensorError, safe_open
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("otgan")
            # Cloned, so that tensors begin where torch likes them to, and not wherever they lie in the file.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - it is no dict
    except SafetensorError as error:
        raise InvalidInput(
            f"{path} must be a whole safetensors file, but is cut, damaged or of another kind ({error}). Use another "
            "checkpoint."
        ) from None
    except OSError as error:
        raise InvalidInput(f"{path} must be readable, but is not: {error.strerror or error}.") from None
    if text is None:
        raise InvalidInput(f"{path} holds tensors, but no run of otgan. Pass a {NAME} that otgan train wrote.")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise InvalidInput(f"{path} is damaged: its header is no JSON object. Use another checkpoint.")
    return header, tensors


def flat_optimizer(optimizer: torch.optim.Optimizer, name: str) -> dict[str, torch.Tensor]:
    """The state of an optimiser, all of it tensors, as ``name.parameter.entry``."""
    state: Mapping[int, Mapping[str, torch.Tensor]] = optimizer.state_dict()["state"]
    return {f"{name}.{index}.{key}": value for index, entry in state.items() for key, value in entry.items()}


def load_optimizer(optimizer: torch.optim.Optimizer, flat: Mapping[str, torch.Tensor], *, fresh: bool) -> None:
    """Restore what :func:`flat_optimizer` gave, without the name in front; before the first step there is no state.

    Raises
    ------
    LookupError
        If there is none where there must be, not all that belongs to a parameter, or one of more parameters than there
        are. A parameter alone may have none, since it may have had no gradient.
    """
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in flat.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    expected = MOMENTS[type(optimizer).__name__]
    if bool(state) == fresh or any(entry.keys() != expected for entry in state.values()):
        raise KeyError("an optimizer's state")
    for index, entry in state.items():
        if not 0 <= index < len(parameters):
            raise KeyError(f"parameter {index}")
        for key, value in entry.items():
            counter = key == "step"
            if value.shape != (() if counter else parameters[index].shape) or value.dtype != parameters[index].dtype:
                raise ValueError(f"{key} of parameter {index}")  # fused optimisers would write beyond its end
            if not counter:  # with the parameter's strides, which they count on, too
                entry[key] = torch.empty_like(parameters[index]).copy_(value)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def load_module(module: nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Load weights into a network.

    Raises
    ------
    InvalidInput
        If they are those of another network.
    """
    own = module.state_dict()
    misfits = [f"{key} is of {x.dtype}." for key, x in tensors.items() if key in own and x.dtype != own[key].dtype]
    if not misfits:
        try:
            module.load_state_dict(dict(tensors))
        except RuntimeError as error:
            misfits = [line.strip() for line in str(error).splitlines()[1:]] or [f"{error}."]
    if misfits:
        raise InvalidInput(
            f"the checkpoint's {name} is not the network that its configuration describes: {misfits[0]} Use another "
            "checkpoint."
        )
