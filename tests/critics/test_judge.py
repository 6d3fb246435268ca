"""Critics that were not trained here: what is said of them, and that they are left as they were."""

from __future__ import annotations

import hashlib
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import otgan
from otgan.critics import judge
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

TRAINING_ONLY = ("method", "corrected", "trend", "steps", "seconds", "seconds_to_5_percent")
SIDE = 8


@cache
def plane() -> otgan.Solution:
    rng = np.random.default_rng(0)
    return otgan.solve(rng.normal(size=(40, 2)), rng.normal(size=(30, 2)) + 2)


@cache
def images() -> otgan.Solution:
    rng = np.random.default_rng(1)
    return otgan.solve(rng.uniform(size=(24, SIDE**2)), 0.5 * rng.uniform(size=(20, SIDE**2)))


@pytest.mark.parametrize(("method", "n_seeds"), [("clip", 1), ("gp", 3), ("orthogonal", 2), ("prototypes", 1)])
def test_critics_trained_here_get_what_their_fit_says(method: str, n_seeds: int) -> None:
    cost: Any = plane().problem.cost
    held_out = (cost.x[:10] + 0.1, cost.y[:10] - 0.1)
    fit = otgan.critics.fit(cost.x, cost.y, method, n_seeds=n_seeds, steps=20, held_out=held_out)
    expected, said = asdict(fit.compare(plane())), asdict(judge(fit.critics, plane(), held_out=held_out))
    for name in TRAINING_ONLY:
        del expected[name], said[name]
    assert said == expected
    assert judge(fit, plane()) == fit.compare(plane())


def test_truths_with_weights_and_pairs_are_truths_too() -> None:
    rng = np.random.default_rng(2)
    weighted = otgan.solve([[0.0], [4.0]], [[1.0], [2.0], [9.0]], a=[3.0, 1.0], b=[2.0, 2.0, 0.0])
    report = judge(lambda points: -points[:, 0], weighted)
    assert report.estimate == pytest.approx(-4 + 6)
    pair = otgan.pairs.random_funnels(3, 4, seed=0)
    centre = rng.normal(size=3).astype(np.float32)
    report = judge(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)), pair)
    assert (report.truth, report.exact) == ("population", pair.w1[0])
    assert report.lower_bound is not None
    several = judge([lambda x: x @ torch.as_tensor(centre), lambda x: x[:, 0]], pair)
    assert several.n_seeds == 2
    assert several.cosine_interval is not None


# Programs of others' style, in training mode as training leaves them.


