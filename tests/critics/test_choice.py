"""The method "auto": the best of the trials, trained as if it had been named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from problems import gaussians

import otgan
from otgan import InvalidInput, OTError
from otgan.critics import fit
from otgan.critics.choice import HELD_OUT, SEED, SPLIT_SEED, choose
from otgan.critics.methods import Auto, OrthogonalAbs, SpectralNorm
from otgan.critics.source import Sample, sources

QUICK: dict[str, Any] = {"steps": 60, "width": 16, "depth": 2, "batch_size": 32, "device": "cpu"}


def test_the_fit_is_to_the_bit_that_of_the_method_chosen() -> None:
    x, y = gaussians(n=100, shift=2.0)
    held_out = gaussians(seed=1)
    auto = fit(x, y, "auto", seed=3, n_seeds=2, held_out=held_out, **QUICK)
    assert auto.choice is not None
    alone = fit(x, y, auto.choice.method, seed=3, n_seeds=2, held_out=held_out, device="cpu", **auto.options)
    assert np.array_equal(auto.estimates, alone.estimates)
    assert np.array_equal(auto.history["held_out"], alone.history["held_out"])
    assert np.array_equal(auto.critic(x), alone.critic(x))
    assert auto.corrected == alone.corrected
    assert (auto.steps, alone.choice) == (60, None)
    assert auto.seconds > auto.choice.seconds


def test_how_long_trials_are() -> None:
    steps = {10: 10, 50: 50, 100: 50, 500: 50, 600: 60, 3000: 300}
    assert {k: Auto().trial_steps(k) for k in steps} == steps


def test_what_said_most_in_its_trial_is_chosen_whatever_the_seed() -> None:
    x, y = gaussians(n=100, shift=2.0)
    fits = [fit(x, y, "auto", seed=seed, trial=0.5, **QUICK) for seed in (0, 7)]
    for found in fits:
        assert found.choice is not None
        assert found.choice.trials[found.choice.method] == max(found.choice.trials.values())
        assert tuple(found.choice.trials) == Auto().candidates
        assert set(found.choice.steps.values()) == {50}
    assert fits[0].choice.trials == fits[1].choice.trials  # type: ignore[union-attr]
    assert fits[0].estimate != fits[1].estimate


def test_a_trial_is_a_short_fit_of_the_points_that_are_not_held_out() -> None:
    """The number of a trial is that of a fit of the same seed, steps and scaling, on the rest."""
    x, y = gaussians(n=80, shift=2.0)
    chosen, choice = choose(
        Auto(candidates=("orthogonal-abs",), steps=60, width=16, depth=2, batch_size=32), *_sides(x, y), progress=False
    )
    assert isinstance(chosen, OrthogonalAbs)
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    k = round(HELD_OUT * 80)
    orders = [torch.randperm(80, generator=generator).numpy() for _ in range(2)]
    (seen_x, held_x), (seen_y, held_y) = (
        (side[order[k:]], side[order[:k]]) for side, order in zip((x, y), orders, strict=True)
    )
    options = {**QUICK, "steps": choice.steps["orthogonal-abs"]}
    short = fit(seen_x, seen_y, "orthogonal-abs", seed=SEED, held_out=(held_x, held_y), **options)
    assert choice.trials["orthogonal-abs"] == pytest.approx(short.held_out, rel=0.05)  # the centre is another


def test_no_point_that_the_caller_holds_out_has_a_part_in_the_choice() -> None:
    x, y = gaussians(n=60)
    fits = [fit(x, y, "auto", held_out=held_out, **QUICK) for held_out in (None, (y, x), gaussians(seed=4))]
    assert fits[0].choice is not None
    for found in fits[1:]:
        assert found.choice is not None
        assert found.choice.trials == fits[0].choice.trials
        assert found.estimate == fits[0].estimate


def test_a_better_critic_is_chosen_over_one_that_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpectralNorm, "step", lambda *_: None)
    x, y = gaussians(n=100, shift=4.0)
    for candidates in (("spectral", "orthogonal"), ("orthogonal", "spectral")):
        found = fit(x, y, "auto", candidates=candidates, trial=1.0, **QUICK).choice
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

    found = fit(lambda n, generator: sampler(n, generator) + 3.0, sampler, "auto", trial=1.0, **QUICK)
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
    assert said.startswith(f"It is a critic of the method {found.choice.method}, which said most on points held out")
    assert all(name in said for name in Auto().candidates)
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
        ({"trial": 1.5}, "trial must lie"),
    ],
)
def test_senseless_choices_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        fit(*gaussians(), "auto", **options)


def _sides(x: np.ndarray, y: np.ndarray) -> tuple[Sample, Sample, float, torch.device]:
    """What a choice sees of two samples."""
    source_x, source_y, scaling = sources(x, y, torch.device("cpu"))
    assert isinstance(source_x, Sample)
    assert isinstance(source_y, Sample)
    return source_x, source_y, scaling.unit, torch.device("cpu")
