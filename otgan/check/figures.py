"""The figures of a check, for light paper and for dark."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from otgan import plot
from otgan.report import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

    from otgan.check.result import Check
    from otgan.data import SampleSet

    Drawn = tuple[Callable[[], Axes], str, str, str]  # what draws it, its file's name, what it shows, its caption

__all__ = ["figures"]


def figures(result: Check) -> list[Figure]:
    """Draw every figure of a check; none where matplotlib is not installed.

    Examples
    --------
    >>> from otgan.check import check
    >>> [figure.alt for figure in figures(check("digits:3", "digits:8", methods=["gp"], n=20, steps=20))]
    ['Estimates and lower bounds beside the exact distance', 'Estimates over the training steps',
     'Images of digits:3', 'Images of digits:8']
    """
    drawn = ((plot.on_both_papers(draw), name, alt, caption) for draw, name, alt, caption in _draw(result))
    return [Figure(*papers, alt, caption, name) for papers, name, alt, caption in drawn if papers is not None]


def _draw(result: Check) -> Iterator[Drawn]:
    exact = result.solution.distance
    yield (
        lambda: plot.critics_against_exact([verdict.as_dict() for verdict in result.reports], exact),
        "critics_against_exact",
        "Estimates and lower bounds beside the exact distance",
        "Each critic's numbers on one axis with the exact distance. A filled dot to the right of the line is an "
        "overestimate. The triangles are proven: none passes the line.",
    )
    yield (
        lambda: plot.training_curves(result.histories, exact),
        "training_curves",
        "Estimates over the training steps",
        "What each critic says while it is trained; the horizontal line is the exact distance. Where there are several "
        "seeds, the line is their mean and the band holds all of them.",
    )
    if result.a.points.shape[1] == 2:
        names = (result.a.name, result.b.name)
        yield (
            lambda: plot.transport(result.a.points, result.b.points, result.solution.plan, names=names),
            "plan",
            "Both samples and the optimal plan",
            "Both samples, and the optimal plan: each line moves mass, and no other way of moving it is shorter.",
        )
    for side, name in ((result.a, "images_a"), (result.b, "images_b")):
        if _is_image(side.shape):  # images may be compared with what is flat already
            yield _images(side, name)


def _is_image(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))


def _images(side: SampleSet, name: str) -> Drawn:
    images = partial(plot.sample_images, side.points, side.shape, name=side.name)
    return images, name, f"Images of {side.name}", f"Some of the {len(side)} images of {side.name} that were used."
