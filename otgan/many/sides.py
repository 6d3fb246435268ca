"""Both sides of many pairs: lists of point clouds and their weights, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Side", "check_together", "listed", "side"]


@dataclass(frozen=True)
class Side:
    """Checked clouds (n_i, d) and their weights (n_i,), None for equal ones."""

    clouds: list[NDArray[np.float64]]
    weights: list[NDArray[np.float64]] | None

    def weight(self, i: int) -> NDArray[np.float64] | None:
        """The weights of the i-th cloud."""
        return None if self.weights is None else self.weights[i]

    def sizes(self) -> NDArray[np.int64]:
        """The numbers of points, (k,)."""
        return np.array([len(cloud) for cloud in self.clouds])

    def part(self, some: slice) -> Side:
        """Some of the clouds."""
        return Side(self.clouds[some], None if self.weights is None else self.weights[some])


def side(given: Any, weights: Any, name: str, weights_name: str, first: Any = None) -> Side:
    """Clouds and weights as they came, checked; columns of data frames in the order of the ``first`` cloud's."""
    clouds = [
        inputs.points(frames.aligned(first, cloud, ("X[0]", f"{name}[{i}]")), f"{name}[{i}]")
        for i, cloud in enumerate(listed(given, name))
    ]
    for i, cloud in enumerate(clouds):
        inputs.same_columns(clouds[0], cloud, (f"{name}[0]", f"{name}[{i}]"))
    if weights is None:
        return Side(clouds, None)
    given_weights = listed(weights, weights_name)
    if len(given_weights) != len(clouds):
        raise InvalidInput(
            f"{weights_name} must have weights for each cloud of {name}, {len(clouds)}, but has {len(given_weights)}."
        )
    checked = [
        inputs.weights(w, len(cloud), f"{weights_name}[{i}]", f"the points of {name}[{i}]")
        for i, (w, cloud) in enumerate(zip(given_weights, clouds, strict=True))
    ]
    return Side(clouds, checked)


def listed(given: Any, name: str) -> list[Any]:
    """The clouds, or their weights, one after the other."""
    one = frames.columns(given) is not None or frames.is_series(given) or isinstance(given, str | bytes | dict)
    sized = hasattr(given, "__getitem__") and hasattr(given, "__len__") and getattr(given, "shape", (1,)) != ()
    if one or not sized:
        raise InvalidInput(f"{name} must be a list of arrays, one a cloud, but a {type(given).__name__} came.")
    if len(given) == 0:
        raise InvalidInput(f"{name} must hold at least one cloud, but it is empty.")
    return [given[i] for i in range(len(given))]


def check_together(left: Side, right: Side, names: tuple[str, str]) -> None:
    """Both sides must live in one space, and all weights have one total."""
    inputs.same_columns(left.clouds[0], right.clouds[0], names)
    if left.weights is None and right.weights is None:
        return
    first = np.ones(1) if left.weights is None else left.weights[0]
    for one, name in ((left, "a"), (right, "b")):
        for i, weights in enumerate(one.weights or [np.ones(1)]):
            inputs.equal_mass(first, weights, inputs.mass_tolerance(weights), ("a[0]", f"{name}[{i}]"))
