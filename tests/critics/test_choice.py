"""The method "auto": all candidates begin, the best of them ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from problems import gaussians

import otgan
from otgan import InvalidInput, OTError
from otgan.critics import METHODS, fit
from otgan.critics.choice import HELD_OUT, SPLIT_SEED
from otgan.critics.methods import Auto, OrthogonalSort, Prototypes, SpectralNorm
from otgan.critics.source import sources
from otgan.critics.training import Job, Training, go_on

QUICK: dict[str, Any] = {"steps": 20, "width": 16, "depth": 2, "batch_size": 32, "device": "cpu"}
ALIKE = ("orthogonal", "orthogonal-abs", "aol")  # whose steps are equal work
CONES = ("lattice", "lattice-y", "orthogonal")


def test_the_chosen_one_goes_on_and_its_rate_is_that_of_one_long_fit() -> None:
    """A population is not split, so with one candidate there is nothing else: it is the method alone, to the bit."""

    def sampler(n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(n, 2, generator=generator)

    sides = (lambda n, generator: sampler(n, generator) + 3.0, sampler)
    held_out = gaussians(seed=1)
    auto = fit(*sides, "auto", candidates=("orthogonal",), seed=3, n_seeds=2, held_out=held_out, **QUICK)
    alone = fit(*sides, "orthogonal", seed=3, n_seeds=2, held_out=held_out, **QUICK)
    assert np.array_equal(auto.estimates, alone.estimates)
    assert np.array_equal(auto.history["held_out"], alone.history["held_out"])
    assert np.array_equal(auto.critic(held_out[0]), alone.critic(held_out[0]))
    assert auto.corrected == alone.corrected
    assert (auto.options, auto.steps, alone.choice) == (alone.options, 20, None)


def test_training_that_pauses_is_training_that_does_not() -> None:
    x, y = gaussians(n=40)
    method = OrthogonalSort(steps=20, width=8, depth=2, batch_size=16)
    source_x, source_y, _ = sources(x, y, torch.device("cpu"))
    found = []
    for stops in ((20,), (0, 1, 7, 7, 20)):
        job = Job(method, source_x, source_y, {}, torch.device("cpu"), progress=False)
        training = Training(job, method.network(2, torch.Generator().manual_seed(0)), seed=1)
        for stop in stops:
            go_on([training], stop)
        assert training.done == 20
        found.append([parameter.detach().clone() for parameter in training.network.parameters()])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@pytest.mark.parametrize("dimension", [1, 2, 16, 64, 784])
@pytest.mark.parametrize("steps", [None, 1, 10, 3000])
def test_every_candidate_would_be_as_much_work_alone(dimension: int, steps: Any) -> None:
    auto = Auto(steps=steps)
    whole = max(method.steps * method.work(dimension) for method in auto.methods().values())
    for method in auto.planned(dimension).values():
        assert method.steps * method.work(dimension) == pytest.approx(whole, abs=method.work(dimension))


@pytest.mark.parametrize("trial", [0.02, 0.2])
@pytest.mark.parametrize("n", [1, 3])
def test_all_of_it_is_the_work_of_the_longest_candidate(trial: float, n: int) -> None:
    options = {**QUICK, "steps": 200, "candidates": tuple(ALIKE)[:n], "trial": trial}
    found = fit(*gaussians(n=100, shift=2.0), "auto", **options)
    assert found.choice is not None
    others = sum(steps for name, steps in found.choice.steps.items() if name != found.choice.method)
    assert others + found.steps == pytest.approx(200, abs=2)
    assert found.history["step"][-1] == found.steps


@pytest.mark.parametrize("decay", ["none", "linear", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_with_fewer_steps_than_candidates_each_takes_one(steps: int, decay: str) -> None:
    """Nobody wins untrained, and no rate is below zero."""
    found = fit(*gaussians(n=40), "auto", **{**QUICK, "steps": steps, "decay": decay})
    assert found.choice is not None
    assert set(found.choice.steps) == {"lattice", "deep-lattice", "orthogonal"}
    assert min(found.steps, *found.choice.steps.values()) >= 1
    assert OrthogonalSort(steps=steps, decay=decay).schedule(2 * steps) == OrthogonalSort(decay=decay).falls(1.0)


def test_the_rate_falls_to_zero_before_a_comparison_and_is_what_is_due_after_it() -> None:
    rates: list[float] = []

    class Watched(OrthogonalSort):
        def step(self, network: Any, optimizer: Any, x: Any, y: Any, generators: Any) -> None:
            rates.append(optimizer.param_groups[0]["lr"])
            super().step(network, optimizer, x, y, generators)

    x, y, _ = sources(*gaussians(n=40), torch.device("cpu"))
    method = Watched(steps=100, width=8, depth=2, batch_size=16)
    job = Job(method, x, y, {}, torch.device("cpu"), progress=False)
    training = Training(job, method.network(2, torch.Generator().manual_seed(0)), seed=1)
    go_on([training], 10, settle=True)
    go_on([training], 30, settle=True)
    go_on([training], 80, lag=20)
    due = [method.learning_rate * method.schedule(step) for step in (*range(30), *range(50, 100))]
    own = [*(method.falls(k / 10) for k in range(10)), *(method.falls(k / 20) for k in range(20)), *np.ones(50)]
    np.testing.assert_allclose(rates, np.multiply(due, own))


def clustered(n: int, rng: np.random.Generator) -> np.ndarray:
    """Points as spread as a standard Gaussian in 16 dimensions, in 16 narrow clusters."""
    return rng.normal(size=(16, 16))[rng.integers(16, size=n)] + 0.1 * rng.normal(size=(n, 16))


def spread(n: int, rng: np.random.Generator) -> np.ndarray:
    """A standard Gaussian in 16 dimensions."""
    return rng.normal(size=(n, 16))


@pytest.mark.parametrize(
    ("of_x", "of_y", "tried"),
    [(clustered, spread, "lattice"), (spread, clustered, "lattice-y"), (spread, spread, "lattice")],
)
@pytest.mark.parametrize("n", [(40, 4000), (4000, 40), (1000, 1000)])
def test_of_two_sides_of_a_method_the_one_that_gathers_is_tried(
    of_x: Any, of_y: Any, tried: str, n: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    found = fit(of_x(n[0], rng), of_y(n[1], rng), "auto", candidates=CONES, **{**QUICK, "steps": 3}).choice
    assert found is not None
    assert set(found.trials) == {tried, "orthogonal"}


def test_a_side_alone_is_tried_whatever_gathers() -> None:
    found = fit(*gaussians(n=40), "auto", candidates=("lattice-y", "aol"), **{**QUICK, "steps": 3}).choice
    assert found is not None
    assert set(found.trials) == {"lattice-y", "aol"}


def test_a_step_of_a_method_is_as_much_work_as_it_has_weights() -> None:
    """So is a candidate's: its time was measured to be that, within a fifth, in 2, 16 and 64 dimensions."""
    work = {name: METHODS[name]().work(2) for name in Auto().candidates}
    assert work["lattice"] == work["lattice-y"]
    assert 1.2 < work["deep-lattice"] / work["lattice"] < 1.6
    assert 3 < work["orthogonal"] / work["lattice"] < 4.5
    assert Prototypes().work(64) < 2 * Prototypes().work(2)


