"""Critics of cones around prototypes: the start, and the graph of the least cone."""

from __future__ import annotations

import pytest
import torch
from problems import gaussians

from otgan.critics.methods.prototypes import Prototypes, clusters
from otgan.critics.networks.cones import ConesAfter, LeastCone, quick_least
from otgan.critics.source import sources


def started(scale: float = 1.0, prototypes: int = 512) -> tuple[ConesAfter, torch.Tensor]:
    """A network before its first step, and the points x that it has seen."""
    given = gaussians()
    x, y, _ = sources(scale * given[0], scale * given[1], torch.device("cpu"), unit=1.0)
    method, generator = Prototypes(prototypes=prototypes), torch.Generator().manual_seed(0)
    network = method.network(2, generator)
    assert isinstance(network, ConesAfter)
    method.start(network, x, y, [generator])
    return network, x.some(10**6, generator)


def test_layers_start_close_to_an_isometry() -> None:
    network, points = started()
    between, mapped = (torch.pdist(h) for h in (points, network.seen(points)[0].detach()))
    assert (mapped <= between * (1 + 1e-5)).all()
    assert (mapped / between).mean() > 0.9


def test_prototypes_start_among_the_points_whatever_their_scale() -> None:
    for scale in (1e-3, 1.0, 1e3):
        network, points = started(scale, prototypes=8)
        h = network.seen(points)[0].detach()
        centers = (network.cones.unit[:, None, None] * network.cones.centers)[0].detach()
        nearest = torch.cdist(h, centers).min(dim=1).values
        assert nearest.mean() < 0.6 * (h - h.mean(dim=0)).norm(dim=1).mean()


def test_more_prototypes_than_points() -> None:
    network, points = started(prototypes=1000)
    assert network(points).isfinite().all()


@pytest.mark.parametrize("d", [2, 40])
def test_training_sees_the_same_values_and_gradients_as_the_least_of_all_cones(d: int) -> None:
    generator = torch.Generator().manual_seed(1)
    cones = LeastCone(torch.randn(2, 5, d, generator=generator), torch.randn(2, 5, generator=generator), 1, learnt=True)
    cones.unit.fill_(0.5)
    points = torch.randn(2, 30, d, generator=generator)
    found = []
    for training in (True, False):
        cones.train(training).zero_grad()
        values = cones(points)
        values.sum().backward()
        found.append([values.detach(), cones.centers.grad, cones.offsets.grad])
    for quick, exact in zip(*found, strict=True):
        torch.testing.assert_close(quick, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_clusters_of_any_scale(scale: float) -> None:
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    centers = clusters(points, points[:5])
    torch.testing.assert_close(clusters(scale * points, scale * points[:5]) / scale, centers)


def test_quick_values_for_comparisons_are_close_and_leave_the_network_in_evaluation() -> None:
    network, points = started()
    network.eval()
    exact = network(points)
    with quick_least(network):
        quick = network(points)
    assert not any(module.training for module in network.modules())
    torch.testing.assert_close(quick, exact, rtol=1e-4, atol=1e-4)
    assert torch.equal(network(points), exact)