def clipped() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 16), nn.BatchNorm1d(16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


class Penalised(nn.Module):
    """Convolutions, dropout, and a residual sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.last = nn.Linear(4 * SIDE**2, 1)
        self.seen: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.first(x))
        h = self.drop(h + self.second(h))
        return self.last(h.flatten(1)).squeeze(1)


def spectral() -> nn.Module:
    layers = [nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 4, 4, stride=2)), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, nn.utils.spectral_norm(nn.Linear(4 * 9, 1)))


PROGRAMS: dict[str, Callable[[], nn.Module]] = {"clip": clipped, "penalty": Penalised, "spectral": spectral}


def trained(name: str) -> nn.Module:
    """A critic after two steps, with gradients and running means."""
    torch.manual_seed(0)
    critic = PROGRAMS[name]()
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(2):
        optimiser.zero_grad()
        (critic(torch.rand(8, 1, SIDE, SIDE)) - critic(torch.zeros(8, 1, SIDE, SIDE))).mean().backward()
        optimiser.step()
    return critic


def fingerprint(critic: nn.Module) -> str:
    """A hash of every tensor, its place in memory, every mode, and torch's random state."""
    held = hashlib.sha256(torch.get_rng_state().numpy().tobytes())
    for name, part in critic.named_modules():
        held.update(repr((name, part.training, sorted(vars(part)))).encode())
        tensors = {**part._parameters, **part._buffers, **vars(part)}
        for key, tensor in tensors.items():
            if isinstance(tensor, torch.Tensor):
                content = tensor.detach().numpy().tobytes()
                grad = b"" if not tensor.is_leaf or tensor.grad is None else tensor.grad.numpy().tobytes()
                held.update(repr((key, id(tensor), tensor.data_ptr(), tensor.requires_grad)).encode() + content + grad)
    return held.hexdigest()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("way", ["module", "function", "method", "uncopyable", "compiled"])
def test_critics_are_left_as_they_were(name: str, way: str) -> None:
    critic = trained(name)
    given: Any = critic
    if way == "function":
        given = lambda batch: critic(batch)  # noqa: E731
    elif way == "method":
        given = critic.forward if name == "penalty" else critic.__call__
    elif way == "uncopyable":
        critic.stream = (number for number in range(3))  # type: ignore[assignment]
    elif way == "compiled":
        given = torch.compile(critic, backend="eager")
    before = fingerprint(critic)
    report = judge(given, images(), shape=(1, SIDE, SIDE))
    assert fingerprint(critic) == before
    with torch.no_grad():
        critic.eval()
        cost: Any = images().problem.cost
        values = [
            critic(torch.as_tensor(side).float().reshape(-1, 1, SIDE, SIDE)).double() for side in (cost.x, cost.y)
        ]
    assert report.estimate == pytest.approx(float(values[0].mean() - values[1].mean()), rel=1e-6, abs=1e-9)


def test_a_critic_is_left_as_it_was_when_judging_fails() -> None:
    critic = trained("clip")
    before = fingerprint(critic)
    calls = []

    def fails(batch: torch.Tensor) -> torch.Tensor:
        calls.append(len(batch))
        if len(calls) > 1:
            raise RuntimeError("out of patience")
        return critic(batch)

    with pytest.raises(InvalidInput, match="patience"):
        judge(fails, images(), shape=(1, SIDE, SIDE))
    assert fingerprint(critic) == before


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_judging_works_where_gradients_are_off(mode: Any) -> None:
    critic = trained("penalty").requires_grad_(False)
    expected = judge(critic, images(), shape=(1, SIDE, SIDE))
    with mode():
        assert judge(critic, images(), shape=(1, SIDE, SIDE)) == expected
    assert not any(weight.requires_grad for weight in critic.parameters())


@pytest.mark.parametrize(("dtype", "apart"), [(torch.float64, 1e-6), (torch.float16, 3e-3), (torch.bfloat16, 3e-2)])
def test_networks_of_other_types_are_called_with_theirs(dtype: torch.dtype, apart: float) -> None:
    expected = judge(trained("clip"), images(), shape=(1, SIDE, SIDE))
    seen = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.critic = trained("clip").to(dtype)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.dtype if isinstance(x.dtype, torch.dtype) else dtype)  # or torch.fx looks into it
            return self.critic(x)

    said = judge(Watched(), images(), shape=(1, SIDE, SIDE))
    assert set(seen) <= {dtype, torch.float64}  # slopes are taken in double precision
    assert dtype in seen
    assert said.estimate == pytest.approx(expected.estimate, rel=10 * apart, abs=apart)
    assert said.cosine == pytest.approx(expected.cosine, abs=apart)


def test_programs_are_critics_too() -> None:
    critic = trained("clip").eval()
    expected = judge(critic, images(), shape=(1, SIDE, SIDE))
    batch = torch.export.Dim("batch", min=2, max=10_000)
    example = torch.rand(4, 1, SIDE, SIDE)
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        scripted = torch.jit.script(critic)
    exported = torch.export.export(critic, (example,), dynamic_shapes=({0: batch},))
    for program in (scripted, exported, exported.module()):
        said = judge(program, images(), shape=(1, SIDE, SIDE))
        assert said.estimate == pytest.approx(expected.estimate, rel=1e-6)
        assert said.lower_bound == pytest.approx(expected.lower_bound, rel=1e-6)
        assert said.cosine == pytest.approx(expected.cosine, rel=1e-6)


wild = st.sampled_from(
    [
        lambda x: torch.sign(x[:, 0] - 0.5),
        lambda x: torch.floor(3 * x).sum(dim=1),
        lambda x: (x > 1).any(dim=1).float(),
        lambda x: 1e6 * torch.sin(1e3 * x).sum(dim=1),
        lambda x: torch.exp(x.abs().sum(dim=1)),
        lambda x: torch.zeros(len(x)),
        lambda x: -x.norm(dim=1),
        lambda x: torch.randint(100, (len(x),)),
        lambda x: x[:, 0].long(),
    ]
)


@given(wild, st.integers(0, 100), st.sampled_from([1e-8, 1e-3, 1.0, 1e8]))
def test_the_repaired_bound_of_anything_is_below_the_exact_value(
    critic: Callable[[torch.Tensor], torch.Tensor], seed: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 12, size=2)
    truth = otgan.solve(scale * rng.normal(size=(n, 2)), scale * (rng.normal(size=(m, 2)) + rng.normal(size=2)))
    report = judge(lambda x: critic(x / scale), truth)
    assert report.lower_bound is not None
    assert report.constant_bound is not None
    assert max(report.lower_bound, report.constant_bound) <= truth.upper
    assert report.lipschitz_certified is None
    assert report.explain()


