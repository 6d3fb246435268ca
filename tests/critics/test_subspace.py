"""Layers on some directions of space, beside what is left of it."""

from __future__ import annotations

import pytest
import torch

from otgan.critics.methods import METHODS
from otgan.critics.methods.prototypes import DIRECTIONS, MANY
from otgan.critics.networks import CERTIFIED, Dense, Ensemble, Orthogonal, gradients, join_members, member
from otgan.critics.networks.cones import ConesAfter
from otgan.critics.networks.feedforward import hidden
from otgan.critics.networks.subspace import OnSubspace


def on_subspace(dimension: int = 30, directions: int = 4, seed: int = 0) -> OnSubspace:
    """With one folding layer, in evaluation."""
    generator = torch.Generator().manual_seed(seed)
    layers = Ensemble(hidden(Orthogonal, directions, 2 * directions, 1, "maxmin", generator))
    return OnSubspace(dimension, directions, layers, generator).eval()


def test_it_keeps_distances_where_its_layers_do_and_gradients_where_they_fold() -> None:
    layer, points = on_subspace(), torch.randn(200, 30, generator=torch.Generator().manual_seed(1))
    seen = layer(points[None])[0]
    between, mapped = torch.pdist(points), torch.pdist(seen)
    assert (mapped <= between * (1 + 1e-5)).all()
    jacobian = torch.func.vmap(torch.func.jacrev(lambda point: layer(point[None, None])[0, 0]))(points[:20])
    identity = torch.eye(30).expand(20, 30, 30)
    torch.testing.assert_close(jacobian.mT @ jacobian, identity, rtol=0, atol=1e-5)  # an isometry of each region


@pytest.mark.parametrize("size", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("slope", [0.3, 1.0, 2.0])
def test_its_bound_holds_whatever_the_norms_of_its_parts(size: float, slope: float) -> None:
    """Here all singular values are known: those along the directions, and ones."""

    class Scaled(Dense):
        def __init__(self, matrix: torch.Tensor) -> None:
            super().__init__(matrix.shape[1], matrix.shape[0])
            self.weight.data = matrix[None]

    layer = OnSubspace(6, 2, Ensemble([Scaled(slope * torch.eye(2))]))
    layer.onto = Scaled(size * torch.eye(2, 6))  # type: ignore[assignment]
    jacobian = torch.cat([slope * size * torch.eye(2, 6), torch.eye(6) - size**2 * torch.diag(torch.eye(6)[:2].sum(0))])
    zero = layer(torch.zeros(1, 1, 6))
    torch.testing.assert_close((layer(torch.eye(6)[None]) - zero)[0], jacobian.T)
    largest = float(torch.linalg.matrix_norm(jacobian, ord=2))
    assert largest <= float(layer.lipschitz()) * (1 + 1e-6)
    if size >= 1:
        assert float(layer.lipschitz()) == pytest.approx(max(1.0, largest), rel=1e-6)


def test_members_are_independent() -> None:
    parts = [on_subspace(seed=seed) for seed in (0, 1)]
    points = torch.randn(2, 5, 30, generator=torch.Generator().manual_seed(2))
    both = join_members(parts).eval()
    for k, part in enumerate(parts):
        torch.testing.assert_close(both(points)[k], part(points[k : k + 1])[0])
        torch.testing.assert_close(member(both, k).eval()(points[k : k + 1])[0], part(points[k : k + 1])[0])


@pytest.mark.parametrize("name", ["prototypes", "lattice", "deep-lattice"])
@pytest.mark.parametrize("dimension", [MANY, MANY + 1, 784])
def test_cones_in_many_coordinates_see_all_of_them(name: str, dimension: int) -> None:
    """Layers see all up to a number of coordinates, and some directions beyond; the weights are as many as are told."""
    method = METHODS[name]()
    network = method.network(dimension, torch.Generator().manual_seed(0)).eval()
    assert isinstance(network, ConesAfter)
    assert (network.before is None) == (method.depth == 0)
    if network.before is not None:
        assert isinstance(network.before.layers[0], OnSubspace) == (dimension > MANY)
    weights = sum(parameter.numel() for parameter in network.parameters())
    assert weights <= method.weights(dimension) <= 2 * weights
    assert float(network.lipschitz()) <= CERTIFIED
    points = torch.randn(64, dimension, generator=torch.Generator().manual_seed(1))
    found = gradients(network, points)
    assert (found != 0).all()
    assert (found.norm(dim=1) <= CERTIFIED).all()


def test_work_in_many_coordinates_grows_with_their_number_and_not_with_its_square() -> None:
    work = {d: METHODS["deep-lattice"]().work(d) for d in (784, 3072)}
    assert work[3072] < 5 * work[784]
    assert DIRECTIONS < MANY
