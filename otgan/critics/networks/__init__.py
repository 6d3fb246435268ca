"""Networks for critics, and what can be proven about their slopes."""

from otgan.critics.networks.activations import ACTIVATIONS, Activation, activation, check_activation
from otgan.critics.networks.certify import CERTIFIED, CertifiesItself, certified_lipschitz, certify, own_bound
from otgan.critics.networks.convolution import orthogonal_conv
from otgan.critics.networks.ensemble import (
    Ensemble,
    ModuleEnsemble,
    drop_cached_weights,
    gradients,
    join_members,
    member,
    n_members,
    values,
)
from otgan.critics.networks.feedforward import feedforward, mlp_ensemble, residual
from otgan.critics.networks.layers import AlmostOrthogonal, Dense, Orthogonal, Residual, Spectral, bjorck
from otgan.critics.networks.plain import ChannelsFirst, check_shape, copied, given_network, mlp

__all__ = [
    "ACTIVATIONS",
    "CERTIFIED",
    "Activation",
    "AlmostOrthogonal",
    "CertifiesItself",
    "ChannelsFirst",
    "Dense",
    "Ensemble",
    "ModuleEnsemble",
    "Orthogonal",
    "Residual",
    "Spectral",
    "activation",
    "bjorck",
    "certified_lipschitz",
    "certify",
    "check_activation",
    "check_shape",
    "copied",
    "drop_cached_weights",
    "feedforward",
    "given_network",
    "gradients",
    "join_members",
    "member",
    "mlp",
    "mlp_ensemble",
    "n_members",
    "orthogonal_conv",
    "own_bound",
    "residual",
    "values",
]
