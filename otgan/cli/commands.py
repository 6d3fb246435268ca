"""The commands of ``otgan`` for tyro: a dataclass is a command, and a field is an option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from otgan.cli.check import Check
from otgan.cli.common import Flag
from otgan.cli.data import Data
from otgan.cli.distance import Distance
from otgan.cli.preflight import Preflight
from otgan.cli.reproduce import Reproduce
from otgan.cli.sample import Sample
from otgan.cli.train import Train
from otgan.cli.warmup import Warmup

__all__ = ["CONFIG", "Otgan"]

CONFIG = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)


@dataclass(frozen=True)
class Otgan:
    """Exact Wasserstein distances, each with a proof, beside critics' estimates."""

    command: (
        Annotated[Distance, tyro.conf.subcommand("distance")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Preflight, tyro.conf.subcommand("preflight")]
        | Annotated[Train, tyro.conf.subcommand("train")]
        | Annotated[Sample, tyro.conf.subcommand("sample")]
        | Annotated[Reproduce, tyro.conf.subcommand("reproduce")]
        | Annotated[Data, tyro.conf.subcommand("data")]
        | Annotated[Warmup, tyro.conf.subcommand("warmup")]
    )
    """otgan COMMAND --help tells more."""
    version: Flag = False
    """Print the version and exit."""
