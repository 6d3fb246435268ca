"""What a monitor measures in any loop is what can be computed by hand, and nothing of the loop changes by it."""

from __future__ import annotations

import io
import json
import random
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import otgan
from otgan import InvalidInput
from otgan.data import SampleSet
from otgan.data.channels import channels_last
from otgan.gan import Config, Monitor, NotFinite, train
from otgan.gan.dataset import dataset
from otgan.gan.metrics import frechet_distance, precision_recall
from otgan.gan.networks import build_critic, build_generator
from otgan.gan.objectives import objective_of

CLOCK = ("cost", "seconds")


def points(n: int = 60, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3)) + shift


def colours(n: int, seed: int) -> np.ndarray:
    """Images (n, 3, 8, 6)."""
    return np.random.default_rng(seed).random((n, 3, 8, 6))


def without_clock(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in CLOCK}


def test_numbers_are_those_of_the_exact_solver() -> None:
    held_out, trained_on, fake = points(), points(seed=1), points(seed=2, shift=1)
    record = Monitor(held_out, trained_on).measure(fake, lambda x: -x.sum(dim=1, keepdim=True), step=7)
    assert record["step"] == 7
    assert record["n"] == 60
    assert record["exact"] == otgan.wasserstein(held_out, fake)
    assert record["floor"] == otgan.wasserstein(held_out, trained_on)
    assert record["lower"] <= record["exact"] <= record["upper"]
    assert record["critic"] == pytest.approx(-(held_out - fake).sum(axis=1).mean(), rel=1e-6)
    assert record["critic_trained_on"] == pytest.approx(-(trained_on - fake).sum(axis=1).mean(), rel=1e-6)
    assert record["constant_bound"] <= record["lower_bound"] <= record["upper"]
    assert record["intervals"]["exact"][0] < record["exact"] < record["intervals"]["exact"][1]
    assert record["patch"] is None


def test_the_best_critic_proves_the_distance() -> None:
    """Of a shift the coordinate along it is an optimal critic, however it is scaled."""
    held_out = points()
    record = Monitor(held_out).measure(held_out + np.array([0, 2, 0]), lambda x: -5 * x[:, 1])
    assert record["exact"] == pytest.approx(2)
    assert record["lower_bound"] == pytest.approx(2)
    assert record["sliced_max"] == pytest.approx(2), "the line through both means is one of those tried"
    assert record["sliced"] < record["sliced_max"] <= record["upper"] * (1 + 1e-12)
    assert "floor" not in record, "there are no others to compare with"
    assert record["critic_trained_on"] is None


IMAGES = [
    ("tensors", torch.as_tensor, {}),
    ("channels last", lambda x: np.moveaxis(x, 1, 3), {}),
    ("flat", lambda x: x.reshape(len(x), -1), {"shape": (3, 8, 6)}),
    ("dataset", lambda x: TensorDataset(torch.as_tensor(x), torch.arange(len(x))), {}),
    ("loader", lambda x: DataLoader(TensorDataset(torch.as_tensor(x)), batch_size=7), {}),
    ("sample set", lambda x: SampleSet.of(np.moveaxis(x, 1, 3), "images", "here"), {}),
]


@pytest.mark.parametrize(("held", "options"), [case[1:] for case in IMAGES], ids=[case[0] for case in IMAGES])
def test_images_are_the_same_however_they_come(held, options) -> None:
    real, trained_on, fake = (colours(30, seed) for seed in range(3))
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        if len(x) == 30:  # fewer show whether it takes them
            seen.append(x)
        return x[:, 0, 1, 2]

    expected = Monitor(real, trained_on).measure(fake, critic)
    assert seen[0].shape == (30, 3, 8, 6)
    assert seen[0].dtype == torch.float32
    np.testing.assert_array_equal(seen[0], real.astype(np.float32))
    monitor = Monitor(held(real), trained_on, **options)
    seen.clear()
    for generated in (fake, held(fake), torch.as_tensor(fake), lambda n: torch.as_tensor(fake[:n])):
        record = monitor.measure(generated, critic)
        assert record["exact"] == expected["exact"]
        assert record["patch"] == expected["patch"]
        assert record["critic"] == expected["critic"]
    assert all(torch.equal(x, y) for x, y in zip(seen[:3], seen[3:6], strict=True))
    assert record["patch_floor"] == expected["patch_floor"] > 0


