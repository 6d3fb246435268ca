"""Every way to estimate W1 with a network, one small object each, behind :class:`otgan.critics.Method`."""

from otgan.critics.laboratory.clipping import WeightClipping
from otgan.critics.laboratory.controls import Cones, DiscretePotentials
from otgan.critics.laboratory.orthogonal import AlmostOrthogonalLayers, OrthogonalAbs, OrthogonalSort
from otgan.critics.laboratory.penalty import GradientPenalty, OneSidedPenalty
from otgan.critics.laboratory.prototypes import Prototypes
from otgan.critics.laboratory.residual import ResidualLayers
from otgan.critics.laboratory.reversed import MaximinReversed
from otgan.critics.laboratory.spectral import SpectralNorm
from otgan.critics.laboratory.transforms import ComparedTransforms, CTransform, SoftCTransform
from otgan.critics.method import Method

__all__ = [
    "METHODS",
    "AlmostOrthogonalLayers",
    "CTransform",
    "ComparedTransforms",
    "Cones",
    "DiscretePotentials",
    "GradientPenalty",
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
        ResidualLayers,
        CTransform,
        SoftCTransform,
        ComparedTransforms,
        MaximinReversed,
        Cones,
        DiscretePotentials,
    )
}
