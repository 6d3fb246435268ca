"""Exact Wasserstein distances between sample sets, each with a proof, beside the critics that estimate them."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from otgan.couple import couple
from otgan.errors import Infeasible, Interrupted, InvalidInput, NotConverged, OTError
from otgan.grid import solve_grid
from otgan.line import wasserstein_1d, wasserstein_circle
from otgan.many import pairwise, wasserstein_batch
from otgan.population import PermutationTestResult, PopulationInterval, permutation_test, population_interval
from otgan.preflights import preflight
from otgan.sliced import MaxSlicedDistance, SlicedDistance, max_sliced_wasserstein, sliced_wasserstein
from otgan.solution import Solution, Status
from otgan.solve import solve, solve_cost, wasserstein
from otgan.transport import transport_cost

if TYPE_CHECKING:
    from otgan import critics, data, divergences, experiments, gan, integrations, pairs, testing

__version__ = version("otgan")

__all__ = [
    "Infeasible",
    "Interrupted",
    "InvalidInput",
    "MaxSlicedDistance",
    "NotConverged",
    "OTError",
    "PermutationTestResult",
    "PopulationInterval",
    "SlicedDistance",
    "Solution",
    "Status",
    "couple",
    "critics",
    "data",
    "divergences",
    "experiments",
    "gan",
    "integrations",
    "max_sliced_wasserstein",
    "pairs",
    "pairwise",
    "permutation_test",
    "population_interval",
    "preflight",
    "sliced_wasserstein",
    "solve",
    "solve_cost",
    "solve_grid",
    "testing",
    "transport_cost",
    "wasserstein",
    "wasserstein_1d",
    "wasserstein_batch",
    "wasserstein_circle",
]

_ON_FIRST_USE = (
    "critics",
    "data",
    "divergences",
    "experiments",
    "gan",
    "integrations",
    "pairs",
    "testing",
)  # these need torch, hypothesis or time


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return import_module(f"otgan.{name}")
    raise AttributeError(f"module 'otgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
