"""1-Lipschitz functions whose rays are known: half-lines along which they rise at slope one, and where these end."""

from otgan.pairs.potentials.blocks import Blocks
from otgan.pairs.potentials.cones import GreatestCones, LeastCones, MinMaxTree
from otgan.pairs.potentials.network import LipschitzNetwork
from otgan.pairs.potentials.planes import Planes
from otgan.pairs.potentials.potential import RayField, RayPotential

__all__ = [
    "Blocks",
    "GreatestCones",
    "LeastCones",
    "LipschitzNetwork",
    "MinMaxTree",
    "Planes",
    "RayField",
    "RayPotential",
]
