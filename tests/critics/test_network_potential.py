"""A trained critic as a potential: the same function, with rays of slope one along which mass can be moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import otgan
from otgan.errors import InvalidInput
from otgan.pairs import LipschitzNetwork, Rays


def fitted(**options: Any) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 8)), rng.normal(size=(200, 8)) + np.eye(8)[0] * 3 + 5
    settings = {"method": "orthogonal", "width": 8, "depth": 3, "steps": 20, "unit": 2.0, **options}
    return otgan.critics.fit(x, y, **settings).critic, y


@pytest.mark.parametrize("activation", ["maxmin", "groupsort", "fullsort"])
def test_it_is_the_critic_in_double_precision_and_its_rays_move_mass_optimally(activation: str) -> None:
    critic, y = fitted(activation=activation)
    u = LipschitzNetwork.of(critic)
    values = u.values(y)
    np.testing.assert_allclose(values - values.mean(), critic(y) - critic(y).mean(), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(u.gradient(y), axis=1), 1.0, rtol=1e-12)
    pair = Rays(y, u, shares=0.7, direction="up")
    x, y, _ = pair.support()
    assert otgan.solve(x, y).value == pytest.approx(pair.w1[0], rel=1e-9)
    assert pair.w1[0] > 0.01


def test_wide_critics_have_no_rays() -> None:
    critic, y = fitted(width=32)
    with pytest.raises(InvalidInput, match="nothing can be moved"):
        Rays(y, LipschitzNetwork.of(critic))


@pytest.mark.parametrize("options", [{"method": "gp"}, {"method": "orthogonal-abs"}])
def test_other_critics_are_refused(options: dict[str, Any]) -> None:
    critic, _ = fitted(**options)
    with pytest.raises(InvalidInput, match="orthonormal"):
        LipschitzNetwork.of(critic)
