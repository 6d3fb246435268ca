"""The only place where arrays and options are checked.

Each function takes what a user passed and its name, and returns clean float64 NumPy or raises
:class:`~otgan.errors.InvalidInput`. Nothing after this package checks its input again.
"""

from otgan.inputs.arrays import cost_matrix, points, real_array, vector
from otgan.inputs.grids import Grids, grids
from otgan.inputs.mass import equal_mass, mass_tolerance, masses, normalized, total, weights
from otgan.inputs.options import choice, count, exponent, flag, generator, metric_name, path, real, seed, tolerance
from otgan.inputs.ranges import (
    LARGEST,
    SMALLEST,
    extent,
    extent_fits,
    reach,
    same_columns,
    same_dimension,
    value_fits,
)
from otgan.inputs.tensors import (
    device_name,
    floating,
    has_tangent,
    is_dataset,
    is_tensor,
    like,
    representable,
    wants_gradient,
)

__all__ = [
    "LARGEST",
    "SMALLEST",
    "Grids",
    "choice",
    "cost_matrix",
    "count",
    "device_name",
    "equal_mass",
    "exponent",
    "extent",
    "extent_fits",
    "flag",
    "floating",
    "generator",
    "grids",
    "has_tangent",
    "is_dataset",
    "is_tensor",
    "like",
    "mass_tolerance",
    "masses",
    "metric_name",
    "normalized",
    "path",
    "points",
    "reach",
    "real",
    "real_array",
    "representable",
    "same_columns",
    "same_dimension",
    "seed",
    "tolerance",
    "total",
    "value_fits",
    "vector",
    "wants_gradient",
    "weights",
]