def test_two_channels_come_first_too() -> None:
    """Fields rather than pictures: whoever has three axes in a dataset has channels first."""
    fields = torch.rand(20, 2, 8, 6)
    for held_out in (fields, TensorDataset(fields), DataLoader(TensorDataset(fields), batch_size=4)):
        monitor = Monitor(held_out)
        assert monitor.layout.network_shape == (2, 8, 6)
        assert torch.equal(monitor.layout.batch(monitor.held_out).float(), fields)
        assert monitor.measure(fields.flip(0))["patch"] > 0


@pytest.mark.parametrize("shape", [(1, 8, 8), (64,), (8, 8), (4, 16)])
def test_the_critic_sees_the_shape_asked_for(shape) -> None:
    images = np.random.default_rng(0).random((20, 8, 8))
    seen = []
    Monitor(images, shape=shape).measure(images[::-1], lambda x: seen.append(x) or x.flatten(1).sum(dim=1))
    assert all(x.shape[1:] == shape for x in seen)
    whole = next(x for x in seen if len(x) == 20)
    np.testing.assert_array_equal(whole.flatten(), images.astype(np.float32).ravel())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_samples_of_every_precision(dtype) -> None:
    real, fake = ((100 * torch.rand(30, 4, generator=torch.Generator().manual_seed(k))).to(dtype) for k in (0, 1))
    monitor = Monitor(real)
    assert monitor.measure(fake)["exact"] == otgan.wasserstein(real.double().numpy(), fake.double().numpy())
    net = nn.Linear(4, 1).to(dtype if dtype.is_floating_point else torch.float32)
    with torch.no_grad():
        values = [net(side.to(net.weight.dtype)).double().mean() for side in (real, fake)]
    assert monitor.measure(fake, net)["critic"] == pytest.approx(float(values[0] - values[1]), rel=1e-6)


def random_states() -> list[Any]:
    return [torch.get_rng_state().tolist(), np.random.get_state(legacy=False), random.getstate()]  # noqa: NPY002


def test_nothing_of_the_loop_changes() -> None:
    critic = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Linear(3, 8)),
        nn.BatchNorm1d(8),
        nn.Dropout(0.5),
        nn.utils.spectral_norm(nn.Linear(8, 1)),
    )
    critic[1].eval()
    generator = nn.Linear(2, 3)
    monitor = Monitor(points(), features=critic[0])
    critic(torch.ones(4, 3)).sum().backward()
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    gradients = [p.grad.clone() for p in critic.parameters() if p.grad is not None]
    modes, states = [part.training for part in critic.modules()], random_states()

    def fake(n: int) -> torch.Tensor:
        assert not torch.is_grad_enabled()
        return generator(torch.randn(n, 2)) + np.random.random()  # noqa: NPY002 - as loops do

    first, second = (monitor.measure(fake, critic, step) for step in (1, 2))
    assert without_clock(first) == {**without_clock(second), "step": 1}, "the same noise at every measurement"
    after = critic.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(map(torch.equal, gradients, [p.grad for p in critic.parameters() if p.grad is not None]))
    assert [part.training for part in critic.modules()] == modes
    assert all(p.requires_grad for p in critic.parameters())
    assert str(random_states()) == str(states)


def test_it_measures_the_same_in_any_mode_of_torch() -> None:
    monitor, net, critic = Monitor(points()), nn.Linear(2, 3), nn.Linear(3, 1)
    expected = without_clock(monitor.measure(lambda n: net(torch.randn(n, 2)), critic, step=0))
    with torch.inference_mode():
        assert without_clock(monitor.measure(lambda n: net(torch.randn(n, 2)), critic, step=0)) == expected
    torch.set_default_dtype(torch.float64)
    try:
        other = monitor.measure(lambda n: net(torch.randn(n, 2, dtype=torch.float32)), critic, step=0)
    finally:
        torch.set_default_dtype(torch.float32)
    assert without_clock(other) == expected


def test_more_samples_than_are_used_are_chosen_from() -> None:
    real, others, fake = points(200), points(300, 1), points(400, 2, shift=1)
    monitor = Monitor(real, others, n=50, seed=3)
    assert monitor.n == 50
    assert monitor.trained_on is not None
    for chosen, whole in ((monitor.held_out, real), (monitor.trained_on, others)):
        assert {*map(tuple, chosen)} <= {*map(tuple, whole)}
    assert monitor.measure(fake)["exact"] == Monitor(real, others, n=50, seed=3).measure(fake)["exact"]
    assert not np.array_equal(monitor.held_out, Monitor(real, others, n=50, seed=4).held_out)
    assert Monitor(real, n=50).measure(fake)["floor"] > 0, "of other held-out samples"
    assert "floor" not in Monitor(real, n=101).measure(fake)


