"""Critics that are lattices of cones: what they compute, how they start, and what they contain."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from problems import gaussians

from otgan import InvalidInput
from otgan.critics.methods.lattice import Lattice, LatticeOfY
from otgan.critics.methods.prototypes import Prototypes
from otgan.critics.networks import drop_cached_weights
from otgan.critics.networks.cones import ConesAfter
from otgan.critics.networks.lattice import ConeLattice
from otgan.critics.source import sources
from otgan.critics.training import Job, trainings

PROTOTYPES, FACETS, CAPS = 5, 4, 3


def lattice(d: int) -> tuple[ConeLattice, torch.Tensor]:
    """Two members with random cones, and points."""
    generator = torch.Generator().manual_seed(1)
    n = PROTOTYPES * FACETS + CAPS
    centers, offsets = (torch.randn(*shape, generator=generator) for shape in ((2, n, d), (2, n)))
    offsets[:, -CAPS:] += 0.5
    cones = ConeLattice(centers, offsets, -1, PROTOTYPES, FACETS)
    cones.unit.fill_(0.5)
    return cones, torch.randn(2, 200, d, generator=generator)


@pytest.mark.parametrize("d", [2, 40])
def test_it_is_the_least_of_greatest_of_least_of_cones(d: int) -> None:
    cones, points = lattice(d)
    with torch.no_grad():
        apart = (points[:, :, None] - 0.5 * cones.centers[:, None]).norm(dim=3)
        of_cones = -(apart + 0.5 * cones.offsets[:, None])
        hanging = of_cones[:, :, :-CAPS].unflatten(2, (FACETS, PROTOTYPES)).amin(dim=2).amax(dim=2)
        caps = of_cones[:, :, -CAPS:].amin(dim=2)
        assert 0 < (hanging < caps).float().mean() < 1
        for training in (False, True):
            found = cones.train(training)(points)
            torch.testing.assert_close(found, torch.minimum(hanging, caps), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("d", [2, 40])
def test_training_sees_the_same_gradients_as_all_cones(d: int) -> None:
    cones, points = lattice(d)
    found = []
    for training in (True, False):
        cones.train(training).zero_grad()
        cones(points).sum().backward()
        found.append([cones.centers.grad, cones.offsets.grad])
    for quick, exact in zip(*found, strict=True):
        torch.testing.assert_close(quick, exact, rtol=1e-4, atol=1e-4)


def test_each_member_and_point_is_1_lipschitz() -> None:
    cones, points = lattice(3)
    values = cones.eval()(points).detach()
    rise = (values[:, :, None] - values[:, None]).abs()
    assert (rise <= torch.cdist(points, points) + 1e-5).all()


def test_with_one_facet_and_no_caps_it_is_the_method_prototypes() -> None:
    """The same start and the same steps on the same batches."""
    x, y, _ = sources(*gaussians(), torch.device("cpu"), unit=1.0)
    values = []
    for method in (Prototypes(prototypes=16), Lattice(prototypes=16, facets=1, caps=0, depth=1, learning_rate=2e-3)):
        generator = torch.Generator().manual_seed(0)
        network = method.network(2, generator)
        method.start(network, x, y, [generator])
        optimizer = method.optimizer(network)
        network.train()
        for _ in range(3):
            first, second = (side.some(60, generator)[None] for side in (x, y))
            method.step(network, optimizer, first, second, [generator])
            drop_cached_weights(network)
        values.append(network.eval()(x.some(60, generator)).detach())
    torch.testing.assert_close(*values)


def test_facets_start_as_one_cone_and_caps_at_their_height() -> None:
    x, y, _ = sources(*gaussians(), torch.device("cpu"), unit=1.0)
    method, generator = Lattice(prototypes=5, caps=6), torch.Generator().manual_seed(0)
    network = method.network(2, generator)
    assert isinstance(network, ConesAfter)
    assert isinstance(network.cones, ConeLattice)
    method.start(network, x, y, [generator])
    with torch.no_grad():
        tips = network.cones.centers[0, :-6].unflatten(0, (method.facets, 5))
        middle = tips.mean(dim=0)
        assert (tips - middle).norm(dim=2).mean() < (middle - middle.mean(dim=0)).norm(dim=1).mean()
        z = network.seen(x.some(10**6, generator)) / network.cones.unit
        heights = torch.cdist(z, network.cones.centers) + network.cones.offsets[:, None]
        below, caps = network.cones.parts(heights)
        assert caps is not None
        torch.testing.assert_close(below.mean(), caps.mean(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("option", ["facets", "prototypes"])
def test_there_is_at_least_one(option: str) -> None:
    with pytest.raises(InvalidInput, match=option):
        Lattice.with_options({option: 0})


def test_a_lattice_of_y_is_that_of_x_with_the_sides_exchanged() -> None:
    """Minus the critic of the exchanged problem, after the start and after steps on the same batches."""
    given = gaussians()
    x, y, _ = sources(*given, torch.device("cpu"), unit=1.0)
    values = []
    for method, sides in ((Lattice(prototypes=8, caps=4), (y, x)), (LatticeOfY(prototypes=8, caps=4), (x, y))):
        generator = torch.Generator().manual_seed(0)
        network = method.network(2, generator)
        method.start(network, *sides, [generator])
        optimizer = torch.optim.SGD(network.parameters(), 0.1)  # Adam would move what only rounding moves
        seen = [network.eval()(x.some(60, generator)).detach()]
        network.train()
        for _ in range(3):
            first, second = (side.some(60, generator)[None] for side in sides)
            method.step(network, optimizer, first, second, [generator])
            drop_cached_weights(network)
        values.append([*seen, network.eval()(x.some(60, generator)).detach()])
    for one, other in zip(*values, strict=True):
        torch.testing.assert_close(one, -other)
    assert not torch.allclose(values[1][0], values[1][1])


def test_smooth_lattices_are_1_lipschitz_and_close_to_what_they_become() -> None:
    """A smooth maximum of n numbers exceeds theirs by t log n at most, and a minimum falls short by as much."""
    cones, points = lattice(3)
    exact = cones.eval()(points).detach()
    for temperature in (1.0, 0.01):
        cones.train().temperature = temperature
        values = cones(points).detach()
        most = 0.5 * temperature * max(math.log(PROTOTYPES), math.log(FACETS) + math.log(CAPS + 1))
        assert (values - exact).abs().max() <= most + 1e-4
        assert ((values[:, :, None] - values[:, None]).abs() <= torch.cdist(points, points) + 1e-4).all()
        assert not torch.allclose(values, exact, rtol=0.0, atol=0.1 * most)


@pytest.mark.parametrize("d", [2, 40])
def test_all_cones_learn_while_the_lattice_is_smooth(d: int) -> None:
    """Gradients are those of the formula in double precision; of a cold lattice most cones have none."""
    cones, points = lattice(d)
    cones.train().temperature = 1.0
    cones(points).sum().backward()
    centers, offsets = cones.centers.grad, cones.offsets.grad
    assert centers is not None
    assert offsets is not None
    assert (offsets != 0).all()
    exact = copy.deepcopy(cones).double()
    exact.zero_grad()
    apart = (2 * points.double()[:, :, None] - exact.centers[:, None]).norm(dim=3) + exact.offsets[:, None]
    hanging = apart[:, :, :-CAPS].unflatten(2, (FACETS, PROTOTYPES)).logsumexp(dim=2)
    both = torch.cat([-(-hanging).logsumexp(dim=2, keepdim=True), apart[:, :, -CAPS:]], dim=2)
    (-0.5 * both.logsumexp(dim=2)).sum().backward()
    torch.testing.assert_close(centers.double(), exact.centers.grad, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(offsets.double(), exact.offsets.grad, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("decay", ["none", "cosine"])
def test_a_lattice_cools_as_it_trains(decay: str) -> None:
    """Its temperature falls to nothing whatever the learning rate does, in a trial too, and starts anew after it."""
    seen = []

    class Seen(Lattice):
        def cool(self, network: torch.nn.Module, share: float) -> None:
            super().cool(network, share)
            assert isinstance(network, ConesAfter)
            assert isinstance(network.cones, ConeLattice)
            seen.append(network.cones.temperature)

    x, y, _ = sources(*gaussians(), torch.device("cpu"), unit=1.0)
    method = Seen(prototypes=4, caps=2, steps=50, decay=decay)
    (started,) = trainings(Job(method, x, y, {}, torch.device("cpu"), progress=False), [method.network(2)], seed=0)
    started.until(10, settle=True)
    first = list(seen)
    assert first[0] == method.temperature
    assert first == sorted(first, reverse=True)
    assert first[-1] == 0
    seen.clear()
    started.until(50)
    assert seen[0] == method.temperature
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0
