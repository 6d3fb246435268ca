"""The families of problems, and the data of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solvers import drawn, real

if TYPE_CHECKING:
    from collections.abc import Callable

    from solvers.cases import Case, Data


def data(case: Case) -> Data:
    """The points and masses of a case: the same bits for the same case."""
    drawn = FAMILIES[case.family](case)
    if drawn.x.shape != (case.n, case.d) or drawn.y.shape != (case.m, case.d):
        raise ValueError(f"{case.key} has points of shape {drawn.x.shape} and {drawn.y.shape}")
    return drawn


FAMILIES: dict[str, Callable[[Case], Data]] = {
    "gaussians": drawn.gaussians,
    "clusters": drawn.clusters,
    "different": drawn.different,
    "weights": drawn.weights,
    "photos": real.photos,
    "digits": real.digits,
    "projected": real.projected,
    "generated": real.generated,
    "grid": real.grid_points,
}
