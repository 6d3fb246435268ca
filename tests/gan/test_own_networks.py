"""Networks of the user's: trained as those of otgan are, left alone themselves, and recognised in a checkpoint."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from otgan import InvalidInput, OTError
from otgan.cli import main
from otgan.critics.networks import Orthogonal, feedforward, mlp
from otgan.gan import Config, load, train
from otgan.gan import checkpoint as checkpoints
from otgan.gan.config import OBJECTIVES
from otgan.gan.networks import build_critic, build_generator
from otgan.gan.networks.structure import structure

if TYPE_CHECKING:
    from pathlib import Path

QUICK: dict[str, Any] = {
    "data": "gaussians8",
    "n": 60,
    "held_out": 20,
    "steps": 4,
    "latent": 3,
    "batch_size": 8,
    "n_critic": 2,
    "monitor_every": 2,
    "log_every": 2,
    "checkpoint_every": 2,
    "device": "cpu",
}


def quick(**changes: Any) -> Config:
    return Config(**{**QUICK, **changes})


class Generator(nn.Module):
    """With batch norm, dropout and one weight under two names: all of it must survive a checkpoint."""

    def __init__(self, shape: tuple[int, ...] = (2,)) -> None:
        super().__init__()
        self.first = nn.Linear(3, 8)
        self.middle = nn.Sequential(nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8), nn.Linear(8, 8))
        self.middle[4].weight = self.middle[3].weight
        self.last = nn.Linear(8, shape[0])

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        return self.last(self.middle(self.first(noise)))


class Critic(nn.Module):
    """With spectral norm by hooks, whose weights no deepcopy takes after a step, and a part that is not trained."""

    def __init__(self, shape: tuple[int, ...] = (2,), width: int = 8) -> None:
        super().__init__()
        self.fixed = nn.Linear(shape[0], width).requires_grad_(False)
        self.body = nn.Sequential(nn.LeakyReLU(0.2), nn.utils.spectral_norm(nn.Linear(width, 1)))

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return self.body(self.fixed(samples))


def plain_critic(shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(nn.Flatten(), mlp(int(np.prod(shape)), 8, 1))


def weights(run: Any) -> dict[str, torch.Tensor]:
    nets = (run.generator, run.critic)
    return {f"{k}{name}": value for k, net in enumerate(nets) for name, value in net.state_dict().items()}


def same(first: Any, second: Any) -> None:
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def records(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in record.items() if k not in ("seconds", "cost", "environment")} for record in history]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_otgans_networks_passed_as_the_users_train_to_the_same_weights(objective: Any) -> None:
    """The same modules from the same seeds, through the other door."""
    config = quick(objective=objective, width=8, critic_width=8, depth=2)
    resolved = config.resolved((2,))
    given: dict[str, Any] = {
        "generator": lambda shape: build_generator(resolved, shape, config.seed),
        "critic": lambda shape: build_critic(resolved, shape, config.seed + 1),
    }
    if objective == "wgan-lipschitz":  # a Sequential is proven by its parts
        assert len(build_critic(resolved, (2,), 0)) == 3  # type: ignore[arg-type]
    ours, theirs = train(config), train(config, **given)
    same(ours, theirs)
    assert theirs.config.critic == "own"
    found = [[r for r in records(run.history) if r["kind"] != "run"] for run in (ours, theirs)]
    assert found[0] == found[1]
    assert theirs.history[0]["networks"] == {"generator": "Sequential", "critic": "Sequential"}


def test_modules_are_copied_and_come_back_as_what_they_were() -> None:
    generator, critic = Generator().double(), Critic()
    body: Any = critic.body
    fixed: Any = critic.fixed
    before = copy.deepcopy(generator.state_dict()), fixed.weight.clone(), body[1].weight_orig.clone()
    random = torch.get_rng_state()
    run: Any = train(quick(objective="non-saturating"), generator=generator, critic=critic)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[0][name]) for name, value in generator.state_dict().items())
    assert generator.training
    assert torch.equal(body[1].weight_orig, before[2])
    assert type(run.generator) is Generator
    assert type(run.critic) is Critic
    assert not run.generator.training
    assert not run.critic.training
    trained: Any = run.critic
    assert torch.equal(trained.fixed.weight, before[1]), "what was frozen stays frozen"
    assert not torch.equal(trained.body[1].weight_orig, before[2])
    assert run.sample(5).shape == (5, 2)


def test_functions_make_networks_from_the_seed_and_see_the_shape() -> None:
    shapes = []

    def critic(shape: tuple[int, ...]) -> nn.Module:
        shapes.append(shape)
        return plain_critic(shape)

    torch.manual_seed(1)
    one = train(quick(steps=1, data="digits:3", n=None), critic=critic)
    torch.manual_seed(2)
    same(one, train(quick(steps=1, data="digits:3", n=None), critic=critic))
    assert shapes == [(1, 8, 8)] * 2


@pytest.mark.parametrize("objective", ["minimax", "wgan"])
def test_a_run_with_own_networks_goes_on_to_the_last_bit(objective: Any, tmp_path: Path) -> None:
    own: dict[str, Any] = {"generator": Generator(), "critic": Critic}
    config = quick(objective=objective, monitor_every=0, log_every=10)
    whole = train(config, tmp_path / "whole", **own)
    train(config, tmp_path / "parts", callback=lambda step, state: step == 2, **own)
    assert load(tmp_path / "parts", **own).step == 2
    rest = train(config, tmp_path / "parts", resume=True, **own)
    same(whole, rest)
    assert records(whole.history) == records(rest.history)
    again = load(tmp_path / "whole", **own)
    same(whole, again)
    assert (again.sample(4) == whole.sample(4)).all()
    same(whole, train(replace(whole.config, steps=4), tmp_path / "whole", resume=True, **own))


def test_measuring_changes_nothing_where_layers_draw() -> None:
    own: dict[str, Any] = {"generator": Generator(), "critic": Critic()}
    measured = train(quick(objective="minimax", monitor_every=1), **own)
    same(measured, train(quick(objective="minimax", monitor_every=0), **own))
    again = train(quick(objective="minimax", monitor_every=4), **own).measurements
    assert [r["exact"] for r in again] == [r["exact"] for r in measured.measurements if r["step"] in (0, 4)]


class Other(Generator):
    pass


def with_another_slope() -> nn.Module:
    critic = Critic()
    critic.body[0] = nn.LeakyReLU(0.1)
    return critic


def with_one_more() -> nn.Module:
    critic = Critic()
    critic.body.append(nn.Identity())
    return critic


def test_another_network_is_refused_by_what_differs(tmp_path: Path) -> None:
    own: dict[str, Any] = {"generator": Generator(), "critic": Critic()}
    train(quick(objective="minimax"), tmp_path, **own)
    for changes, message in (
        ({"generator": None}, "the generator of the run is yours, a Generator, .* Pass it again: generator="),
        ({"critic": None}, "the critic of the run is yours, a Critic, .* Pass it again: critic="),
        ({"generator": Other()}, "generator must be the network .* it was Generator and is Other"),
        ({"critic": Critic(width=9)}, r"its layer 'fixed' was Linear\(in_features=2, out_features=8.* and is .*=9"),
        ({"critic": with_another_slope()}, "'body.0' was LeakyReLU.negative_slope=0.2. and is .*0.1"),
        ({"critic": with_one_more()}, "its layer 'body.2', Identity, was not there"),
    ):
        with pytest.raises(InvalidInput, match=message):
            load(tmp_path, **{**own, **changes})
        if changes != {"critic": None}:
            with pytest.raises(InvalidInput, match=message):
                train(quick(objective="minimax", steps=5), tmp_path, resume=True, **{**own, **changes})
    train(quick(), tmp_path / "ours")
    with pytest.raises(InvalidInput, match="generator of the run is otgan's own, but one of yours came"):
        load(tmp_path / "ours", generator=Generator())


class Weighted(nn.Module):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(rows, 2))

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return (samples @ self.weight.T).mean(dim=1)


def test_weights_of_other_shapes_are_named(tmp_path: Path) -> None:
    train(quick(steps=1), tmp_path, critic=Weighted(3))
    with pytest.raises(InvalidInput, match=r"its weight 'weight' was of shape \(3, 2\) and is of shape \(4, 2\)"):
        load(tmp_path, critic=Weighted(4))


def test_the_command_says_that_such_a_run_is_for_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(quick(steps=1), tmp_path / "own", critic=Critic())
    train(quick(steps=1), tmp_path / "generator", generator=Generator())
    for words in (["sample", "{}"], ["train", "--resume", "{}"]):
        for name in ("own", "generator"):
            assert main([word.format(tmp_path / name) for word in words]) == 2
            assert "yours" in capsys.readouterr().err


def test_structures_in_a_checkpoint_are_text_and_nothing_else(tmp_path: Path) -> None:
    from safetensors import safe_open

    train(quick(steps=1), tmp_path, critic=Critic())
    path = tmp_path / checkpoints.NAME
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["otgan"])
    assert header["structures"] == {"critic": structure(Critic())}
    for wrong in (3, [], {"critic": 3}, {"critic": {"": 5}}, {"other": {}}, {}, {"generator": {"": "x"}}):
        changed = {**header, "structures": wrong}
        save_file(load_file(path), tmp_path / "wrong.safetensors", {"otgan": json.dumps(changed)})
        with pytest.raises(InvalidInput, match="damaged"):
            load(tmp_path / "wrong.safetensors", critic=Critic())


class Pair(nn.Linear):
    def forward(self, input: torch.Tensor) -> Any:
        return super().forward(input), input


class Stateful(nn.Linear):
    def get_extra_state(self) -> Any:
        return {"steps": 3}


class Cut(nn.Linear):
    def forward(self, input: torch.Tensor) -> Any:
        return super().forward(input).detach()


class InPlace(nn.Linear):
    def forward(self, input: torch.Tensor) -> Any:
        return super().forward(input.add_(1))


class Rough(nn.Linear):
    """Whose gradient has no gradient."""

    def forward(self, input: torch.Tensor) -> Any:
        return Once.apply(super().forward(input))


def rough() -> nn.Module:
    return nn.Sequential(Rough(2, 8), nn.ReLU(), nn.Linear(8, 1))


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        return values.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:  # type: ignore[override]
        return gradients[0]


def scaled(network: nn.Linear, factor: float) -> nn.Linear:
    with torch.no_grad():
        network.weight.mul_(factor)
    return network


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"generator": 3}, "generator must be a torch module, or a function that makes one .*, but 3 came"),
        ({"generator": lambda shape: 3}, "but the function returned a int"),
        ({"generator": lambda: nn.Linear(3, 2)}, "cannot be called so: too many positional .* Write lambda shape: "),
        ({"generator": nn.Linear(3, 4)}, r"generator must map \(k, 3\) to \(k, 2\), but maps \(4, 3\) to \(4, 4\)"),
        ({"generator": nn.Linear(4, 2)}, r"must map \(k, 3\) to \(k, 2\), float32, but raised RuntimeError"),
        ({"generator": Pair(3, 2)}, "returned a tuple. Wrap it"),
        ({"generator": scaled(nn.Linear(3, 2), float("nan"))}, "generator must give finite numbers"),
        ({"generator": nn.Linear(3, 2).requires_grad_(False)}, "all its parameters are frozen"),
        ({"generator": nn.Flatten()}, "it has no parameters"),
        ({"generator": nn.LazyLinear(2)}, "generator has lazy layers"),
        ({"generator": Stateful(3, 2)}, "the state of generator must be tensors.*_extra_state"),
        ({"generator": nn.Linear(3, 2, device="meta")}, "generator is on the device 'meta'"),
        ({"generator": Cut(3, 2)}, r"generator must have a loss with gradients, .* such as detach\(\)"),
        ({"critic": InPlace(2, 1)}, "critic must have a loss with gradients, but computing them raised RuntimeError"),
        ({"critic": rough()}, "critic must have a loss with gradients, .* differentiate twice"),
        ({"critic": nn.Linear(2, 2)}, r"critic must map \(k, 2\) to \(k,\) or \(k, 1\), but maps \(4, 2\) to \(4, 2\)"),
        ({"critic": nn.Linear(2, 1), "config": {"critic": "sll", "objective": "minimax"}}, "names 'sll' and another"),
        ({"config": {"critic": "own"}}, "critic 'own' stands for a critic of yours, but none came"),
        ({"critic": nn.Linear(2, 1), "config": {"batch_norm": True, "objective": "wgan"}}, "yours has none. Leave it"),
        (
            {"critic": nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), "config": {"objective": "minimax"}},
            "ends with a sigmoid",
        ),
        (
            {"critic": nn.Linear(2, 1), "config": {"objective": "wgan-lipschitz"}},
            "proves a Lipschitz constant of at most 1, but yours proves nothing",
        ),
    ],
)
def test_networks_that_will_not_do_are_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    config = quick(**given.pop("config", {}))
    with pytest.raises(InvalidInput, match=message):
        train(config, tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


def test_generators_and_critics_of_images_are_told_what_to_begin_and_end_with() -> None:
    config = quick(data="digits:3", n=None)
    with pytest.raises(InvalidInput, match=r"to \(4, 64\). End it with torch.nn.Unflatten\(1, \(1, 8, 8\)\)"):
        train(config, generator=nn.Linear(3, 64))
    with pytest.raises(InvalidInput, match=r"begin it with torch.nn.Flatten\(\)"):
        train(config, critic=nn.Linear(64, 1))
    with pytest.raises(InvalidInput, match=r"begin it with torch.nn.Unflatten\(1, \(3, 1, 1\)\)"):
        train(config, generator=nn.ConvTranspose2d(3, 1, 8))
    train(replace(config, steps=1), generator=nn.Sequential(nn.Unflatten(1, (3, 1, 1)), nn.ConvTranspose2d(3, 1, 8)))


def test_the_message_of_an_interrupted_run_names_what_to_pass_again(tmp_path: Path) -> None:
    class Broken:
        def log_metrics(self, numbers: dict[str, float], step: int) -> None:
            raise RuntimeError("broken")

    given: dict[str, Any] = {"critic": Critic(), "data": np.random.default_rng(0).normal(size=(30, 2))}
    with pytest.raises(OTError, match=r"train\(config, '.*', critic=\.\.\., data=\.\.\., resume=True\)"):
        train(quick(n=None, held_out=5), tmp_path, loggers=Broken(), **given)
    assert train(quick(n=None, held_out=5), tmp_path, resume=True, **given).step == 4


@pytest.mark.parametrize("objective", ["wgan", "r3gan"])
def test_parametrized_weights_go_on_to_the_last_bit(objective: Any, tmp_path: Path) -> None:
    normed = nn.utils.parametrizations.spectral_norm
    own: dict[str, Any] = {
        "generator": nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.utils.parametrizations.weight_norm(nn.Linear(8, 2))),
        "critic": lambda shape: nn.Sequential(normed(nn.Linear(shape[0], 8)), nn.ReLU(), normed(nn.Linear(8, 1))),
    }
    config = quick(objective=objective, log_every=10)
    whole = train(config, **own)
    train(config, tmp_path, callback=lambda step, state: step == 3, **own)
    same(whole, train(config, tmp_path, resume=True, **own))
    same(whole, load(tmp_path, **own))


def test_gradients_that_have_none_are_for_objectives_without_a_penalty() -> None:
    assert train(quick(objective="wgan", steps=1), critic=rough()).step == 1


@pytest.mark.parametrize("objective", ["wgan-gp", "wgan-lp", "r3gan"])
def test_batch_norm_is_refused_where_gradients_are_penalised(objective: Any) -> None:
    normed = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    with pytest.raises(InvalidInput, match=r"yours has some \(1, BatchNorm1d\).*section 4"):
        train(quick(objective=objective), critic=normed)
    run = train(quick(objective="wgan"), critic=normed)
    assert run.config.batch_norm
    train(quick(objective=objective, steps=1), critic=nn.Sequential(nn.Linear(2, 8), nn.LayerNorm(8), nn.Linear(8, 1)))


class Proven(nn.Module):
    """Slopes of ``tanh`` are at most 1."""

    def __init__(self, constant: float) -> None:
        super().__init__()
        self.constant = constant
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return torch.tanh(samples[:, 0] + self.shift)

    def lipschitz(self) -> Any:
        return self.constant


def test_a_lipschitz_critic_of_the_users_is_proven() -> None:
    config = quick(objective="wgan-lipschitz")
    ensemble = feedforward(Orthogonal, 2, 8, 1, "maxmin")
    for critic in (Proven(1.0), ensemble, nn.Sequential(nn.Flatten(), ensemble, nn.Flatten(0))):
        run = train(config, critic=critic)
        assert run.measurements[-1]["critic_estimates"] == "W1"
    for constant in (1.1, float("inf")):
        with pytest.raises(InvalidInput, match=r"yours may have 1\.1|proves nothing"):
            train(config, critic=Proven(constant))


def test_a_number_named_as_a_proof_proves_nothing() -> None:
    critic: Any = nn.Linear(2, 1)
    critic.lipschitz = 1.0
    with pytest.raises(InvalidInput, match="proves nothing"):
        train(quick(objective="wgan-lipschitz"), critic=critic)


class Loose(nn.Linear):
    """Which says what its slope is, but does not keep it at 1."""

    def lipschitz(self) -> Any:
        return torch.linalg.matrix_norm(self.weight.detach(), 2)


def test_a_lipschitz_critic_that_does_not_stay_one_ends_the_run(tmp_path: Path) -> None:
    config = quick(objective="wgan-lipschitz", critic_learning_rate=0.5)
    with pytest.raises(OTError, match=r"by step 2 the critic proves a Lipschitz constant of \d.*, no longer of 1"):
        train(config, tmp_path, critic=scaled(Loose(2, 1), 0.1))
    assert load(tmp_path, critic=scaled(Loose(2, 1), 0.1)).step == 0


@pytest.mark.long
def test_two_processes_train_own_networks_as_one_does() -> None:
    """Modules, and functions and classes that are not local, can be sent."""
    config = quick(objective="wgan-gp", steps=3, n_critic=1, monitor_every=0)
    own: dict[str, Any] = {
        "generator": nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)),
        "critic": Critic,
    }
    one, two = train(config, **own), train(replace(config, devices=2), callback=stops, **own)
    assert (one.step, two.step) == (3, 2)
    two_steps = train(replace(config, steps=2), **own)
    found = zip(weights(two_steps).values(), weights(two).values(), strict=True)
    assert max(float((a - b).abs().max()) for a, b in found) < 1e-5


def stops(step: int, state: Any) -> bool:
    return step == 2


def test_what_other_processes_cannot_get_is_refused_with_the_reason() -> None:
    config = quick(devices=2)
    local: dict[str, Any] = {"critic": lambda shape: Critic(shape), "callback": lambda step, state: False}
    for name in local:
        with pytest.raises(InvalidInput, match=f"{name} must be such that pickle can send it to the 2 processes"):
            train(config, **{name: local[name]})
