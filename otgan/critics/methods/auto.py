"""The best of several critics that are 1-Lipschitz by construction: what a choice is made from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from otgan import inputs
from otgan.critics.methods.lattice import DeepLattice, Lattice, LatticeOfY
from otgan.critics.methods.method import Method
from otgan.critics.methods.orthogonal import AlmostOrthogonalLayers, OrthogonalAbs, OrthogonalSort
from otgan.critics.methods.prototypes import Prototypes
from otgan.critics.methods.residual import ResidualLayers
from otgan.critics.methods.spectral import SpectralNorm
from otgan.errors import InvalidInput

__all__ = ["CANDIDATES", "Auto"]

CANDIDATES: dict[str, type[Method]] = {
    method.name: method
    for method in (
        Prototypes,
        Lattice,
        LatticeOfY,
        DeepLattice,
        OrthogonalSort,
        OrthogonalAbs,
        AlmostOrthogonalLayers,
        ResidualLayers,
        SpectralNorm,
    )
}
LONGEST = 0.5  # of all the work: a trial, and the trials of all candidates together
OWN: Any = None  # of an option: each candidate's own default


@dataclass(frozen=True)
class Auto(Method):
    """All candidates begin, and the one that says most on points held out from it is trained to the end.

    What critics say on points that they were not trained on can be compared where each is 1-Lipschitz: all are then
    lower bounds on W1, and the greatest is the best. :mod:`otgan.critics.choice` makes the choice.

    All of it, trials included, is as much work as the longest of the candidates alone would be (its steps times
    :meth:`~otgan.critics.methods.method.Method.work`), whichever is chosen; cheaper ones take more steps for it.

    Options that are None are each candidate's own; others are for all candidates.

    Attributes
    ----------
    candidates : tuple of str
        Names of methods that are 1-Lipschitz by construction.
    trial : float
        Share of all the work that each has before the choice, in (0, 0.5]; less where all of them together would have
        more than half of it. Of two that are one method from either side only one is tried.
    """

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "the best of several exactly 1-Lipschitz critics, chosen while they begin to train"
    reference: ClassVar[str] = "Kantorovich-Rubinstein duality; the candidates' own (arXiv:1811.05381 and others)"
    exact_lipschitz: ClassVar[bool] = True
    own_network: ClassVar[bool] = True

    steps: int = OWN
    batch_size: int = OWN
    learning_rate: float = OWN
    decay: str = OWN
    width: int = OWN
    depth: int = OWN
    candidates: tuple[str, ...] = ("lattice", "lattice-y", "deep-lattice", "orthogonal")
    trial: float = 0.1

    def __post_init__(self) -> None:
        inputs.real(self.trial, "trial", low=0.0, high=LONGEST, open_low=True)
        if isinstance(self.candidates, str) or not self.candidates:
            raise InvalidInput(f"candidates must be a tuple of methods' names, but {self.candidates!r} came.")
        for name in self.candidates:
            inputs.choice(name, "candidates", tuple(CANDIDATES))
        self.methods()  # which check the options

    @property
    def share(self) -> float:
        """How much of all the work a trial is."""
        return min(self.trial, LONGEST / len(self.methods()))

    def methods(self) -> dict[str, Method]:
        """The candidates by name, with the options that were given."""
        given = {field.name: getattr(self, field.name) for field in fields(Method)}
        given = {name: value for name, value in given.items() if value is not None}
        return {name: CANDIDATES[name].with_options(given) for name in self.candidates}

    def planned(self, dimension: int) -> dict[str, Method]:
        """The candidates as long as all the work would be for each alone."""
        methods = self.methods()
        whole = max(method.steps * method.work(dimension) for method in methods.values())
        steps = {name: max(1, round(whole / method.work(dimension))) for name, method in methods.items()}
        return {name: replace(method, steps=steps[name]) for name, method in methods.items()}

    def weights(self, dimension: int) -> int:
        """Those of all candidates, which begin together."""
        return sum(method.weights(dimension) for method in self.methods().values())