class Counting(Dataset):
    """100,000 samples that are counted as they are read, and moved at random as by an augmentation."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, k: int) -> tuple[torch.Tensor, int]:
        self.read.append(k)
        return torch.randn(3) + k, 0


@pytest.mark.parametrize("loaded", [False, True])
def test_of_a_large_dataset_only_what_is_used_is_read(loaded) -> None:
    train, rest = Counting(), Counting()
    given = [DataLoader(side, batch_size=64, shuffle=True) if loaded else side for side in (rest, train)]
    before = torch.get_rng_state()
    first = Monitor(*given, n=20)
    assert torch.equal(torch.get_rng_state(), before)
    assert (len(rest.read), len(train.read)) == (40, 20)
    assert max(rest.read) > 10_000, "not just the first"
    np.testing.assert_array_equal(first.held_out, Monitor(*given, n=20).held_out)


def test_features_are_scored() -> None:
    real, others, fake = points(80), points(80, 1), points(80, 2, shift=0.5)
    record = Monitor(real, others, features=lambda x: x[:, :2]).measure(fake)
    assert record["frechet_distance"] == pytest.approx(frechet_distance(real[:, :2], fake[:, :2]), rel=1e-5)
    assert record["frechet_floor"] == pytest.approx(frechet_distance(real[:, :2], others[:, :2]), rel=1e-5)
    assert (record["precision"], record["recall"]) == precision_recall(real[:, :2], fake[:, :2])
    assert {*record["intervals"]} == {"exact", "floor", "frechet_distance", "precision", "recall"}


def test_of_many_features_the_distance_is_the_same() -> None:
    """Zeros beside the features change no distance, but how it is computed."""
    x, y = np.random.default_rng(0).normal(size=(2, 40, 30)) * np.arange(1, 31)
    wide = [np.hstack([side, np.zeros((40, 170))]) for side in (x, y)]
    assert frechet_distance(*wide) == pytest.approx(frechet_distance(x, y), rel=1e-9)
    record = Monitor(x, features=lambda z: torch.nn.functional.pad(z, (0, 170))).measure(y)
    assert record["frechet_distance"] == pytest.approx(frechet_distance(x, y), rel=1e-5)
    assert "frechet_distance" not in record["intervals"], "which would take 200 of them"


def test_a_plain_loop_measures_what_train_does() -> None:
    """WGAN-GP by hand, with the same networks and random numbers as a run."""
    config = Config(data="digits:3", n=100, steps=4, width=16, depth=2, latent=4, batch_size=16, n_critic=2)
    config = replace(config, monitor_every=2, monitor_n=20, objective="wgan-gp", device="cpu", precision="float32")
    run = train(config)

    samples = dataset(config, torch.device("cpu"))
    shape = samples.scaling.network_shape
    config = config.resolved(shape)
    generator, critic = build_generator(config, shape, config.seed), build_critic(config, shape, config.seed + 1)
    rates = {"betas": (0.0, 0.9), "lr": 1e-4}
    generator_steps, critic_steps = (torch.optim.Adam(net.parameters(), **rates) for net in (generator, critic))
    held_out, trained_on = (2 * side[:20].reshape(-1, 1, 8, 8) - 1 for side in (samples.held_out, samples.train_points))
    monitor = Monitor(held_out, trained_on, every=2, budget=1.0)
    drawn, objective = torch.Generator().manual_seed(config.seed), objective_of(config)

    def fake(n: int) -> torch.Tensor:
        return generator(torch.randn(n, config.latent))

    monitor.measure(fake, critic, step=0)
    for step in range(1, config.steps + 1):
        for _ in range(2):
            real = samples.batch(16, drawn)
            noise, t = torch.randn(16, 4, generator=drawn), torch.rand(16, generator=drawn)
            loss = objective.critic_loss(critic, real, generator(noise).detach(), t)
            critic_steps.zero_grad()
            loss.backward()
            critic_steps.step()
        samples.batch(16, drawn)
        generator_steps.zero_grad()
        (-critic(generator(torch.randn(16, 4, generator=drawn))).mean()).backward()
        generator_steps.step()
        if step % 2 == 0:
            monitor.measure(fake, critic, step)
    for ours, theirs in zip(monitor.history, run.measurements, strict=True):
        assert ours["step"] == theirs["step"]
        for name in (
            "exact",
            "floor",
            "sliced",
            "critic",
            "critic_trained_on",
            "lower_bound",
            "constant_bound",
            "patch",
        ):
            # Pixels of the run are in [0, 1], and networks see them in [-1, 1].
            assert ours[name] == pytest.approx(2 * theirs[name], rel=1e-5, abs=1e-6), name
        assert ours["rank_correlation"] == theirs["rank_correlation"]


@pytest.mark.parametrize("by", ["json", "torch"])
def test_a_history_goes_on(by) -> None:
    shifts = (4.0, 3.0, 3.5, 1.0, 2.0)

    def measured(monitor: Monitor, steps: range) -> Monitor:
        for step in steps:
            monitor.measure(points(seed=step, shift=shifts[step - 1]), lambda x: -(x[:, 0] ** 2), step)
        return monitor

    whole = measured(Monitor(points()), range(1, 6))
    state: Any = measured(Monitor(points()), range(1, 3)).state_dict()
    if by == "json":
        state = json.loads(json.dumps(state, allow_nan=False))
    else:
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
    again = Monitor(points())
    again.load_state_dict(state)
    measured(again, range(3, 6))
    assert [*map(without_clock, again.history)] == [*map(without_clock, whole.history)]
    assert whole.history[-1]["rank_correlation"] is not None
    assert again.history[-1]["seconds"] > again.history[1]["seconds"] > 0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda state: None, "state"),
        (lambda state: {}, "format"),
        (lambda state: {**state, "format": "another"}, "another"),
        (lambda state: {**state, "samples_sha256": "0"}, "the same held-out"),
        (lambda state: {**state, "history": [{"kind": "monitor", "step": 1}]}, "'n'"),
        (lambda state: {**state, "history": [{**state["history"][0], "exact": "x"}]}, "exact"),
        (lambda state: {**state, "history": 3}, "state"),
        (lambda state: {**state, "history": [{"kind": "losses", "step": 1}]}, "losses"),
        (lambda state: {**state, "schedule": {**state["schedule"], "spent": -1.0}}, "spent"),
        (lambda state: {**state, "schedule": {**state["schedule"], "last": 3}}, "state"),
    ],
)
def test_other_states_are_refused(change, match) -> None:
    monitor = Monitor(points())
    monitor.measure(points(seed=1))
    history = [*monitor.history]
    with pytest.raises(InvalidInput, match=match):
        monitor.load_state_dict(change(monitor.state_dict()))
    assert monitor.history == history


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("otgan.gan.schedule.time.perf_counter", lambda: self.now)


def test_measurements_keep_to_their_budget(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    monitor = Monitor(points(), budget=0.1)

    def fake(n: int) -> np.ndarray:
        clock.now += 2.0  # what a measurement takes
        return points(n)

    for step in range(1000):
        clock.now += 0.5
        if monitor.is_due(step):
            monitor.measure(fake, step=step)
        if step > 0:
            spent = sum(record["cost"] for record in monitor.history[1:])  # the first one does not wait
            assert spent <= 0.1 * (clock.now - 100.0)
    assert [record["cost"] for record in monitor.history] == [2.0] * len(monitor.history)
    assert len(monitor.history) == pytest.approx(0.1 * (clock.now - 100.0) / 2.0, abs=1)


def test_measurements_come_every_so_often(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    for every, expected in ((3, [0, 3, 6, 9]), ("2 s", [0, 4, 8]), ("0.05min", [0, 6])):
        monitor = Monitor(points(10), every=every, budget=1.0)
        steps = []
        for step in range(10):
            clock.now += 0.5
            if monitor.is_due(step):
                monitor.measure(points(10, 1), step=step)
                steps.append(step)
        assert steps == expected


def nan_from(n: int) -> torch.Tensor:
    return torch.full((n, 3), torch.nan)


@pytest.mark.parametrize(
    ("held_out", "options", "match"),
    [
        (np.full((5, 3), np.nan), {}, "held_out must be finite"),
        (np.zeros((0, 3)), {}, "held_out must hold at least one"),
        (3.0, {}, "held_out must hold samples"),
        (points(), {"n": 0}, "n must be at least 1"),
        (points(), {"shape": (2, 2)}, "shape must hold the 3 values"),
        (points(), {"shape": ()}, "shape"),
        (np.zeros((4, 2, 2, 2, 2)), {}, "shape="),
        (points(), {"trained_on": np.zeros((5, 2))}, "trained_on must have samples of shape"),
        (points(), {"patches": True}, "patches are cut from images"),
        (points(), {"patches": "yes"}, "patches must be True or False"),
        (points(), {"features": 3}, "features must be a torch module"),
        (points(), {"features": lambda x: x[:, 0]}, "features must map"),
        (points(3), {"features": nn.Identity()}, "at least 4 samples"),
        (points(), {"every": 0}, "every must be at least 1"),
        (points(), {"every": "often"}, "such as '30 s'"),
        (points(), {"budget": 0.0}, "budget must lie in"),
        (points(), {"seed": -1}, "seed"),
        (SampleSet("x", np.zeros((2, 1)), (1,), "here", weights=np.ones(2)), {}, "has weights"),
    ],
)
def test_samples_and_options_that_make_no_sense_are_refused(held_out, options, match) -> None:
    with pytest.raises(InvalidInput, match=match):
        Monitor(held_out, **options)


@pytest.mark.parametrize(
    ("fake", "critic", "error", "match"),
    [
        (np.full((60, 3), np.inf), None, InvalidInput, "fake must be finite"),
        (points(59), None, InvalidInput, "at least 60 samples.*n=59"),
        (lambda n: points(n - 1), None, InvalidInput, "at least 60 samples"),
        (points()[:, :2], None, InvalidInput, "fake must have samples of shape"),
        (nn.Linear(2, 3), None, InvalidInput, "lambda n: generator"),
        ("points", None, InvalidInput, "fake must be an array"),
        (lambda n: None, None, InvalidInput, "fake must be an array"),
        (nan_from, None, NotFinite, "the generator makes samples"),
        (points(), "critic", InvalidInput, "a critic must be a torch module"),
        (points(), lambda x: x, InvalidInput, "a critic must map"),
        (points(), lambda x: x.sum(), InvalidInput, "a critic must map"),
        (points(), lambda x: 3.0, InvalidInput, "a critic must return one tensor"),
        (points(), lambda x: x[:, 0] / 0, NotFinite, "the critic's values"),
    ],
)
def test_what_cannot_be_measured_is_refused(fake, critic, error, match) -> None:
    monitor = Monitor(points())
    with pytest.raises(error, match=match):
        monitor.measure(fake, critic)
    assert monitor.history == []


def test_a_step_must_be_one() -> None:
    monitor = Monitor(points(), every=5)
    for step in (None, -1, 1.5):
        with pytest.raises(InvalidInput, match="step must be"):
            monitor.is_due(step)  # type: ignore[arg-type]


def test_features_that_change_their_batch_change_no_samples() -> None:
    points = np.random.default_rng(0).normal(size=(40, 2))
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(2, 2)).double()
    found = Monitor(points, n=20, features=network).measure(points[::-1] + 1)
    assert found["exact"] == Monitor(points, n=20).measure(points[::-1] + 1)["exact"]


def test_features_of_a_function_are_those_of_evaluation_mode() -> None:
    points = np.random.default_rng(0).normal(size=(40, 2))
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    of_function = Monitor(points, n=20, features=lambda batch: network(batch)).measure(points + 1)
    assert all(part.training for part in network.modules())
    of_module = Monitor(points, n=20, features=network).measure(points + 1)
    assert of_function["frechet_distance"] == of_module["frechet_distance"]


@pytest.mark.parametrize(
    ("features", "why"),
    [
        (nn.LazyLinear(2), "Call it once"),
        (lambda batch: batch.to(torch.complex64), "real"),
        (lambda batch: batch.to_sparse(), "dense"),
        (lambda batch: batch.to("meta"), "on meta"),
    ],
)
def test_features_that_are_no_numbers_are_refused(features: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Monitor(np.zeros((4, 2)), n=2, features=features)


@pytest.mark.parametrize(
    "made",
    [torch.zeros(4, 2).to_sparse(), torch.zeros(4, 2, device="meta"), np.full((4, 2), "a"), np.full((4, 2), None)],
)
def test_generators_that_make_no_numbers_are_refused(made: Any) -> None:
    with pytest.raises(InvalidInput, match="array of real numbers"):
        Monitor(np.zeros((4, 2)), n=2).measure(lambda _: made)


def test_programs_that_generate_keep_their_running_means() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        program = torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    Monitor(np.zeros((8, 2)), n=4).measure(lambda n: program(torch.randn(n, 2)))
    assert not any(held.any() for held in program.buffers() if held.ndim == 0)
    assert program[1].running_mean.tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(3, 8, 6), (1, 4, 4), (3, 6, 3), (8, 6, 3), (4, 6, 3), (4, 6, 4), (3, 6, 4)])
def test_channels_are_where_data_has_them(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).normal(size=(6, *shape))
    known = channels_last(SampleSet.of(images, "images", "here"))
    monitor = Monitor(images, n=6, patches=False)
    assert monitor.layout.shape == (known.shape[:2] if known.shape[2:] == (1,) else known.shape)
    assert np.array_equal(np.sort(monitor.held_out, axis=0), np.sort(known.points, axis=0))
