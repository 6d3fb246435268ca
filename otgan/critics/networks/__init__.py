"""Networks for critics, and what can be proven about their slopes."""

from otgan.critics.networks.activations import ACTIVATIONS, Activation, activation, check_activation
from otgan.critics.networks.certify import CERTIFIED, certified_lipschitz
from otgan.critics.networks.convolution import orthogonal_conv
from otgan.critics.networks.feedforward import feedforward, residual, stacked_mlp
from otgan.critics.networks.layers import AlmostOrthogonal, Dense, Orthogonal, Residual, Spectral, bjorck
from otgan.critics.networks.plain import check_shape, copied, given_network, mlp
from otgan.critics.networks.stack import Loop, Stack, copies, forget, join, select, values

__all__ = [
    "ACTIVATIONS",
    "CERTIFIED",
    "Activation",
    "AlmostOrthogonal",
    "Dense",
    "Loop",
    "Orthogonal",
    "Residual",
    "Spectral",
    "Stack",
    "activation",
    "bjorck",
    "certified_lipschitz",
    "check_activation",
    "check_shape",
    "copied",
    "copies",
    "feedforward",
    "forget",
    "given_network",
    "join",
    "mlp",
    "orthogonal_conv",
    "residual",
    "select",
    "stacked_mlp",
    "values",
]
