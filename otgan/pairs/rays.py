"""Mass of any distribution, moved along the rays of any 1-Lipschitz function: W1 is how far it moves.

``u(y) - u(x) = |y - x|`` for every pair that is moved proves the plan optimal for p = 1, whatever the distribution: no
other plan costs less than ``E u(y) - E u(x)`` (Kantorovich and Rubinstein).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.pairs.bases import Finite, as_base
from otgan.pairs.pair import TRUTH_SEED, Pair, given_generator
from otgan.pairs.potentials import RayPotential
from otgan.pairs.shares import Fixed, Shares, as_shares, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.pairs.jitter import Jitter

    Array = NDArray[np.float64]

__all__ = ["TOLERANCE", "Rays"]

TOLERANCE = 1e-12  # on u(y) - u(x) = |y - x|, in the sizes of y, x and u: the rounding of sums of 1000 numbers
TRUTH_DRAWS, FEWEST_DRAWS = 2**17, 2**15  # that W1 is a mean over where the base is not finite
TRUTH_NUMBERS, NUMBERS_AT_ONCE = 2**24, 2**20  # that are drawn for them, and in one go
SCALE_DRAWS = 2**12  # of the base, for its spread
ATTEMPTS = 20  # to replace points that failed


@dataclass(frozen=True, eq=False)
class Moves:
    """Points y (n, d) of the base, and the whole of each one's move: a unit vector times how far (n,)."""

    y: Array
    direction: Array
    reach: Array

    def by(self, shares: Array) -> Array:
        """Each point moved by its share, (n, d)."""
        return self.y + (shares * self.reach)[:, None] * self.direction

    def at(self, index: Any) -> Moves:
        """Those of some of the points."""
        return Moves(self.y[index], self.direction[index], self.reach[index])


