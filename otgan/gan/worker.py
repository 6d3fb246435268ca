"""What each of several processes does that train one GAN."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from otgan.gan.loop import train_alone
from otgan.gan.team import Team

if TYPE_CHECKING:
    from pathlib import Path

    from otgan.gan.config import Config

__all__ = ["work"]

# When this module is imported, which is before processes connect and would say so.
logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)


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
