"""Real data: photographs, digits, what a GAN made of them, and the pixels of one image."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.cases import Case, Data, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers.cases import Points, Sides

PHOTOS = {"astronaut-coffee": ("astronaut", "coffee"), "cat-rocket": ("chelsea", "rocket")}
HALVES = {"low": range(5), "high": range(5, 10)}
GENERATED = Path(__file__).with_name("generated.npz")


def photos(case: Case) -> Data:
    """Pixels of two photographs as points in [0, 1]^3, drawn without replacement; many share their colour."""
    rng = stream(case)
    x, y = (_pixels(name) for name in PHOTOS[case.variant])
    return Data(rng.choice(x, case.n, replace=False) / 255.0, rng.choice(y, case.m, replace=False) / 255.0)


@cache
def _pixels(name: str) -> NDArray[np.uint8]:
    import skimage.data  # pyright: ignore[reportMissingImports]

    photo: Any = getattr(skimage.data, name)()
    return photo.reshape(-1, 3)


def digits(case: Case) -> Data:
    """MNIST digits as points, 784 pixels in [0, 1]: threes on one side, eights on the other."""
    x, y = (_mnist(label) for label in case.variant.split("-"))
    return Data(x[: case.n], y[: case.m])


@cache
def _mnist(label: str) -> Points:
    from otgan.data import load

    return load(f"mnist:{label}").points


def projected(case: Case) -> Data:
    """Digits, two halves of MNIST or two of its classes, as points of their first principal components."""
    x, y = (_classes(name) for name in case.variant.split("-"))
    return Data(*_principal((x[: case.n], y[: case.m]), case.d))


def generated(case: Case) -> Data:
    """What the gallery's WGAN-GP drew after 1,000 steps against digits that it was not trained on."""
    with np.load(GENERATED) as found:
        x, y = found["generated"] / 255.0, found["held_out"] / 255.0
    return Data(*_principal((x[: case.n], y[: case.m]), case.d))


def _classes(name: str) -> Points:
    """Digits of one class, or of five."""
    if name in HALVES:
        return np.concatenate([_mnist(str(label)) for label in HALVES[name]])
    return _mnist(name)


def _principal(sides: Sides, d: int) -> Sides:
    """Both sides in the coordinates in which they, taken together, vary most; as they are, if these are all."""
    x, y = sides
    if d == x.shape[1]:
        return x, y
    pooled = np.concatenate([x, y])
    centre = pooled.mean(axis=0)
    axes = np.linalg.eigh(np.cov(pooled.T))[1][:, ::-1][:, :d]
    axes *= np.sign(axes.sum(axis=0))  # an eigenvector's sign is whatever LAPACK makes it
    return (x - centre) @ axes, (y - centre) @ axes


def grid_points(case: Case) -> Data:
    """One digit's pixels as weighted points of the plane, in units of a pixel, against another's."""
    sides = [_ink(image) for image in case.variant.split("-")]
    (x, a), (y, b) = sides
    return Data(x, y, a, b)


@cache
def _ink(image: str) -> Sides:
    """Pixels that are not zero, and their share of the ink; ``3.0`` is the first three."""
    label, _, index = image.partition(".")
    pixels = _mnist(label)[int(index)].reshape(28, 28)
    rows, columns = np.nonzero(pixels)
    ink = pixels[rows, columns]
    return np.column_stack([rows, columns]).astype(np.float64), ink / ink.sum()


def grid(variant: str, p: int) -> Case:
    """A "grid" case; its sizes are counted in the images."""
    left, right = (len(_ink(image)[0]) for image in variant.split("-"))
    return Case("grid", left, right, 2, p, variant)
