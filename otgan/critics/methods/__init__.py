"""Every method to estimate W1 with a network: one frozen dataclass each, behind :class:`otgan.critics.Method`."""

from otgan.critics.methods.auto import Auto
from otgan.critics.methods.clipping import WeightClipping
from otgan.critics.methods.controls import Cones, DiscretePotentials
from otgan.critics.methods.lattice import DeepLattice, Lattice, LatticeOfY
from otgan.critics.methods.method import Method
from otgan.critics.methods.orthogonal import AlmostOrthogonalLayers, OrthogonalAbs, OrthogonalSort
from otgan.critics.methods.penalty import GradientPenalty, OneSidedPenalty
from otgan.critics.methods.prototypes import Prototypes
from otgan.critics.methods.residual import ResidualLayers
from otgan.critics.methods.reversed import MaximinReversed
from otgan.critics.methods.spectral import SpectralNorm
from otgan.critics.methods.transforms import ComparedTransforms, CTransform, SoftCTransform

__all__ = [
    "METHODS",
    "AlmostOrthogonalLayers",
    "Auto",
    "CTransform",
    "ComparedTransforms",
    "Cones",
    "DeepLattice",
    "DiscretePotentials",
    "GradientPenalty",
    "Lattice",
    "LatticeOfY",
    "MaximinReversed",
    "OneSidedPenalty",
    "OrthogonalAbs",
    "OrthogonalSort",
    "Prototypes",
    "ResidualLayers",
    "SoftCTransform",
    "SpectralNorm",
    "WeightClipping",
]

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        WeightClipping,
        GradientPenalty,
        OneSidedPenalty,
        SpectralNorm,
        OrthogonalSort,
        OrthogonalAbs,
        AlmostOrthogonalLayers,
        Prototypes,
        Lattice,
        LatticeOfY,
        DeepLattice,
        ResidualLayers,
        CTransform,
        SoftCTransform,
        ComparedTransforms,
        MaximinReversed,
        Auto,
        Cones,
        DiscretePotentials,
    )
}
