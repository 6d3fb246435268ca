"""The start of a process group, by Lightning Fabric."""

from __future__ import annotations

import logging
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import torch

from otgan.errors import InvalidInput
from otgan.gan.distributed.group import ProcessGroup
from otgan.runtime.device import torch_device
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["launch"]

# When this module is imported, which is before processes connect and would say so.
logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)


def launch(work: Callable[..., object], device: str, devices: int) -> None:
    """Call ``work(group=...)`` in several processes, on as many devices, and wait for all of them.

    Parameters
    ----------
    work : callable
        That pickle knows by name.
    device : str
        Which kind of device.
    devices : int

    Raises
    ------
    InvalidInput
        If there are fewer devices.
    OTError
        If lightning-fabric is not installed.
    Exception
        What the first process that failed raised.
    """
    kind = torch_device(device).type
    if kind == "cuda" and devices > torch.cuda.device_count():
        raise InvalidInput(f"devices must be at most {torch.cuda.device_count()}, as there are, not {devices}.")
    with optional_dependency("lightning-fabric", "devices", "Training on several devices"):
        from lightning_fabric import Fabric
    errors = get_context("spawn").SimpleQueue()
    fabric = Fabric(accelerator=kind, devices=devices, strategy="ddp_spawn")
    try:
        # As one object, since Fabric looks into arguments and stumbles over frozen dataclasses.
        fabric.launch(partial(_work_in_group, work=work, errors=errors))
    except Exception:
        if not errors.empty():
            raise errors.get() from None
        raise


def _work_in_group(fabric: Any, work: Callable[..., object], errors: Any) -> None:
    """Work as one process of a group; errors are put into a queue."""
    try:
        work(group=ProcessGroup(fabric.global_rank, fabric.world_size, fabric))
    except Exception as error:
        errors.put(error)  # the first is the cause: others lose their connection to it
        raise
