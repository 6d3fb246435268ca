"""Datasets and loaders of torch as samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from otgan import inputs
from otgan.check.samples import draw
from otgan.data import SampleSet
from otgan.data.datasets import read_dataset
from otgan.errors import InvalidInput
from otgan.gan import Config
from otgan.gan.dataset import dataset

POINTS = torch.arange(10.0).reshape(5, 2)
IMAGES = torch.arange(5 * 3 * 7 * 6.0).reshape(5, 3, 7, 6)
LABELS = torch.arange(5)


class Listed(Dataset[Any]):
    """Items of any kind; as of torchvision, without an end when just iterated over."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, k: int) -> Any:
        return self.items[k % len(self.items)]


class Streamed(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(POINTS)


def array(given: Any) -> np.ndarray[Any, Any]:
    return read_dataset(given, "data")


@pytest.mark.parametrize(
    "given",
    [
        TensorDataset(POINTS),
        TensorDataset(POINTS, LABELS),
        Listed(list(POINTS)),
        Listed([{"point": point, "label": 3} for point in POINTS]),
        Streamed(),
        DataLoader(TensorDataset(POINTS, LABELS), batch_size=2),
        DataLoader(TensorDataset(POINTS), batch_size=None),
        DataLoader(Streamed(), batch_size=3),
        Subset(TensorDataset(torch.cat([POINTS, POINTS])), range(5)),
    ],
    ids=lambda given: type(given).__name__,
)
def test_points_in_every_wrapping(given: Any):
    assert inputs.is_dataset(given)
    assert (array(given) == POINTS.numpy()).all()


@pytest.mark.parametrize("batch_size", [None, 2])
def test_images_come_with_their_channels_last(batch_size: int | None):
    def wrapped(images: torch.Tensor) -> Any:
        pairs = TensorDataset(images, LABELS)
        return pairs if batch_size is None else DataLoader(pairs, batch_size=batch_size)

    assert (array(wrapped(IMAGES)) == IMAGES.permute(0, 2, 3, 1).numpy()).all()
    assert (array(wrapped(IMAGES[:, :1])) == IMAGES[:, 0].numpy()).all()
    assert (array(wrapped(IMAGES[:, 0])) == IMAGES[:, 0].numpy()).all()
    assert array(wrapped(IMAGES.permute(0, 2, 3, 1))).shape == (5, 7, 6, 3)


def test_pictures_have_their_channels_last_already():
    pixels = np.arange(3 * 6 * 3, dtype=np.uint8).reshape(3, 6, 3)
    assert (array(Listed([(Image.fromarray(pixels), 0)])) == pixels[None]).all()
    assert array(Listed([(Image.fromarray(pixels[:, :, 0]), 0)])).shape == (1, 3, 6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Listed([]), "at least one sample"),
        (Listed([torch.zeros(2), torch.zeros(3)]), r"one shape, but \(2,\) and \(3,\) came"),
        (Listed(["text"]), "array of real numbers"),
        (Listed([()]), "array of real numbers"),
        (TensorDataset(torch.full((2, 2), torch.nan)), "NaN"),
    ],
)
def test_what_holds_no_samples_is_refused(given: Any, message: str):
    with pytest.raises(InvalidInput, match=message):
        array(given)


def test_training_and_checks_take_them():
    images = TensorDataset(IMAGES, LABELS)
    assert dataset(Config(), torch.device("cpu"), images).scaling.shape == (7, 6, 3)
    points = dataset(Config(), torch.device("cpu"), TensorDataset(POINTS))
    assert points.scaling.shape == (2,)
    (first, _), _, _ = draw(TensorDataset(POINTS), DataLoader(TensorDataset(POINTS), batch_size=2), 5, seed=0)
    assert sorted(first.points.tolist()) == POINTS.tolist()


def test_training_refuses_weights():
    weighted = SampleSet("mine", POINTS.double().numpy(), (2,), "here", weights=np.ones(5))
    with pytest.raises(InvalidInput, match="mine has weights"):
        dataset(Config(), torch.device("cpu"), weighted)
