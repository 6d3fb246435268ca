"""Shifts, rotations and noise of images: those that move pixels onto pixels are known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from otgan.data import load
from otgan.errors import InvalidInput
from otgan.pairs import Jitter
from otgan.pairs.jitter import _placed

IMAGES = np.random.default_rng(0).uniform(size=(3, 7, 7))
COLOUR = np.random.default_rng(1).uniform(size=(3, 5, 8, 3))
STILL, NOWHERE = np.zeros(3), np.zeros((3, 2))


@pytest.mark.parametrize("images", [IMAGES, COLOUR], ids=["grey", "colour"])
def test_what_is_not_moved_stays_as_it_is(images: np.ndarray) -> None:
    np.testing.assert_array_equal(_placed(images, STILL, NOWHERE), images)


@pytest.mark.parametrize("images", [IMAGES, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("step", [1, -2])
def test_whole_pixels_are_shifted_and_zeros_come_in(images: np.ndarray, axis: int, step: int) -> None:
    shifts = NOWHERE.copy()
    shifts[:, axis] = step
    expected = np.roll(images, -step, axis=axis + 1)
    edge = np.s_[-step:] if step > 0 else np.s_[:-step]
    expected[(slice(None), edge) if axis == 0 else (slice(None), slice(None), edge)] = 0.0
    np.testing.assert_array_equal(_placed(images, STILL, shifts), expected)


@pytest.mark.parametrize("turns", [1, 2, -1])
def test_quarter_turns(turns: int) -> None:
    turned = _placed(IMAGES, np.full(3, -turns * math.pi / 2), NOWHERE)
    np.testing.assert_allclose(turned, np.rot90(IMAGES, turns, axes=(1, 2)), atol=1e-13)


def test_half_a_pixel_is_the_mean_of_two() -> None:
    shifted = _placed(IMAGES, STILL, np.tile([0.0, 0.5], (3, 1)))
    np.testing.assert_allclose(shifted[:, :, :-1], (IMAGES[:, :, :-1] + IMAGES[:, :, 1:]) / 2, atol=1e-13)
    np.testing.assert_allclose(shifted[:, :, -1], IMAGES[:, :, -1] / 2, atol=1e-13)


def test_every_image_gets_its_own_and_stays_close() -> None:
    one = np.tile(load("digits:8").points[:1], (300, 1))
    moved = Jitter(shift=0.25, rotation=5.0).apply(one, (8, 8), np.random.default_rng(0))
    assert len(np.unique(moved, axis=0)) == 300
    assert moved.min() >= 0.0
    assert moved.max() <= one.max()
    assert np.abs(moved.sum(axis=1) / one.sum(axis=1) - 1).max() < 0.2
    same = Jitter(shift=0.25, rotation=5.0).apply(one, (8, 8), np.random.default_rng(0))
    np.testing.assert_array_equal(moved, same)


def test_noise_has_the_deviation_asked_for() -> None:
    moved = Jitter(noise=0.3).apply(np.zeros((1000, 20)), (20,), np.random.default_rng(0))
    assert moved.std() == pytest.approx(0.3, rel=0.03)


def test_points_that_are_no_images_are_not_turned() -> None:
    with pytest.raises(InvalidInput, match="images"):
        Jitter(rotation=5.0).apply(np.zeros((3, 4)), (4,), np.random.default_rng(0))
