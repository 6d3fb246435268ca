"""Critics that were trained, or are judged, with all that is said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import frames, inputs
from otgan.critics.choice import Choice
from otgan.critics.critic import TRAINED_ON, Critic, Lipschitz
from otgan.critics.modes import own_modes
from otgan.critics.repair import repaired_bound
from otgan.critics.report import CriticReport, report
from otgan.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from otgan.critics.methods.method import Method
    from otgan.pairs import Pair
    from otgan.potentials import DualPotentials
    from otgan.solution import Solution

__all__ = ["CriticFit", "with_estimates"]


@dataclass(frozen=True, eq=False)
class CriticFit:
    """Critics trained on one problem from several seeds.

    Attributes
    ----------
    method : str
    options : dict
        Every option of the method, defaults included; of "auto", those of the method that it chose.
    critics : tuple of Critic
        One a seed: ``critics[k]`` comes from ``seed + k``.
    estimates : (n_seeds,) ndarray
        ``E f(x) - E f(y)`` of each critic, on the whole sample, or on fresh points of a population.
    held_out_estimates : (n_seeds,) ndarray or None
        The same on the held-out points.
    history : dict
        ``step`` and ``seconds`` since the start (k,), ``estimate`` (n_seeds, k) and, with held-out points, ``held_out``
        (n_seeds, k).
    x, y : (n, d) and (m, d) ndarray
        The points that the estimates are averages over.
    steps : int
    seconds : float
        For all seeds together.
    seed : int
    choice : Choice or None
        Of "auto": which method it chose (``choice.method``), and what each said in its trial (``choice.trials``).
    """

    method: str
    options: dict[str, Any]
    critics: tuple[Critic, ...]
    estimates: NDArray[np.float64]
    held_out_estimates: NDArray[np.float64] | None
    history: dict[str, NDArray[Any]]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    steps: int
    seconds: float
    seed: int
    _method: Method = field(repr=False)
    choice: Choice | None = None

    def __repr__(self) -> str:
        shown = f"estimate={self.estimate:.6g}" + ("" if self.stderr is None else f" ± {self.stderr:.2g}")
        return (
            f"CriticFit({self.method!r}, {shown}, n_seeds={self.n_seeds}, steps={self.steps}, "
            f"n={len(self.x)}, m={len(self.y)})"
        )

    @property
    def n_seeds(self) -> int:
        """Number of critics."""
        return len(self.critics)

    @property
    def estimate(self) -> float:
        """The critics' number: the mean of ``E f(x) - E f(y)`` over seeds."""
        return float(self.estimates.mean())

    @property
    def stderr(self) -> float | None:
        """Standard error of :attr:`estimate` over seeds; None for one seed."""
        if self.n_seeds == 1:
            return None
        return float(self.estimates.std(ddof=1) / math.sqrt(self.n_seeds))

    @property
    def corrected(self) -> float | None:
        """The estimate without the method's known bias, if there is one: that of ``corrections`` that proved best."""
        return self.corrected_of(self.estimates, lambda: self.slopes)

    def corrected_of(self, estimates: NDArray[np.float64], slopes: Callable[[], NDArray[np.float64]]) -> float | None:
        """The same of other estimates of these critics, (n_seeds,), and their slopes on the points of those."""
        return self._method.corrected(estimates, slopes, self.critic.scaling.unit)

    @cached_property
    def slopes(self) -> NDArray[np.float64]:
        """Each critic's mean gradient norm over the points, (n_seeds,)."""
        return self.slopes_on(np.vstack([self.x, self.y]))

    def slopes_on(self, points: NDArray[np.float64], shares: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """The same over other points (k, d), with shares (k,) that add to one or equal ones."""
        norms = [np.linalg.norm(critic.gradient(points), axis=1) for critic in self.critics]
        return np.array([np.average(norm, weights=shares) for norm in norms])

    @own_modes()
    def estimates_on(self, x: Any, y: Any, *, a: Any = None, b: Any = None) -> NDArray[np.float64]:
        """Each critic's number for W1 between other points, (n, d) and (m, d) -> (n_seeds,).

        For weights a (n,) and b (m,), what counts are their shares of each total: the number is that of total mass 1.
        """
        sides, shares = [], []
        x, y = self._as_trained(x, y)
        for side, mass, names in ((x, a, ("x", "a")), (y, b, ("y", "b"))):
            clean = inputs.points(side, names[0])
            given = None if mass is None else inputs.weights(mass, len(clean), names[1], names[0])
            kept = slice(None) if given is None else given > 0  # no transform may run over points that are not there
            sides.append(clean[kept])
            shares.append(None if given is None else torch.as_tensor(given[kept] / inputs.total(given)))
        return np.array([self._number(critic, sides, shares) for critic in self.critics])

    def _number(
        self, critic: Critic, sides: Sequence[NDArray[np.float64]], shares: Sequence[torch.Tensor | None]
    ) -> float:
        """One critic's number on points (n, d) and (m, d) with shares that add to one, or equal ones."""
        points = (critic.prepared(side) for side in sides)
        weights = (None if share is None else share.to(critic.device) for share in shares)
        return critic.scaling.unit * float(self._method.estimates(critic.network, *points, *weights))

    def _as_trained(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Both sides with the columns of data frames in the order trained on, or else in one order."""
        columns = self.critic.columns or frames.columns(x)
        return frames.in_order(x, columns, (TRAINED_ON, "x")), frames.in_order(y, columns, (TRAINED_ON, "y"))

    @property
    def corrections(self) -> dict[str, float]:
        """Every way to take a bias out of the estimate, by name.

        "congested" is the closed form for penalised critics; "gradient-norm" divides each estimate by the critic's mean
        gradient norm over the points, which is 1 for an optimal critic wherever mass moves. ``corrected`` is the first
        for "gp" and "lp", the second for critics with orthonormal layers.
        """
        return self._method.corrections(self.estimates, lambda: self.slopes, self.critic.scaling.unit)

    @property
    def held_out(self) -> float | None:
        """The mean estimate on held-out points; None without any."""
        return None if self.held_out_estimates is None else float(self.held_out_estimates.mean())

    @property
    def critic(self) -> Critic:
        """The critic of the first seed."""
        return self.critics[0]

    @property
    def potentials(self) -> DualPotentials:
        """The critic of the first seed as a pair of potentials: f and -f, or f and what the method trains beside it."""
        return self._method.potentials(self.critic, self.x)

    def gradient(self, x_new: Any) -> NDArray[np.float64]:
        """Gradients of the first seed's critic, shape (k, d) -> (k, d)."""
        return self.critic.gradient(x_new)

    @property
    def lipschitz(self) -> Lipschitz:
        """The first seed's critic's Lipschitz constant: observed on the data, and certified."""
        return self.critic.lipschitz(self.x, self.y)

    def lower_bound(self, x: Any, y: Any, *, a: Any = None, b: Any = None) -> float:
        """The best bound that a critic, repaired to exactly 1-Lipschitz, proves on the exact W1 of these points.

        Parameters
        ----------
        x : (n, d) array_like
        y : (m, d) array_like
        a, b : array_like, optional
            Weights, as for :func:`otgan.solve`.

        Returns
        -------
        float
            Never above ``otgan.solve(x, y).upper``; the best over the seeds.

        Raises
        ------
        InvalidInput
            As :func:`otgan.solve`.
        """
        x, y = self._as_trained(x, y)
        problem = Problem.from_points(x, y, 1, a=a, b=b)
        points_x, points_y = inputs.points(x, "x"), inputs.points(y, "y")
        return max(repaired_bound(problem, critic(points_x), -critic(points_y)) for critic in self.critics)

    def compare(self, truth: Solution | Pair) -> CriticReport:
        """Judge the critics by the exact solution of a sample, or by distributions whose W1 is known.

        Every number is for the truth's own points, weights and total mass, whichever points the critics were trained
        on; for distributions it is for fresh points.

        Parameters
        ----------
        truth : otgan.Solution or otgan.pairs.Pair
            A solution with p = 1 and the Euclidean metric, or a pair; between points of the dimension trained on.

        Returns
        -------
        CriticReport

        Raises
        ------
        InvalidInput
            For another cost, or points of another dimension.
        """
        return report(self, truth)


def with_estimates(fit: CriticFit, held_out: tuple[Any, Any] | None) -> CriticFit:
    """A fit with the estimates of its critics on its points and on those held out, each critic evaluated alone.

    Seeds that train side by side are evaluated side by side, too, which rounds otherwise than each alone.
    """
    return replace(
        fit,
        estimates=fit.estimates_on(fit.x, fit.y),
        held_out_estimates=None if held_out is None else fit.estimates_on(*held_out),
    )
