"""Losses against formulas written out by hand, and what theory says about gradients."""

from __future__ import annotations

import math

import pytest
import torch

from otgan.critics import GradientPenalty
from otgan.critics.methods import OneSidedPenalty
from otgan.critics.methods.clipping import clip_weights
from otgan.gan import Config
from otgan.gan.objectives import (
    Minimax,
    NonSaturating,
    Penalised,
    Relativistic,
    Wasserstein,
    objective_of,
)

WEIGHT = torch.tensor([[3.0, 4.0]])  # of norm 5
REAL = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
FAKE = torch.tensor([[0.5, 0.5], [1.0, -1.0], [0.0, 0.0]])
T = torch.tensor([0.2, 0.9, 0.5])


@pytest.fixture
def linear() -> torch.nn.Module:
    """A critic f(x) = w x + 0.5 with a slope of 5 everywhere."""
    layer = torch.nn.Linear(2, 1)
    layer.weight.data.copy_(WEIGHT)
    layer.bias.data.fill_(0.5)
    return torch.nn.Sequential(layer, torch.nn.Flatten(0))


def numbers(critic: torch.nn.Module) -> tuple[list[float], list[float]]:
    return critic(REAL).tolist(), critic(FAKE).tolist()


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


def critic_loss(objective, critic) -> float:
    return objective.critic_loss(critic, REAL, FAKE, T).item()


def generator_loss(objective, critic) -> float:
    return objective.generator_loss(critic, REAL, FAKE).item()


def test_minimax_is_cross_entropy_and_its_negative(linear) -> None:
    f, g = numbers(linear)
    loss = -mean([math.log(sigmoid(t)) for t in f]) - mean([math.log(1 - sigmoid(t)) for t in g])
    assert critic_loss(Minimax(), linear) == pytest.approx(loss, rel=1e-6)
    flat = mean([math.log(1 - sigmoid(t)) for t in g])
    assert generator_loss(Minimax(), linear) == pytest.approx(flat, rel=1e-6)


def test_non_saturating_changes_the_generator_alone(linear) -> None:
    _, g = numbers(linear)
    assert critic_loss(NonSaturating(), linear) == critic_loss(Minimax(), linear)
    steep = -mean([math.log(sigmoid(t)) for t in g])
    assert generator_loss(NonSaturating(), linear) == pytest.approx(steep, rel=1e-6)


def test_minimax_saturates_and_the_alternative_does_not() -> None:
    """d/df log(1 - D) = -D vanishes where D is sure of a fake; d/df -log D = D - 1 does not."""
    sure = torch.full((4,), -20.0, requires_grad=True)
    for objective, slope in ((Minimax(), 0.0), (NonSaturating(), -0.25)):
        (gradient,) = torch.autograd.grad(objective.generator_loss(lambda f: f, sure, sure), sure)
        assert gradient.tolist() == pytest.approx([slope] * 4, abs=1e-8)


def test_the_discriminators_number_is_the_divergence_at_the_optimum() -> None:
    """Two points with masses (3/4, 1/4) and (1/4, 3/4); f = log p - log q is optimal (Goodfellow et al., theorem 1)."""
    from otgan import divergences

    p, q = torch.tensor([0.75, 0.25]), torch.tensor([0.25, 0.75])
    optimal = (p / q).log()
    f_real, f_fake = optimal[[0, 0, 0, 1]], optimal[[0, 1, 1, 1]]
    truth = divergences.jensen_shannon(p.numpy(), q.numpy())
    assert Minimax().estimate(f_real, f_fake) == pytest.approx(float(truth), rel=1e-6)
    assert Minimax().estimate(0.5 * f_real, 0.5 * f_fake) < truth
    assert Minimax().estimate(f_real * 0, f_fake * 0) == pytest.approx(0.0, abs=1e-7)


def test_wasserstein_is_a_difference_of_means(linear) -> None:
    f, g = numbers(linear)
    assert critic_loss(Wasserstein(), linear) == pytest.approx(mean(g) - mean(f), rel=1e-6)
    assert generator_loss(Wasserstein(), linear) == pytest.approx(-mean(g), rel=1e-6)
    estimate = Wasserstein().estimate(linear(REAL).detach(), linear(FAKE).detach())
    assert estimate == pytest.approx(mean(f) - mean(g), rel=1e-6)


def test_clipping_leaves_every_parameter_in_the_box(linear) -> None:
    clip_weights(linear, 0.01)
    assert [p.abs().max().item() for p in linear.parameters()] == pytest.approx([0.01, 0.01])
    before = [p.clone() for p in linear.parameters()]
    clip_weights(linear, 0.02)
    assert all(torch.equal(p, q) for p, q in zip(linear.parameters(), before, strict=True))


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_penalties_of_a_linear_critic_are_known(linear, scale: float) -> None:
    linear[0].weight.data.mul_(scale)
    plain = critic_loss(Wasserstein(), linear)
    two_sided = critic_loss(Penalised(penalty=GradientPenalty(gp_weight=7.0)), linear)
    one_sided = critic_loss(Penalised(penalty=OneSidedPenalty(gp_weight=7.0)), linear)
    assert two_sided - plain == pytest.approx(7 * (5 * scale - 1) ** 2, rel=1e-5)
    assert one_sided - plain == pytest.approx(7 * max(0.0, 5 * scale - 1) ** 2, rel=1e-5, abs=1e-5)