def test_the_same_seed_gives_the_same_choice() -> None:
    x, y = gaussians(n=100, shift=2.0)
    one, again, other = (fit(x, y, "auto", seed=seed, **QUICK) for seed in (0, 0, 7))
    assert one.choice is not None
    assert again.choice is not None
    assert (one.choice.trials, one.choice.steps) == (again.choice.trials, again.choice.steps)
    assert one.estimate == again.estimate != other.estimate


def test_the_choice_is_recorded() -> None:
    x, y = gaussians(n=100, shift=2.0)
    found = fit(x, y, "auto", candidates=ALIKE, n_seeds=3, **QUICK)
    assert found.choice is not None
    assert found.choice.method in found.choice.trials
    assert set(found.choice.trials) == set(found.choice.steps) == set(ALIKE)
    assert found.choice.steps[found.choice.method] <= found.steps == found.history["step"][-1]
    assert found.n_seeds == 3
    assert found.seconds > found.choice.seconds > 0


def test_a_trial_is_the_beginning_of_a_fit_of_the_points_that_are_not_held_out() -> None:
    """With a constant rate its number is that of a short fit of the same seed and scaling, on the rest."""
    x, y = gaussians(n=80, shift=2.0)
    options = {"width": 16, "depth": 2, "batch_size": 32, "decay": "none", "device": "cpu", "unit": 4.0, "seed": 5}
    found = fit(x, y, "auto", candidates=("orthogonal",), steps=200, trial=0.5, **options).choice
    assert found is not None
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    k = round(HELD_OUT * 80)
    orders = [torch.randperm(80, generator=generator).numpy() for _ in range(2)]
    (seen_x, held_x), (seen_y, held_y) = (
        (side[order[k:]], side[order[:k]]) for side, order in zip((x, y), orders, strict=True)
    )
    steps = found.steps["orthogonal"]
    short = fit(seen_x, seen_y, "orthogonal", steps=steps, held_out=(held_x, held_y), **options)
    assert found.trials["orthogonal"] == pytest.approx(short.held_out, rel=0.05)  # the centre is another


