"""The best of several critics that are 1-Lipschitz by construction: what a choice is made from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from otgan import inputs
from otgan.critics.methods.lattice import Lattice
from otgan.critics.methods.method import Method
from otgan.critics.methods.orthogonal import AlmostOrthogonalLayers, OrthogonalAbs, OrthogonalSort
from otgan.critics.methods.prototypes import Prototypes, PrototypesOfY
from otgan.critics.methods.residual import ResidualLayers
from otgan.critics.methods.spectral import SpectralNorm
from otgan.errors import InvalidInput

__all__ = ["CANDIDATES", "LEAST", "Auto"]

CANDIDATES: dict[str, type[Method]] = {
    method.name: method
    for method in (
        Prototypes,
        PrototypesOfY,
        Lattice,
        OrthogonalSort,
        OrthogonalAbs,
        AlmostOrthogonalLayers,
        ResidualLayers,
        SpectralNorm,
    )
}
LEAST = 50  # steps of a trial: in fewer, what starts well leads what learns well
OWN: Any = None  # of an option: each candidate's own default


@dataclass(frozen=True)
class Auto(Method):
    """A short trial of each candidate, and the one that says most on points held out from it is trained.

    What critics say on points that they were not trained on can be compared where each is 1-Lipschitz: all are then
    lower bounds on W1, and the greatest is the best. :mod:`otgan.critics.choice` makes the choice.

    Options that are None are each candidate's own; others are for all candidates.

    Attributes
    ----------
    candidates : tuple of str
        Names of methods that are 1-Lipschitz by construction.
    trial : float
        Share of a candidate's steps that its trial takes, in (0, 1], but 50 at least, or all if it has fewer. The one
        chosen then takes all of its steps.
    """

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "the best of several exactly 1-Lipschitz critics, by a short trial of each"
    reference: ClassVar[str] = "Kantorovich-Rubinstein duality; the candidates' own (arXiv:1811.05381 and others)"
    exact_lipschitz: ClassVar[bool] = True
    own_network: ClassVar[bool] = True

    steps: int = OWN
    batch_size: int = OWN
    learning_rate: float = OWN
    decay: str = OWN
    width: int = OWN
    depth: int = OWN
    candidates: tuple[str, ...] = ("prototypes", "prototypes-y", "orthogonal")
    trial: float = 0.1

    def __post_init__(self) -> None:
        inputs.real(self.trial, "trial", low=0.0, high=1.0, open_low=True)
        if isinstance(self.candidates, str) or not self.candidates:
            raise InvalidInput(f"candidates must be a tuple of methods' names, but {self.candidates!r} came.")
        for name in self.candidates:
            inputs.choice(name, "candidates", tuple(CANDIDATES))
        self.methods()  # which check the options

    def methods(self) -> dict[str, Method]:
        """The candidates by name, with the options that were given."""
        given = {field.name: getattr(self, field.name) for field in fields(Method)}
        given = {name: value for name, value in given.items() if value is not None}
        return {name: CANDIDATES[name].with_options(given) for name in self.candidates}

    def trial_steps(self, steps: int) -> int:
        """How long the trial of a candidate is that may take so many steps."""
        return min(steps, max(LEAST, round(self.trial * steps)))

    def weights(self, dimension: int) -> int:
        """Those of the largest candidate."""
        return max(method.weights(dimension) for method in self.methods().values())