def test_r1_and_r2_of_a_linear_critic_are_the_squared_weight(linear) -> None:
    f, g = numbers(linear)
    paired = mean([math.log1p(math.exp(b - a)) for a, b in zip(f, g, strict=True)])
    assert critic_loss(Relativistic(gp_weight=0.3), linear) == pytest.approx(paired + 0.3 / 2 * (25 + 25), rel=1e-6)
    assert critic_loss(Relativistic(gp_weight=1e-9), linear) == pytest.approx(paired, rel=1e-6)
    turned = mean([math.log1p(math.exp(a - b)) for a, b in zip(f, g, strict=True)])
    assert generator_loss(Relativistic(), linear) == pytest.approx(turned, rel=1e-6)


def bowl(points: torch.Tensor) -> torch.Tensor:
    """A critic f(x) = |x|^2 / 2, whose gradient x says where it was taken."""
    return points.square().sum(dim=1) / 2


def test_the_penalty_is_taken_between_the_samples() -> None:
    """At eps x + (1 - eps) y, as Algorithm 1 has it (Gulrajani et al. 2017)."""
    plain = critic_loss(Wasserstein(), bowl)
    between = T[:, None] * REAL + (1 - T[:, None]) * FAKE
    norms = [math.hypot(*point) for point in between.tolist()]
    two_sided = critic_loss(Penalised(penalty=GradientPenalty(gp_weight=7.0)), bowl)
    assert two_sided - plain == pytest.approx(7 * mean([(t - 1) ** 2 for t in norms]), rel=1e-4)
    one_sided = critic_loss(Penalised(penalty=OneSidedPenalty(gp_weight=7.0)), lambda x: 3 * bowl(x))
    above = [max(0.0, 3 * t - 1) ** 2 for t in norms]
    assert one_sided - 3 * plain == pytest.approx(7 * mean(above), rel=1e-4)


def test_r1_is_taken_at_real_samples_and_r2_at_generated_ones() -> None:
    paired = critic_loss(Relativistic(gp_weight=1e-9), bowl)
    squared = [mean([math.hypot(*point) ** 2 for point in side.tolist()]) for side in (REAL, FAKE)]
    penalty = 0.3 / 2 * sum(squared)
    assert squared[0] != squared[1]
    assert critic_loss(Relativistic(gp_weight=0.3), bowl) - paired == pytest.approx(penalty, rel=1e-5)


def test_the_relativistic_number_grows_with_what_the_critic_can_tell() -> None:
    f_real, f_fake = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0, 2.0])
    pairs = [math.log1p(math.exp(g - f)) for f in f_real.tolist() for g in f_fake.tolist()]
    assert Relativistic().estimate(f_real, f_fake) == pytest.approx(math.log(2) - mean(pairs), rel=1e-6)
    assert Relativistic().estimate(f_real, f_real * 0 + f_real.mean()) < Relativistic().estimate(f_real, f_fake)
    assert Relativistic().estimate(100 + f_real, f_fake) == pytest.approx(math.log(2))
    assert Relativistic().estimate(f_real * 0, f_fake * 0) == pytest.approx(0.0, abs=1e-7)


def test_r1_pulls_the_weight_towards_zero(linear) -> None:
    """d/dw gamma |w|^2 = 2 gamma w: the gradient of the two penalties together."""
    objective = Relativistic(gp_weight=100.0)
    objective.critic_loss(linear, REAL, REAL, T).backward()
    gradient = linear[0].weight.grad
    assert torch.allclose(gradient, 200 * WEIGHT, rtol=1e-5)


def test_penalties_see_each_image_by_itself() -> None:
    """f(x) = |x|^2 / 2 has the gradient x, whose norm is over all pixels of one image."""
    images = torch.randn(4, 2, 3, 3)
    objective = Penalised(penalty=GradientPenalty(gp_weight=7.0))
    zeros = torch.zeros(4)  # which puts the penalty at the second side
    loss = objective.critic_loss(lambda x: x.flatten(1).square().sum(1) / 2, images, images, zeros)
    assert loss.item() == pytest.approx(7 * (images.flatten(1).norm(dim=1) - 1).square().mean().item(), rel=1e-5)


def test_penalties_are_smooth_where_the_gradient_vanishes() -> None:
    layer = torch.nn.Linear(2, 1)
    torch.nn.init.zeros_(layer.weight)
    critic = torch.nn.Sequential(layer, torch.nn.Flatten(0))
    for name in ("wgan-gp", "wgan-lp", "r3gan"):
        layer.zero_grad()
        objective_of(Config(objective=name)).critic_loss(critic, REAL, FAKE, T).backward()
        assert layer.weight.grad is not None
        assert layer.weight.grad.isfinite().all()


def test_every_objective_moves_fakes_uphill(linear) -> None:
    fake = FAKE.clone().requires_grad_()
    for name in ("minimax", "non-saturating", "wgan", "wgan-gp", "wgan-lp", "r3gan"):
        loss = objective_of(Config(objective=name)).generator_loss(linear, REAL, fake)
        (gradient,) = torch.autograd.grad(loss, fake)
        # Along the gradient of the critic, which is the weight everywhere.
        cosine = torch.nn.functional.cosine_similarity(-gradient, WEIGHT)
        assert torch.allclose(cosine, torch.ones(3), atol=1e-5), name