def test_a_jump_is_seen_as_a_slope_that_the_search_raises() -> None:
    truth = otgan.solve([[0.0, 0.0], [0.3, 0.1]], [[1.0, 1.0], [0.9, 0.2]])
    smooth = judge(lambda x: 2 * x[:, 0], truth)
    jump = judge(lambda x: torch.sign(x[:, 0] - 0.5), truth)
    assert smooth.lipschitz_observed == pytest.approx(2, rel=1e-6)
    assert jump.lipschitz_observed > 1e5
    # A hump between the points, where none of them is: pairs of points know nothing of it, the search finds it.
    steep = judge(lambda x: x[:, 0] + 0.02 * torch.sin(500 * x[:, 0]), truth)
    assert 9 < steep.lipschitz_observed <= 11 * (1 + 1e-6)


def test_sentences_say_what_the_numbers_say() -> None:
    cost: Any = plane().problem.cost
    direction = torch.as_tensor(cost.x.mean(axis=0) - cost.y.mean(axis=0))
    direction = (direction / direction.norm()).float()
    steep = judge(lambda x: 3 * x @ direction, plane(), held_out=(cost.x[:5], cost.y[:5])).explain()
    assert "times the exact distance" in steep
    assert "slope reaches 3" in steep
    assert "point along the way" in steep
    assert "held out" in steep
    against = judge(lambda x: -x @ direction, plane()).explain()
    assert "is negative" in against
    assert "two samples swapped" in against
    assert "divided by its slope" not in judge(lambda x: -3 * x @ direction, plane()).explain()
    assert "do not follow" in against
    same = otgan.solve(cost.x, cost.x)
    assert "nothing to move" in judge(lambda x: x[:, 0], same).explain()
    layer = judge(nn.Sequential(nn.Linear(2, 4), nn.LayerNorm(4), nn.Linear(4, 1)), plane())
    assert layer.uncertified == "layer 1 (LayerNorm)"
    assert "layer 1 (LayerNorm)" in layer.explain()