class Rays(Pair):
    """Q is any distribution; P is made of it by moving each point y a share of the way along its ray.

    Parameters
    ----------
    base : sampler, SampleSet, array_like or path
        Q: a function ``sampler(n, rng) -> (n, d)``; a set, an array (n, d) or (n, h, w), or a name or folder that
        :func:`otgan.data.load` reads. A finite set is a distribution of its own, whose W1 is exact.
    potential : RayPotential
        u, with as many coordinates.
    shares : float, (low, high), (k,) array_like or function, default (0.0, 1.0)
        The share of its ray that a point is moved: one for all, uniform between two (a tuple), one for each point of a
        finite base (a list or an array), or ``shares(n, rng) -> (n,)``.
    direction : {"down", "up"}, default "down"
        Where u falls or rises.
    jitter : Jitter, optional
        Makes a finite base continuous.
    longest : float, optional
        Rays that go on for longer end there; twice the root mean square distance of the base from its mean if None.

    Raises
    ------
    InvalidInput
        If the base does not have the coordinates of the potential, or nothing can be moved.

    Warns
    -----
    RuntimeWarning
        If points are dropped. Every ray's end is checked: ``u(y) - u(end) = |y - end|``, to :data:`TOLERANCE` of the
        sizes of what is subtracted, proves all of the ray. Points that fail are no part of Q; ``dropped`` counts them.

    Notes
    -----
    A share is independent of the point, so that W1 is the mean share times the mean length of rays. Its standard error
    is zero for a finite base and shares whose mean is known; otherwise the mean is one over ``2**15`` (784
    dimensions) to ``2**17`` (up to 128) draws.

    Examples
    --------
    >>> import numpy as np, otgan
    >>> from otgan.pairs import LeastCones, Rays
    >>> eights, threes = (otgan.data.load(f"digits:{k}").points for k in (8, 3))
    >>> pair = Rays(eights, LeastCones(threes, np.zeros(len(threes))), shares=0.5)  # halfway to the nearest three
    >>> x, y, masses = pair.support()
    >>> value, stderr = pair.w1
    >>> bool(abs(otgan.wasserstein(x, y, a=masses, b=masses) / value - 1) < 1e-9), stderr
    (True, 0.0)
    """

    def __init__(
        self,
        base: Any,
        potential: RayPotential,
        *,
        shares: Any = (0.0, 1.0),
        direction: str = "down",
        jitter: Jitter | None = None,
        longest: float | None = None,
    ) -> None:
        if not isinstance(potential, RayPotential):
            raise InvalidInput(f"potential must be one of otgan.pairs, such as LeastCones, but {potential!r} came.")
        self.along = potential
        self.up = inputs.choice(direction, "direction", ("down", "up")) == "up"
        self.base = as_base(base, jitter, potential.dimension)
        self.longest = self._spread() if longest is None else inputs.real(longest, "longest", low=0.0, high=1e100)
        self.dropped = 0
        self._moves: Moves | None = None
        if isinstance(self.base, Finite):
            self._keep(self.base)
        self.shares, self._given = self._read(shares)
        self._refuse_if_nothing_moves()

    def __repr__(self) -> str:
        return f"Rays({type(self.along).__name__}, dimension={self.dimension}, base={type(self.base).__name__})"

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.along.dimension

    @property
    def w1(self) -> tuple[float, float]:
        """W1 between P and Q, and its standard error (zero where the sum over a finite base gives it)."""
        return self._truth

    @cached_property
    def _truth(self) -> tuple[float, float]:
        if self._given is not None and isinstance(self.base, Finite):
            return math.fsum(self.base.masses * self._given * self._finite().reach), 0.0
        length, length_error = self._mean_reach()
        share, share_error = self.shares.mean
        return share * length, math.hypot(share * length_error, length * share_error)

    def target(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n points y of Q, (n, d)."""
        return self._draw(inputs.count(n, "n"), given_generator(rng))[0].y

    def coupled(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw n pairs (x, y) of the optimal plan, (n, d) each."""
        moves, index = self._draw(inputs.count(n, "n"), given_generator(rng))
        shares = self.shares.draw(n, rng) if self._given is None or index is None else self._given[index]
        return moves.by(shares), moves.y

    def move(self, y: Any, rng: np.random.Generator | None = None) -> Array:
        """Points (n, d) moved along their rays; ``rng`` where shares are random."""
        points = self._points(y)
        if self._given is not None:
            raise InvalidInput("move needs shares that do not belong to the base's points. Use support or coupled.")
        if rng is None and not isinstance(self.shares, Fixed):
            raise InvalidInput("move needs rng where shares are random. Pass np.random.default_rng(0).")
        rng = np.random.default_rng(0) if rng is None else given_generator(rng)
        return self._along(points).by(self.shares.draw(len(points), rng))

    def support(self) -> tuple[Array, Array, Array]:
        """The optimal plan of a finite base and shares that are not random: x and y, (k, d), and masses (k,)."""
        if not isinstance(self.base, Finite) or (self._given is None and not isinstance(self.shares, Fixed)):
            raise InvalidInput(
                "support needs a finite base without jitter, and one share or one for each of its points. Draw with "
                "coupled or sample."
            )
        moves = self._finite()
        shares = self.shares.draw(len(moves.y), np.random.default_rng(0)) if self._given is None else self._given
        return moves.by(shares), moves.y.copy(), self.base.masses.copy()

    def potential(self, x: Any) -> Array:
        """Values at points (k, d), shape (k,), of u (-u upwards), which falls by |y - x| as y is moved to x."""
        return self._sign * self.along._values(self._points(x))

    def gradient(self, x: Any) -> Array:
        """Unit gradient of the optimal critic at points (k, d); zero where its slope is below one."""
        return -self._sign * self.along._gradient(self._points(x))

    def gradient_test_points(self, n: int, rng: np.random.Generator) -> Array:
        """Points where a critic's gradient is compared with the optimal one, (n, d): between those y and x that move.

        Where nothing moves the gradient of optimal critics is not determined.
        """
        x, y = self.coupled(n, rng)
        moved = np.flatnonzero((x != y).any(axis=1))
        if not len(moved):
            raise InvalidInput(f"n must be large enough for some point to move, but none of {n} did. Draw more.")
        rest = moved[rng.integers(len(moved), size=n - len(moved))]
        index = np.concatenate([moved, rest])
        return y[index] + rng.uniform(size=(n, 1)) * (x[index] - y[index])

    @property
    def _sign(self) -> float:
        return -1.0 if self.up else 1.0

    def _along(self, points: Array) -> Moves:
        """The ray of each point, on the side where mass goes, cut off at ``longest``."""
        field = self.along._rays(points)
        reach = np.minimum(field.up if self.up else field.down, self.longest)
        if np.isinf(reach).any():
            raise InvalidInput("longest must be given where rays have no end and the base is one point. Pass a length.")
        return Moves(points, -self._sign * field.direction, reach * field.direction.any(axis=1))

    def _passed(self, moves: Moves) -> NDArray[np.bool_]:
        """Which rays are proven: u falls by as much as the distance to their ends."""
        end = moves.by(np.ones(len(moves.y)))
        before, after = self.along._values(moves.y), self.along._values(end)
        apart = np.linalg.norm(moves.y - end, axis=1)
        size = np.linalg.norm(moves.y, axis=1) + np.linalg.norm(end, axis=1) + np.abs(before) + np.abs(after)
        return np.abs(self._sign * (before - after) - apart) <= TOLERANCE * size

    def _checked(self, points: Array) -> tuple[Moves, NDArray[np.bool_]]:
        """The moves of points, and which of them are proven; counts the others."""
        moves = self._along(points)
        passed = self._passed(moves)
        failed = len(passed) - int(passed.sum())
        if failed and not self.dropped:
            warnings.warn(
                f"{failed} of {len(passed)} points are dropped: the potential does not fall at slope one along their "
                "rays. Q is what is left of the base.",
                RuntimeWarning,
                stacklevel=4,
            )
        self.dropped += failed
        return moves, passed

    def _draw(self, n: int, rng: np.random.Generator) -> tuple[Moves, NDArray[np.intp] | None]:
        """Draw n moves of Q, and the numbers of their points if the base is finite."""
        if isinstance(self.base, Finite):
            index = self.base.choose(n, rng)
            return self._finite().at(index), index
        kept: list[Moves] = []
        missing = n
        for _ in range(ATTEMPTS):
            moves, passed = self._checked(self.base.draw(missing, rng))
            kept.append(moves if passed.all() else moves.at(passed))
            missing -= int(passed.sum())
            if not missing:
                return kept[0] if len(kept) == 1 else _joined(kept), None
        raise InvalidInput(
            f"potential must fall at slope one along its rays, but {self.dropped} points failed, and {missing} of "
            f"{n} could not be replaced. Check its rays."
        )

    def _keep(self, base: Finite) -> None:
        """The moves of all points of a finite base; those that fail are left out, and the masses made to sum to one."""
        moves, passed = self._checked(base.atoms)
        if not base.masses[passed].sum() > 0:
            raise InvalidInput("potential must fall at slope one along its rays, but does along none. Check its rays.")
        self._moves = moves.at(passed)
        self._kept = passed
        self.base = Finite(base.atoms[passed], base.masses[passed] / base.masses[passed].sum())

    def _finite(self) -> Moves:
        assert self._moves is not None
        return self._moves

    def _read(self, shares: Any) -> tuple[Shares, Array | None]:
        """Shares of every point alike, and those given one by one (then the first is not used)."""
        if callable(shares) or isinstance(shares, tuple) or np.ndim(shares) == 0:
            return as_shares(shares), None
        given = within(inputs.real_array(shares, "shares"))
        if not isinstance(self.base, Finite) or given.shape != self._kept.shape:
            expected = f"of shape ({len(self._kept)},)" if isinstance(self.base, Finite) else "only for a finite base"
            raise InvalidInput(f"shares must be an array {expected}, but {given.shape} came. Or pass (low, high).")
        return Fixed(1.0), given[self._kept]

    def _mean_reach(self) -> tuple[float, float]:
        """The mean length of rays, and its standard error."""
        if isinstance(self.base, Finite):
            return math.fsum(self.base.masses * self._finite().reach), 0.0
        rng = np.random.default_rng(TRUTH_SEED)
        n = min(TRUTH_DRAWS, max(FEWEST_DRAWS, TRUTH_NUMBERS // self.base.numbers))
        at_once = min(n, max(1, NUMBERS_AT_ONCE // self.base.numbers))
        draws = [self._draw(at_once, rng)[0].reach for _ in range(0, n, at_once)]
        reach = np.concatenate(draws)
        return float(reach.mean()), float(reach.std(ddof=1) / math.sqrt(len(reach)))

    def _spread(self) -> float:
        """Twice the root mean square distance of the base from its mean; no limit where all of it is one point."""
        if isinstance(self.base, Finite):
            points, masses = self.base.atoms, self.base.masses
        else:
            points = self.base.draw(SCALE_DRAWS, np.random.default_rng([TRUTH_SEED, 1]))
            masses = np.full(SCALE_DRAWS, 1 / SCALE_DRAWS)
        away = points - masses @ points
        return 2 * math.sqrt(float(masses @ np.einsum("kd,kd->k", away, away))) or math.inf

    def _refuse_if_nothing_moves(self) -> None:
        if isinstance(self.base, Finite):
            moves = self._finite()
        else:
            moves = self._draw(SCALE_DRAWS, np.random.default_rng([TRUTH_SEED, 2]))[0]
        if not (moves.reach > 0).any():
            raise InvalidInput(
                "potential must rise at slope one at some point of the base, but there nothing can be moved. A network "
                "with layers wider than what they take has lower slopes; take width <= d."
            )


def _joined(parts: list[Moves]) -> Moves:
    """Several draws as one."""
    return Moves(
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.direction for part in parts]),
        np.concatenate([part.reach for part in parts]),
    )
