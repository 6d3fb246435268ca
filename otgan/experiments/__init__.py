"""The papers' experiments: each measures what a paper claims, checks it numerically, and draws the figure.

>>> from otgan import experiments
>>> result = experiments.parallel_lines.run(quick=True)
>>> [claim.holds for claim in result.claims]
[True, True, True]

``otgan reproduce all`` does all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otgan.experiments.experiment import Claim, Experiment, Result

if TYPE_CHECKING:
    from otgan.experiments import (
        clip_sensitivity,
        convergence,
        gaussian_shift,
        mode_collapse,
        optimal_discriminator,
        parallel_lines,
        value_surfaces,
        vanishing_gradient,
    )

__all__ = [
    "NAMES",
    "Claim",
    "Experiment",
    "Result",
    "clip_sensitivity",
    "convergence",
    "experiment",
    "gaussian_shift",
    "mode_collapse",
    "optimal_discriminator",
    "parallel_lines",
    "value_surfaces",
    "vanishing_gradient",
]

NAMES = (
    "parallel_lines",
    "optimal_discriminator",
    "gaussian_shift",
    "vanishing_gradient",
    "clip_sensitivity",
    "value_surfaces",
    "mode_collapse",
    "convergence",
)
"""In the order of the papers' argument."""


def experiment(name: str) -> Experiment[Any]:
    """The experiment of this name.

    Raises
    ------
    InvalidInput
        If there is none.
    OTError
        If a package that it needs is not installed.

    Examples
    --------
    >>> experiment("parallel_lines").title
    'Two parallel lines'
    """
    from otgan import inputs
    from otgan.runtime.optional import optional_dependency

    with optional_dependency("torch", "torch", f"The experiment {name}"):
        return import_module(f"otgan.experiments.{inputs.choice(name, 'name', NAMES)}").EXPERIMENT


def __getattr__(name: str) -> Any:
    if name in NAMES:
        return import_module(f"otgan.experiments.{name}")
    raise AttributeError(f"module 'otgan.experiments' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *NAMES})
