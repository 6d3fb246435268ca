"""One configuration for Python, the command line and checkpoints."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otgan import InvalidInput
from otgan.gan.config import LIPSCHITZ_CRITICS, OBJECTIVES, RECIPES, Config


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_a_recipe_and_survives_json(objective) -> None:
    config = Config(objective=objective, data="mnist:8", n_critic=3)
    assert Config.from_json(config.to_json()) == config
    whole = config.resolved((1, 28, 28))
    assert Config.from_json(whole.to_json()) == whole
    assert whole.resolved((1, 28, 28)) == whole
    assert whole.recipe == config.recipe
    assert config.recipe.n_critic_boosted == 3


def test_numbers_of_numpy_become_pythons_own() -> None:
    numbers: dict[str, Any] = {"n": np.int64(20), "learning_rate": np.float32(0.5), "seed": np.uint8(3)}
    given = Config(**numbers, beta1=cast("float", Fraction(1, 2)), steps=cast("int", np.int32(7)))
    assert given == Config(n=20, learning_rate=0.5, seed=3, beta1=0.5, steps=7)
    assert Config.from_json(given.to_json()) == given


@pytest.mark.parametrize("changes", [{"seed": 2**63}, {"width": 10**12}, {"steps": None}, {"seed": None}, {"n": 2.0}])
def test_numbers_without_sense_are_refused(changes) -> None:
    with pytest.raises(InvalidInput, match=next(iter(changes))):
        Config(**changes)


@given(
    st.builds(
        Config,
        data=st.text(min_size=1),
        steps=st.integers(1, 10**9),
        learning_rate=st.none() | st.floats(1e-9, 1.0),
        seed=st.integers(0, 2**40),
        latent=st.integers(1, 1000),
        compile=st.booleans(),
    )
)
def test_any_configuration_survives_json(config: Config) -> None:
    assert Config.from_json(config.to_json()) == config


def test_the_papers_settings_are_the_defaults() -> None:
    wgan, gp = Config(objective="wgan").recipe, Config(objective="wgan-gp").recipe
    assert (wgan.optimizer, wgan.learning_rate, wgan.clip, wgan.n_critic, wgan.batch_size) == (
        "rmsprop",
        5e-5,
        0.01,
        5,
        64,
    )
    assert (gp.optimizer, gp.learning_rate, gp.beta1, gp.beta2) == ("adam", 1e-4, 0.0, 0.9)
    assert (gp.gp_weight, gp.n_critic) == (10.0, 5)
    assert set(RECIPES) == set(OBJECTIVES)


def test_what_is_given_goes_before_the_recipe() -> None:
    recipe = Config(objective="wgan", optimizer="adam", beta1=0.5, critic_learning_rate=1e-3, clip=0.1).recipe
    assert (recipe.optimizer, recipe.beta1, recipe.critic_learning_rate, recipe.learning_rate, recipe.clip) == (
        "adam",
        0.5,
        1e-3,
        5e-5,
        0.1,
    )


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().steps = 3  # type: ignore[misc]


@pytest.mark.parametrize("objective", ["wgan-gp", "wgan-lp", "r3gan"])
def test_batch_norm_under_a_penalty_is_refused_with_the_reason(objective) -> None:
    with pytest.raises(InvalidInput, match="batch norm makes a point's value depend on the whole batch"):
        Config(objective=objective, batch_norm=True)
    assert Config(objective=objective).resolved((1, 28, 28)).batch_norm is False


def test_batch_norm_is_the_default_where_the_papers_have_it() -> None:
    assert Config(objective="wgan").resolved((1, 28, 28)).batch_norm is True
    assert Config(objective="wgan", batch_norm=False).resolved((1, 28, 28)).batch_norm is False
    assert Config(objective="wgan").resolved((2,)).batch_norm is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "wgan-gb"}, "objective must be one of 'minimax'"),
        ({"objective": "wgan", "gp_weight": 1.0}, "gp_weight belongs to the objectives wgan-gp"),
        ({"objective": "wgan-gp", "clip": 0.1}, "clip belongs to objective 'wgan'"),
        ({"objective": "wgan", "beta1": 0.5}, "belong to adam"),
        ({"objective": "wgan", "critic": "orthogonal"}, "nothing to constrain"),
        ({"objective": "wgan-lipschitz", "critic": "network"}, "needs a critic that is 1-Lipschitz"),
        ({"objective": "minimax", "critic": "aol", "batch_norm": True}, "'aol' has no batch norm"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate must lie in"),
        ({"learning_rate": 0.0}, "learning_rate must lie in"),
        ({"ema_decay": 1.0}, "ema_decay must be below 1"),
        ({"batch_norm": 1, "objective": "wgan"}, "batch_norm must be True or False"),
        ({"compile": "yes"}, "compile must be True or False"),
        ({"data": ""}, "data must be a built-in name or a path"),
        ({"device": 0}, "device must be the name of a torch device"),
        ({"precision": "float16"}, "precision must be one of"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(options, message) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        Config(**options)
    assert "\n" not in str(caught.value)


def test_batch_norm_in_an_mlp_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'mlp' has no batch norm"):
        Config(objective="wgan", batch_norm=True).resolved((2,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON"),
        ("[1]", "must be a JSON object"),
        (json.dumps({"stepps": 3}), "no option 'stepps'"),
        (json.dumps({"steps": "3"}), "steps must be a whole number"),
    ],
)
def test_json_that_is_no_configuration_is_refused(text, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        Config.from_json(text)


def test_the_lipschitz_critics_are_those_of_critics() -> None:
    from otgan.critics import METHODS

    for name in LIPSCHITZ_CRITICS:
        assert name == "orthogonal-conv" or METHODS[name].exact_lipschitz
