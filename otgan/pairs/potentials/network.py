"""Networks of orthonormal layers and sorting: piecewise linear, with slope one where no layer is wider than the last.

Anil, Lucas & Grosse (2019), Sorting out Lipschitz function approximation, section 4. Here in NumPy and float64: rays
end where two units that are sorted change places, and these places are found exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.pairs.directions import main_directions
from otgan.pairs.potentials.potential import RayField, RayPotential, directions, read_only

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LipschitzNetwork"]

WIDTH, DEPTH = 8, 3  # of random networks, at most: with more folds rays get short
FLAT = 1e-12  # how far below one a slope may be that still counts as one: the rounding of a few dozen layers


class Sorted(NamedTuple):
    """What a layer gave for points: its units in order, (k, w), and which of them went to each place."""

    units: Array
    order: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LipschitzNetwork(RayPotential):
    """``u(x) = w . sort(W_L ... sort(W_1 x + b_1) ... + b_L)``, units sorted in groups (2: MaxMin).

    Each W is replaced by the nearest matrix with orthonormal rows (columns, where these are fewer), so u is 1-Lipschitz
    for any weights. Where all have orthonormal rows - no layer is wider than what it takes - the slope is one almost
    everywhere; behind a wider layer it mostly is not, and there nothing can be moved.

    Parameters
    ----------
    weights : sequence of (w_l, w_(l-1)) array_like
        Of each layer, the last with one row.
    biases : sequence of (w_l,) array_like
        As many; the last is a constant.
    group : int, default 2
        Units that are sorted among themselves, consecutive ones. What is left over at the end stays as it is.

    Raises
    ------
    InvalidInput
        For layers that do not fit onto each other.

    Examples
    --------
    >>> import numpy as np
    >>> from otgan.pairs import LipschitzNetwork
    >>> u = LipschitzNetwork([np.eye(2), [[0.0, 1.0]]], [np.zeros(2), [0.0]])  # max(x_1, x_2)
    >>> ray = u.rays([[1.0, 3.0]])
    >>> ray.value.tolist(), ray.direction.tolist(), ray.down.tolist(), ray.up.tolist()
    ([3.0], [[0.0, 1.0]], [2.0], [inf])
    """

    weights: Any
    biases: Any
    group: int = 2

    def __post_init__(self) -> None:
        weights = [inputs.real_array(each, f"weights[{k}]") for k, each in enumerate(self.weights)]
        biases = [inputs.real_array(each, f"biases[{k}]") for k, each in enumerate(self.biases)]
        shapes = [each.shape for each in weights]
        if not weights or any(len(shape) != 2 for shape in shapes) or shapes[-1][0] != 1:
            raise InvalidInput(f"weights must be matrices, one a layer, the last with one row, but have {shapes}.")
        if any(one[0] != other[1] for one, other in pairwise(shapes)):
            raise InvalidInput(f"each layer must take as many units as the one before has, but weights have {shapes}.")
        if [bias.shape for bias in biases] != [shape[:1] for shape in shapes]:
            raise InvalidInput(
                f"biases must have one number for each row of weights, {[shape[0] for shape in shapes]}, but have "
                f"{[bias.shape for bias in biases]}."
            )
        object.__setattr__(self, "weights", tuple(read_only(_orthonormal(each)) for each in weights))
        object.__setattr__(self, "biases", tuple(read_only(each) for each in biases))
        object.__setattr__(self, "group", inputs.count(self.group, "group", low=2))

    @classmethod
    def random(
        cls, points: Any, *, width: int | None = None, depth: int = DEPTH, group: int = 2, seed: int = 0
    ) -> Self:
        """A network whose folds run through a cloud of points (k, d), along its main directions.

        Parameters
        ----------
        points : (k, d) array_like
        width : int, optional
            Units of each layer, at most d and k; 8 or less if None.
        depth : int, default 3
            Layers that are sorted.
        group : int, default 2
        seed : int, default 0
        """
        cloud = inputs.points(points, "points")
        most = min(cloud.shape[1], len(cloud))
        width = min(WIDTH, most) if width is None else inputs.count(width, "width", high=most)
        rng = np.random.default_rng([inputs.seed(seed), 5])
        main = main_directions(cloud, width)
        weights, biases, units = [_orthonormal(rng.standard_normal((width, width))) @ main], [], cloud
        for _ in range(inputs.count(depth, "depth")):
            through = units @ weights[-1].T  # each unit is zero at some point of the cloud
            biases.append(-through[rng.integers(len(cloud), size=width), np.arange(width)])
            units = _sorted(through + biases[-1], group).units
            weights.append(_orthonormal(rng.standard_normal((width, width))))
        weights[-1] = weights[-1][:1]
        return cls(weights, [*biases, np.zeros(1)], group)

    @classmethod
    def of(cls, critic: Any) -> Self:
        """The network of a trained critic with orthonormal layers, its weights made orthonormal to double precision.

        Parameters
        ----------
        critic : otgan.critics.Critic
            Of ``otgan.critics.fit(x, y, method="orthogonal", width=...)``, sorting pairs, fours or all units. Unless
            ``width`` is at most d, most slopes are below one, and no mass moves there.

        Raises
        ------
        InvalidInput
            For any other network.
        """
        layers = list(getattr(getattr(critic, "network", None), "layers", ()))
        names = {str(getattr(layer, "name", None)) for layer in layers[1::2]}
        if len(layers) < 3 or len(names) != 1 or not names <= {"maxmin", "groupsort", "fullsort"}:
            raise InvalidInput(
                "critic must have orthonormal layers with maxmin, groupsort or fullsort between them, as those of "
                f"otgan.critics.fit(x, y, method='orthogonal'), but {critic!r} came."
            )
        weights = [layer.matrix()[0].detach().cpu().double().numpy() for layer in layers[::2]]
        biases = [layer.bias[0, 0].detach().cpu().double().numpy() for layer in layers[::2]]
        # unit * N((x - center) / unit) is N itself with other biases: sorting does not mind a factor.
        biases = [critic.scaling.unit * bias for bias in biases]
        weights = [_orthonormal(each) for each in weights]
        biases[0] = biases[0] - weights[0] @ critic.scaling.center
        width = len(biases[0])
        if names == {"maxmin"}:  # its pairs are (i, i + width / 2), the greater first
            for k in range(len(weights) - 1):
                places = np.arange(width).reshape(2, -1)[::-1].T.ravel()
                weights[k], biases[k] = weights[k][places], biases[k][places]
                weights[k + 1] = weights[k + 1][:, places]
        return cls(weights, biases, {"maxmin": 2, "groupsort": 4, "fullsort": width}[names.pop()])

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.weights[0].shape[1]

    def _values(self, points: Array) -> Array:
        return self._forward(points)[1]

    def _rays(self, points: Array) -> RayField:
        layers, value = self._forward(points)
        v, slopes = directions(self._backward(layers, len(points)))
        v[slopes < 1 - FLAT] = 0.0
        down, up = np.full(len(points), np.inf), np.full(len(points), np.inf)
        rates = v
        for weight, layer in zip(self.weights, layers, strict=False):
            rates = np.take_along_axis(rates @ weight.T, layer.order, axis=1)
            gaps, opening = (np.diff(_groups(each, self.group), axis=2) for each in (layer.units, rates))
            with np.errstate(divide="ignore", invalid="ignore"):
                times = gaps / opening
            down = np.minimum(down, np.where(opening > 0, times, np.inf).min(axis=(1, 2), initial=np.inf))
            up = np.minimum(up, np.where(opening < 0, -times, np.inf).min(axis=(1, 2), initial=np.inf))
        flat = slopes < 1 - FLAT
        down[flat], up[flat] = 0.0, 0.0
        return RayField(value, v, down, up)

    def _forward(self, points: Array) -> tuple[list[Sorted], Array]:
        """What each sorted layer gives, and u."""
        layers, units = [], points
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(_sorted(units @ weight.T + bias, self.group))
            units = layers[-1].units
        return layers, units @ self.weights[-1][0] + self.biases[-1][0]

    def _backward(self, layers: list[Sorted], k: int) -> Array:
        """Gradients of u, (k, d)."""
        gradient = np.broadcast_to(self.weights[-1], (k, self.weights[-1].shape[1]))
        for layer, weight in zip(reversed(layers), reversed(self.weights[:-1]), strict=True):
            unsorted = np.empty_like(layer.units)
            np.put_along_axis(unsorted, layer.order, gradient, axis=1)
            gradient = unsorted @ weight
        return gradient.copy()


def _groups(units: Array, group: int) -> Array:
    """Those units that are sorted, (k, w) -> (k, w // group, group)."""
    k, whole = len(units), units.shape[1] // group
    return units[:, : whole * group].reshape(k, whole, group)


def _sorted(units: Array, group: int) -> Sorted:
    """Units sorted in their groups; what fills no group stays where it is."""
    k, width = units.shape
    whole = width // group
    order = np.tile(np.arange(width), (k, 1))
    inner = np.argsort(_groups(units, group), axis=2, kind="stable")
    order[:, : whole * group] = (inner + group * np.arange(whole)[:, None]).reshape(k, whole * group)
    return Sorted(np.take_along_axis(units, order, axis=1), order)


def _orthonormal(matrix: Array) -> Array:
    """The nearest matrix with orthonormal rows, or columns where these are fewer."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left @ right
