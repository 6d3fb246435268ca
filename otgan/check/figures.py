"""The figures of a check, for light and dark backgrounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan import plot
from otgan.plot import Picture
from otgan.report import Figure, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otgan.check.result import Check

__all__ = ["figures"]


def figures(result: Check) -> list[Figure]:
    """Draw every figure of a check; none where matplotlib is not installed.

    Examples
    --------
    >>> from otgan.check import check
    >>> [figure.alt for figure in figures(check("digits:3", "digits:8", methods=["gp"], n=20, steps=20))]
    ['Estimates and lower bounds beside the exact distance', 'Estimates over the training steps',
     'Pairs of images of digits:3 and digits:8', 'Both samples in the plane of their principal components']
    """
    drawn = ((plot.render_all(picture.draw), picture) for picture in _pictures(result))
    return [
        Figure(renderings.light, renderings.dark, picture.alt, picture.caption, picture.name, renderings[2:])
        for renderings, picture in drawn
        if renderings is not None
    ]


def _pictures(result: Check) -> Iterator[Picture]:
    exact, a, b = result.solution.distance, result.a, result.b
    yield Picture(
        lambda: plot.critics_against_exact([_settled(verdict.as_dict()) for verdict in result.reports], exact),
        "critics_against_exact",
        "Estimates and lower bounds beside the exact distance",
        "Each critic's numbers on one axis with the exact distance. A filled dot to the right of the line is an "
        "overestimate. The triangles are proven: none passes the line.",
    )
    if result.histories:
        yield Picture(
            lambda: plot.training_curves(result.histories, exact),
            "training_curves",
            "Estimates over the training steps",
            "What each critic says while it is trained; the horizontal line is the exact distance. Where there are "
            "several seeds, the line is their mean and the band holds all of them.",
        )
    shape = max(a.shape, b.shape, key=len)  # images may be compared with what is flat already
    yield from plot.pictures(a.points, b.points, result.solution.plan, shape, (a.name, b.name))


def _settled(verdict: dict[str, Any]) -> dict[str, Any]:
    """A report without its correction where the critic had not settled, as tables have it."""
    return verdict if settled(verdict) else {**verdict, "corrected": None}