@pytest.mark.parametrize(
    ("critic", "options", "message"),
    [
        (7, {}, "torch module or a function"),
        ([], {}, "empty list"),
        (lambda x: x, {}, r"maps 3 points to \(3, 2\)"),
        (lambda x: (x[:, 0], x), {}, "one tensor"),
        (lambda x: x[:, 0] / 0, {}, "NaN or inf"),
        (lambda x: torch.sqrt(x[:, 0]), {}, "NaN or inf"),
        (nn.Linear(3, 1), {}, "raised RuntimeError"),
        (nn.Linear(2, 1), {"shape": (1, 3, 3)}, "shape must have as many numbers"),
        (nn.Linear(2, 1), {"device": "nowhere"}, "device"),
        (nn.Linear(2, 1), {"held_out": np.zeros((3, 2))}, "held_out"),
        (nn.Linear(2, 1), {"held_out": (np.zeros((3, 1)), np.zeros((3, 1)))}, "2 columns"),
        (lambda x: torch.sqrt((x[:, 0] * 0).abs()), {}, "finite gradients"),
    ],
)
def test_what_is_no_critic_of_these_points_is_refused(critic: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        judge(critic, plane(), **options)


@pytest.mark.parametrize("truth", [3.0, None, otgan.solve_cost(np.eye(3))])
def test_other_truths_are_refused(truth: Any) -> None:
    with pytest.raises(InvalidInput, match="truth"):
        judge(nn.Linear(2, 1), truth)
    with pytest.raises(InvalidInput, match="p=1"):
        judge(nn.Linear(2, 1), otgan.solve([[0.0, 1.0]], [[1.0, 1.0]], p=2))


class Restless(nn.Module):
    """Changes whatever it holds each time that it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.register_buffer("late", None)
        self.plain = torch.zeros(1)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        self.weight.data.mul_(1.5)
        self.plain.add_(1)
        self.late = torch.ones(1)
        self.register_buffer("new", torch.ones(1))
        return points @ self.weight


def test_what_a_function_calls_is_put_back_with_its_weights_tables_and_modes() -> None:
    x, y = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 0.0], [4.0, 1.0]])
    network = Restless()
    otgan.critics.judge(lambda points: network(points), otgan.solve(x, y))
    assert network.weight.tolist() == [1, 1]
    assert network.plain.tolist() == [0]
    assert dict(network._buffers) == {"late": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        script = torch.jit.script(nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1)))
    otgan.critics.judge(script, otgan.solve(x, y))
    assert script.training


def test_a_method_of_a_module_is_judged_as_a_whole_in_evaluation_mode() -> None:
    class Scores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def score(self, points: torch.Tensor) -> torch.Tensor:
            return self.layer(points) + (1e3 * torch.rand(1) if self.training else 0)

    x, y = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 0.0], [4.0, 1.0]])
    network = Scores()
    found, slope = otgan.critics.judge(network.score, otgan.solve(x, y)), network.layer.weight.detach().numpy()[0]
    assert found.estimate == pytest.approx(slope @ (x - y).mean(axis=0), rel=1e-5)
    assert network.training
    assert found.lipschitz_certified is not None


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_a_critic_that_changes_its_points_changes_none_of_the_callers(dtype: torch.dtype) -> None:
    x, y = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 0.0], [4.0, 1.0]])
    truth = otgan.solve(x, y)
    layer = nn.Linear(2, 1)
    network = nn.Sequential(nn.ReLU(inplace=True), layer).to(dtype)
    report = otgan.critics.judge(network, truth)
    slope = layer.weight.detach().double().numpy()[0]
    assert report.estimate == pytest.approx(slope @ (x - y).mean(axis=0), abs=0.01)
    bound = report.lipschitz_certified
    assert bound is not None
    assert report.lipschitz_observed <= bound * (1 + 1e-12)
    as_function = otgan.critics.judge(lambda points: network(points), truth)  # in the only type that it can take
    assert as_function.estimate == report.estimate
    assert as_function.lipschitz_observed <= bound * (1 + 1e-12)


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_weights_that_are_computed_are_the_same_for_both_constants(kind: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 4)) + 1
    network = getattr(nn.utils.parametrizations, kind)(nn.Linear(4, 1))
    before = network.weight.detach().clone()
    name = "original" if kind == "spectral_norm" else "original1"
    for seed in range(4):
        weight = getattr(network.parametrizations.weight, name)
        weight.data.normal_(generator=torch.Generator().manual_seed(seed))
        report = otgan.critics.judge(network, otgan.solve(x, y))
        assert report.lipschitz_certified is not None
        assert report.lipschitz_observed <= report.lipschitz_certified
    assert not torch.equal(network.weight, before)  # still computed from what it is computed from


@pytest.mark.parametrize(
    ("critic", "why"),
    [
        (lambda points: points[:, 0].to(torch.complex64), "real numbers"),
        (lambda points: points[:, 0].to_sparse(), "dense"),
        (nn.Linear(2, 1, device="meta"), "weights"),
        (nn.LazyLinear(1), "Call it once"),
        (lambda points: points[:3, 0] if len(points) == 3 else 1 / 0, "ZeroDivisionError"),
    ],
)
def test_critics_that_are_none_are_refused(critic: Any, why: str) -> None:
    rng = np.random.default_rng(0)
    truth = otgan.solve(rng.normal(size=(5, 2)), rng.normal(size=(6, 2)))
    with pytest.raises(otgan.InvalidInput, match=why):
        otgan.critics.judge(critic, truth)


def test_the_shape_of_a_sample_is_a_sequence() -> None:
    with pytest.raises(otgan.InvalidInput, match="shape must be that of one sample"):
        otgan.critics.judge(nn.Linear(1, 1), otgan.solve([0.0], [1.0]), shape=1)  # type: ignore[arg-type]


def test_points_that_the_critics_numbers_cannot_tell_apart_are_refused() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    for far, scale in ((1e8, 1.0), (0.0, 1e-60)):
        truth = otgan.solve(far + scale * x, far + scale * y)
        with pytest.raises(otgan.InvalidInput, match="in double precision"):
            otgan.critics.judge(nn.Linear(2, 1), truth)
        assert otgan.critics.judge(nn.Linear(2, 1, bias=False).double(), truth).estimate != 0


def test_threads_leave_a_module_in_the_mode_that_they_found_it_in() -> None:
    rng = np.random.default_rng(0)
    truth = otgan.solve(rng.normal(size=(9, 2)), rng.normal(size=(9, 2)))
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda _: judge(lambda points: network(points), truth).estimate, range(6)))
    assert len(set(found)) == 1
    assert all(part.training for part in network.modules())


def test_partial_transport_is_no_truth_about_a_critic() -> None:
    x, y = np.arange(6.0), np.arange(6.0) + 1
    with pytest.raises(InvalidInput, match="mass"):
        judge(lambda points: -points[:, 0], otgan.solve(x, y, mass=0.5))
