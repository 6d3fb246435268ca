"""What a preflight says: which critic to trust, what to expect of each in a GAN, and what to do next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from otgan.preflights.plan import SIZES
from otgan.preflights.ranking import followed, line_score, ranking, tried
from otgan.preflights.settings import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otgan.preflights.cell import Cell
    from otgan.preflights.ranking import AtSize, Place

__all__ = ["Verdict", "verdict"]

RIGHT, ALONG, ROUGHLY = 0.1, 0.9, 0.5  # of a number's error; cosines from which on gradients point the way, or roughly
N_CRITIC = 5  # critic steps for one of the generator, as the papers have
SETTLED = 0.8  # of its steps, after which a number that still moves has not settled
TIE = 0.02  # of the score


class Verdict(NamedTuple):
    """The answer in one or two sentences, what to expect of each critic, and what to do next."""

    answer: str
    expect: tuple[str, ...]
    advice: str


def verdict(cells: Sequence[Cell], name: str = "these data") -> Verdict:
    """Say in words what cells show.

    Parameters
    ----------
    cells : sequence of Cell
    name : str
        Of the data.

    Examples
    --------
    >>> from otgan.preflights.cell import Cell
    >>> pair = dict(stage="pairs", family="networks", size="near", w1=2.0, share=0.03, line_number=0.1, line_cosine=0.2)
    >>> gp = Cell("gp", {}, numbers=(4.0,), cosines=(0.5,), norms=(1.0,), slopes=(2.0,), **pair)
    >>> print(verdict([gp], "mine").answer)
    No critic can be trusted on mine as it is. gp scores 0.25 of 1 (1: number and gradient are right; 0: a constant
    critic; 0.13: a straight line, which needs no training). Where fakes are nearly there its number is 2.00 times the
    distance, and its gradient points 0.50 along the way (1: straight there).
    """
    places = ranking(cells)
    if not places:
        return Verdict("It was stopped before critics could be compared.", (), "Run it again: what is done is kept.")
    line = line_score(cells)
    return Verdict(
        f"{_head(places, name)} {_order(places, line)}",
        tuple(_expect(place, cells) for place in places),
        " ".join([_advice(places, line), *_unfinished(places)]),
    )


def _head(places: Sequence[Place], name: str) -> str:
    """Whom to trust, if anyone."""
    trusted = [place.method for place in places if all(_number_right(s) and s.cosine >= ALONG for s in place.sizes)]
    pointing = [place.method for place in places if all(s.cosine >= ALONG for s in place.sizes)]
    if trusted:
        return f"Trust {_listed(trusted)} on {name}: number and gradient are right at every distance."
    if pointing:
        return f"Trust the gradient of {_listed(pointing)} on {name}, but no critic's number."
    first = places[0]
    far = [size for size in first.sizes if _number_right(size) and size.cosine >= ALONG]
    if far:
        where = _listed([_where(size.size) for size in far])
        return f"On {name} trust {first.method} only where fakes are {where}."
    return f"No critic can be trusted on {name} as it is."


def _order(places: Sequence[Place], line: float) -> str:
    """The ranking, and what the first of it does where fakes are near."""
    first, *others = places
    straight = f"{line:.2f}: a straight line, which needs no training"
    scale = f"(1: number and gradient are right; 0: a constant critic; {straight})"
    near = f"Where fakes are {_where(first.sizes[0].size)} its {_does(first.sizes[0])} (1: straight there)."
    if not others:
        return f"{first.method} scores {first.score:.2f} of 1 {scale}. {near}"
    scores = _listed([f"{place.method} {place.score:.2f}" for place in others])
    lead = "is first" if first.score > others[0].score + TIE else "is narrowly first"
    return f"{first.method} {lead} with a score of {first.score:.2f} of 1, then {scores} {scale}. {near}".replace(
        " its number", f" {first.method}'s number"
    )


def _expect(place: Place, cells: Sequence[Cell]) -> str:
    """What to expect of one critic."""
    return f"{place.method}: {' '.join(_expectations(place, cells))}"


def _expectations(place: Place, cells: Sequence[Cell]) -> Iterator[str]:
    said = "; ".join(f"{_where(size.size)} its {_does(size)}" for size in place.sizes)
    yield f"where fakes are {said}."
    if place.failed:
        yield f"On {place.failed} of the pairs its training diverged."
    if all(not _number_right(size) for size in place.sizes) and any(
        abs(size.by_slope - 1) < abs(size.ratio - 1) / 2 for size in place.sizes
    ):
        by = [f"{size.by_slope:.2f}" for size in place.sizes]
        slopes = _listed(list(dict.fromkeys(by)))
        yield f"Divided by its largest slope, its number would be {slopes} of the distance."
    worse = [size for size in place.sizes if size.cosine <= size.line_cosine]
    if worse:
        where = _listed([_where(size.size) for size in worse])
        yield f"Its gradient is no better than a straight line's where fakes are {where}."
    if note := _settings(place, cells):
        yield note
    if place.settled is not None and place.steps:
        if _still_moves(place):
            yield f"After {place.steps} steps its number was still moving: longer training would change it."
        else:
            moves = math.ceil(place.settled / N_CRITIC)
            yield f"Its number settles after {place.settled} steps, {moves} of the generator at n_critic = {N_CRITIC}."
    if moved := followed(cells).get(place.method):
        yield _following(moved)


def _following(cell: Cell) -> str:
    """How soon a number followed fakes that moved, which is what n_critic is for."""
    assert cell.settled is not None
    where = f"When fakes moved to others that are as far away ({_where(cell.size)})"
    if cell.settled > SETTLED * cell.steps:
        return f"{where}, {cell.steps} steps were too few for its number to settle again."
    steps = "1 step" if cell.settled == 1 else f"{cell.settled} steps"
    return (
        f"{where}, its number had settled again after {steps}: n_critic for a generator that moves so far in one step; "
        "most move less."
    )


def _settings(place: Place, cells: Sequence[Cell]) -> str | None:
    """Which of the settings that were tried was best."""
    found = tried(cells).get(place.method, [])
    if len(found) < 2:
        return None
    best = max(found, key=lambda each: each.score)
    others = _listed([f"{words(each.options)} {each.score:.2f}" for each in found if each is not best])
    return f"Of the settings tried, {words(best.options)} did best, with a score of {best.score:.2f} ({others})."


def _advice(places: Sequence[Place], line: float) -> str:
    """What to do next."""
    first = places[0]
    using = f"Train with {first.method} ({words(first.options)})" if first.steps else f"Use {first.method}"
    if first.score <= line:
        return (
            "No critic did better than a straight line. Give them longer (--minutes), or measure the exact distance "
            "while you train, which needs no critic (otgan.gan.Monitor)."
        )
    if all(_number_right(size) for size in first.sizes):
        return f"{using}, and watch its number: it is the distance."
    return (
        f"{using}, but do not read its number as the distance: measure that beside it while you train "
        "(otgan.gan.Monitor)."
    )


def _unfinished(places: Sequence[Place]) -> Iterator[str]:
    """That the order is not the last word, where critics were still learning."""
    moving = [place.method for place in places if _still_moves(place)]
    if moving:
        verb = "was" if len(moving) == 1 else "were"
        yield f"{_listed(moving)} {verb} still learning at the end: more time (--minutes) may change the order."


def _still_moves(place: Place) -> bool:
    return place.settled is not None and place.settled > SETTLED * place.steps > 0


def _does(size: AtSize) -> str:
    """Number and gradient at one distance."""
    return f"number is {_multiple(size)} the distance, and its gradient points {size.cosine:.2f} along the way"


def _multiple(size: AtSize) -> str:
    low, high = (f"{ratio:.2f}" if abs(ratio) < 10 else f"{ratio:.0f}" for ratio in (size.least, size.greatest))
    shown = low if low == high else f"{low} to {high}"
    return f"{shown} times" if size.greatest > 1 + RIGHT else f"{shown} of"


def _number_right(size: AtSize) -> bool:
    """Whether the number is the distance in every family."""
    return max(abs(size.least - 1), abs(size.greatest - 1)) <= RIGHT


def _where(size: str) -> str:
    return next((each.words for each in SIZES if each.name == size), size)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(([", ".join(names[:-1])] if names[1:] else []) + [*names[-1:]])
