"""Starting the processes of a team, and what each of them does."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from otgan.critics import torch_device
from otgan.data.extras import needs
from otgan.errors import InvalidInput
from otgan.gan.loop import train_alone
from otgan.gan.run import load
from otgan.gan.team import Team

if TYPE_CHECKING:
    from otgan.gan.config import Config
    from otgan.gan.run import Run

__all__ = ["train_together"]

# When this module is imported, which is before processes connect and would say so.
logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)


def train_together(config: Config, folder: Path | None, **options: Any) -> Run:
    """:func:`otgan.gan.train` in ``config.devices`` processes, on as many devices.

    Raises
    ------
    InvalidInput, OTError, OSError
        What the process that leads raises.
    """
    kind = torch_device(config.device).type
    if kind == "cuda" and config.devices > torch.cuda.device_count():
        raise InvalidInput(f"devices must be at most {torch.cuda.device_count()}, as there are, not {config.devices}.")
    with needs("lightning-fabric", "devices", "Training on several devices"):
        from lightning_fabric import Fabric
    errors = get_context("spawn").SimpleQueue()
    fabric = Fabric(accelerator=kind, devices=config.devices, strategy="ddp_spawn")
    with tempfile.TemporaryDirectory() as own:
        kept = Path(own) if folder is None else folder
        try:
            # As one object, since Fabric looks into arguments and stumbles over frozen dataclasses.
            fabric.launch(partial(work, config=config, folder=kept, options=options, errors=errors))
        except Exception:
            if not errors.empty():
                raise errors.get() from None
            raise
        run = load(kept, device=config.device)
    return run if folder is not None else replace(run, folder=None)


def work(fabric: Any, config: Config, folder: Path, options: dict[str, Any], errors: Any) -> None:
    """Train as one of a team; what goes wrong is put into ``errors``.

    Parameters
    ----------
    fabric : lightning_fabric.Fabric
        Launched.
    config, folder, options
        As for :func:`otgan.gan.train`.
    errors : multiprocessing.SimpleQueue
    """
    try:
        train_alone(config, folder, team=Team(fabric.global_rank, fabric.world_size, fabric), **options)
    except Exception as error:
        errors.put(error)  # the first is the cause: others lose their connection to it
        raise