def test_no_point_that_the_caller_holds_out_has_a_part_in_the_choice() -> None:
    x, y = gaussians(n=60)
    fits = [fit(x, y, "auto", held_out=held_out, **QUICK) for held_out in (None, (y, x), gaussians(seed=4))]
    assert fits[0].choice is not None
    for found in fits[1:]:
        assert found.choice is not None
        assert found.choice.trials == fits[0].choice.trials
        assert found.estimate == fits[0].estimate


def test_sides_that_change_places_change_the_side_of_the_cones() -> None:
    rng = np.random.default_rng(0)
    gathered, spread = 0.05 * rng.normal(size=(300, 2)), 3 * rng.normal(size=(300, 2))
    there, back = (
        fit(*sides, "auto", candidates=CONES, **{**QUICK, "steps": 60}).choice
        for sides in ((gathered, spread), (spread, gathered))
    )
    assert there is not None
    assert back is not None
    exchanged = {"lattice": "lattice-y", "lattice-y": "lattice", "orthogonal": "orthogonal"}
    assert back.method == exchanged[there.method]


def test_a_better_critic_is_chosen_over_one_that_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpectralNorm, "step", lambda *_: None)
    x, y = gaussians(n=100, shift=4.0)
    for candidates in (("spectral", "orthogonal"), ("orthogonal", "spectral")):
        found = fit(x, y, "auto", candidates=candidates, trial=0.5, **{**QUICK, "steps": 100}).choice
        assert found is not None
        assert found.method == "orthogonal"


def test_a_candidate_that_diverges_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpectralNorm, "estimates", lambda *_: torch.full((1,), torch.nan))
    x, y = gaussians()
    found = fit(x, y, "auto", candidates=("spectral", "aol"), **QUICK).choice
    assert found is not None
    assert (found.method, set(found.trials)) == ("aol", {"aol"})
    with pytest.raises(OTError, match="'spectral' diverged"):
        fit(x, y, "auto", candidates=("spectral",), **QUICK)


def test_populations_are_tried_on_fresh_points() -> None:
    def sampler(n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(n, 2, generator=generator)

    found = fit(lambda n, generator: sampler(n, generator) + 3.0, sampler, "auto", trial=0.5, **QUICK)
    assert found.choice is not None
    assert 0 < max(found.choice.trials.values()) <= 3 * 2**0.5 + 0.1


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_points_are_trained_on_and_compared_on(n: int) -> None:
    x, y = gaussians(n)
    found = fit(x, y + 5.0, "auto", **QUICK)
    assert found.choice is not None
    assert found.estimate <= otgan.solve(x, y + 5.0).upper * (1 + 1e-5)


def test_reports_say_what_was_chosen_and_why() -> None:
    x, y = gaussians(n=60, shift=2.0)
    found = fit(x, y, "auto", **QUICK)
    assert found.choice is not None
    report = found.compare(otgan.solve(x, y))
    assert report.method == "auto"
    assert report.as_dict()["choice"]["method"] == found.choice.method
    said = report.explain()
    assert said.startswith(f"It is a critic of the method {found.choice.method}, chosen by points held out")
    assert all(name in said for name in found.choice.trials)
    assert (
        found.choice.method not in fit(x, y, found.choice.method, **found.options).compare(otgan.solve(x, y)).explain()
    )


def test_a_choice_of_one_says_no_why() -> None:
    x, y = gaussians()
    said = fit(x, y, "auto", candidates=("aol",), **QUICK).compare(otgan.solve(x, y)).explain()
    assert said.startswith("It is a critic of the method aol. ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"candidates": ()}, "candidates must be a tuple"),
        ({"candidates": "orthogonal"}, "candidates must be a tuple"),
        ({"candidates": ("gp",)}, "candidates must be one of"),
        ({"trial": 0.0}, "trial must lie"),
        ({"trial": 0.6}, "trial must lie"),
    ],
)
def test_senseless_choices_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        fit(*gaussians(), "auto", **options)
