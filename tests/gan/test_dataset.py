"""What networks see is what came, and back again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from otgan import InvalidInput
from otgan.gan import Config
from otgan.gan.dataset import dataset
from otgan.gan.scaling import SampleScaling

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("array", "network_shape", "low", "high"),
    [
        (RNG.normal(size=(10, 3)), (3,), None, None),
        (RNG.normal(size=10), (1,), None, None),
        (RNG.normal(size=(10, 3)) * 1e-30 + 1e-29, (3,), None, None),
        (RNG.normal(size=(10, 3)) + 1e9, (3,), None, None),
        (RNG.random((10, 4, 5)), (1, 4, 5), 0, 1),
        (RNG.integers(0, 256, size=(10, 4, 5, 3)), (3, 4, 5), 0, 255),
        (RNG.random((10, 4, 5, 1)) * 8 - 4, (1, 4, 5), None, None),
        (np.full((10, 2, 2), 7.5) - 10, (1, 2, 2), -3, -2),
    ],
    ids=["points", "line", "small", "far", "grey", "bytes", "any range", "constant"],
)
def test_units_go_there_and_back(array, network_shape, low, high) -> None:
    samples = dataset(Config(), CPU, array)
    scaling = samples.scaling
    assert scaling.network_shape == network_shape
    assert low is None or (scaling.low, scaling.high) == (low, high)
    assert samples.train.shape == (8, *network_shape)
    assert len(samples.held_out) == 2
    assert samples.train.abs().max() <= (1 if scaling.is_image else 4)
    error = np.abs(scaling.from_network(samples.train) - samples.train_points)
    assert error.max() <= 1e-6 * np.ptp(array) + 1e-15 * np.abs(array).max()


def test_networks_see_the_same_points_whatever_their_units_and_their_offset() -> None:
    points = np.rint(RNG.normal(size=(40, 2)) * 2**16) / 2**16
    seen = dataset(Config(), CPU, points)
    assert 0.9 <= seen.train.abs().max() <= 4
    for scale in (2.0**-1, 2.0**-100, 2.0**100):
        other = dataset(Config(), CPU, scale * points)
        assert torch.equal(other.train, seen.train)
        assert other.scaling.scale == scale * seen.scaling.scale
        assert (other.scaling.from_network(seen.train) == scale * seen.scaling.from_network(seen.train)).all()
    far = dataset(Config(), CPU, points + 1e9)  # float64 holds the sums, up to the sixteenth digit
    assert len(far.train.unique(dim=0)) == len(seen.train.unique(dim=0)) == 32
    np.testing.assert_allclose(far.train, seen.train, rtol=0, atol=1e-6)
    exact = dataset(Config(), CPU, points + 2.0**30)
    assert torch.equal(exact.train, seen.train)


def test_points_within_one_of_the_origin_are_not_stretched_and_images_keep_their_range() -> None:
    square = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]] * 2)
    samples = dataset(Config(held_out=1), CPU, square)
    assert (samples.scaling.scale, samples.scaling.affine.center.tolist()) == (1.0, [0.0, 0.0])
    assert dataset(Config(), CPU, RNG.random((10, 4, 4))).scaling.scale == 0.5


def test_distances_scale_as_units_say() -> None:
    x, y = RNG.random((1, 12)), RNG.random((1, 12))
    scaling = SampleScaling.within((2, 2, 3), 0.0, 4.0)
    apart = float((scaling.to_network(x) - scaling.to_network(y)).norm())
    assert apart * scaling.scale == pytest.approx(float(np.linalg.norm(x - y)), rel=1e-5)


def test_held_out_samples_are_never_trained_on() -> None:
    samples = dataset(Config(held_out=30, seed=3), CPU, np.arange(100.0))
    assert sorted([*samples.train_points[:, 0], *samples.held_out[:, 0]]) == list(range(100))
    assert len(samples.held_out) == 30
    again, other = (dataset(Config(held_out=30, seed=seed), CPU, np.arange(100.0)) for seed in (3, 4))
    assert (again.held_out == samples.held_out).all()
    assert (other.held_out != samples.held_out).any()
    drawn = samples.scaling.from_network(samples.batch(1000, torch.Generator().manual_seed(0)))
    assert set(drawn[:, 0].round().tolist()) == set(samples.train_points[:, 0])


def test_sets_by_name() -> None:
    toy = dataset(Config(data="gaussians25"), CPU)
    assert (len(toy.train), len(toy.held_out)) == (49_000, 1000)
    assert len(dataset(Config(data="gaussians8", n=50), CPU).train) == 40
    digits = dataset(Config(data="digits:3"), CPU)
    assert digits.scaling == SampleScaling.within((8, 8), 0.0, 1.0)
    assert float(digits.train.min()) == -1


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.zeros((5, 4, 8, 8)), {}, r"channels as their last axis.* Pass channels='first' to train, or move them"),
        (np.zeros((5, 8, 8, 2)), {}, "channels as their last axis.* flatten the samples into points"),
        (np.zeros((1, 2)), {}, "at least 2 samples"),
        (np.zeros((5, 2)), {"held_out": 5}, "must leave samples to train on"),
        (np.zeros((5, 2)), {"n": 6}, "n must be at most 5"),
        (np.zeros((5, 2, 2, 2, 2)), {}, "must have shape"),
        (np.array([[np.nan, 1.0]] * 4), {}, "must be finite"),
        ([], {}, "at least one value"),
        ([["a"]], {}, "array of real numbers"),
    ],
)
def test_bad_arrays_are_refused(array, options, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        dataset(Config(**options), CPU, array)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, lambda array: torch.as_tensor(array).bfloat16()])
def test_images_with_their_channels_first_are_the_same_images(kind) -> None:
    last = RNG.integers(0, 256, size=(10, 8, 6, 3)).astype(np.float64)
    first = kind(np.moveaxis(last, 3, 1).copy())
    expected, found = dataset(Config(), CPU, last), dataset(Config(), CPU, first)
    assert found.sha256 == expected.sha256
    assert torch.equal(found.train, expected.train)
    assert dataset(Config(), CPU, first, "first").sha256 == expected.sha256
    assert dataset(Config(), CPU, kind(last[..., :1].reshape(10, 1, 8, 6))).scaling.shape == (8, 6)


def test_where_channels_are_can_be_said() -> None:
    square = RNG.random((10, 3, 5, 3))
    assert dataset(Config(), CPU, square).scaling.network_shape == (3, 3, 5), "last where both may be"
    assert dataset(Config(), CPU, square, "last").scaling.network_shape == (3, 3, 5)
    assert dataset(Config(), CPU, square, "first").scaling.network_shape == (3, 5, 3)
    assert dataset(Config(), CPU, RNG.random((10, 4, 8, 8)), "first").scaling.network_shape == (4, 8, 8)
    pairs = torch.utils.data.TensorDataset(torch.rand(10, 3, 5, 3), torch.arange(10))
    assert dataset(Config(), CPU, pairs).scaling.network_shape == (3, 5, 3), "of datasets first"
    assert dataset(Config(), CPU, pairs, "last").scaling.network_shape == (3, 3, 5)
    for array, channels in ((square[..., 0], "first"), (np.zeros((5, 2)), "last"), (np.zeros((5, 8, 8, 3)), "first")):
        with pytest.raises(InvalidInput, match=rf"channels='{channels}' needs images with 1, 3 or 4 channels"):
            dataset(Config(), CPU, array, channels)
    with pytest.raises(InvalidInput, match="channels must be"):
        dataset(Config(), CPU, square, "middle")


def test_files_may_have_their_channels_first(tmp_path: Path) -> None:
    images = torch.rand(10, 3, 5, 6)
    torch.save(images, tmp_path / "first.pt")
    np.save(tmp_path / "last.npy", images.permute(0, 2, 3, 1).numpy())
    first, last = (dataset(Config(data=str(tmp_path / name)), CPU) for name in ("first.pt", "last.npy"))
    assert first.sha256 == last.sha256


def test_folders_of_images(tmp_path: Path) -> None:
    for k in range(6):
        Image.new("RGB", (1, 1), color=(40 * k, 0, 255)).save(tmp_path / f"{k}.png")
    samples = dataset(Config(data=str(tmp_path)), CPU)
    assert samples.scaling == SampleScaling.within((1, 1, 3), 0.0, 1.0)
    assert samples.train.shape == (5, 3, 1, 1)
    (tmp_path / "7.png").write_bytes((tmp_path / "0.png").read_bytes()[:20])
    with pytest.raises(InvalidInput, match=r"7\.png must be a whole image"):
        dataset(Config(data=str(tmp_path)), CPU)
    Image.new("RGB", (2, 1)).save(tmp_path / "7.png")
    with pytest.raises(InvalidInput, match="must have one size"):
        dataset(Config(data=str(tmp_path)), CPU)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="must hold images"):
        dataset(Config(data=str(tmp_path / "empty")), CPU)
