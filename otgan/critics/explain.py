"""What a report on critics says, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from otgan.report.columns import amount
from otgan.report.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["explain"]

NEAR = 0.05  # relative differences that are called none
ALONG, ROUGHLY = 0.9, 0.5  # cosines from which on gradients point along the plan, and roughly so
OVERFIT = 0.2  # of the exact distance: what a number may lose on other points


def explain(report: Mapping[str, Any]) -> str:
    """A few sentences on a report, as :meth:`otgan.critics.CriticReport.as_dict` gives it.

    Parameters
    ----------
    report : mapping

    Returns
    -------
    str
        On what was chosen, the number, the slope, what is proven, the gradients and the points held out, in this order.
    """
    return " ".join(_sentences(report))


def _sentences(report: Mapping[str, Any]) -> Iterator[str]:
    exact = float(report["exact"])
    if report.get("choice"):
        yield _choice(report["choice"], exact)
    whose = "Its number" if report["n_seeds"] == 1 else f"The mean number of the {report['n_seeds']} critics"
    said = f"{whose}, {amount(report['estimate'], exact or 1.0)},"
    if not exact > 0:
        yield f"{said} is to be compared with an exact distance of {amount(exact)}: there is nothing to move."
        return
    yield f"{said} {_number(float(report['estimate']), exact)}"
    yield _slope(report, exact)
    if report["lower_bound"] is not None:
        yield _proof(report, exact)
    if not math.isnan(report["cosine"]):
        yield _gradients(float(report["cosine"]), float(report["gradient_norm"]))
    if report["held_out"] is not None:
        yield _held_out(report, exact)


def _choice(choice: Mapping[str, Any], exact: float) -> str:
    """Which method was trained, and what each said in its trial, the greatest first."""
    trials = sorted(choice["trials"].items(), key=lambda trial: -trial[1])
    said = ", ".join(f"{name} {amount(number, exact or 1.0)}" for name, number in trials)
    why = f", chosen by points held out, of which candidates said in their trial: {said}" if trials[1:] else ""
    return f"It is a critic of the method {choice['method']}{why}."


def _number(estimate: float, exact: float) -> str:
    truth = f"the exact distance, {amount(exact, exact)}"
    error = estimate / exact - 1
    if abs(error) <= NEAR:
        return f"is within {percent(abs(error))} of {truth}."
    if error > 0:
        return f"is {estimate / exact:.2g} times {truth}."
    if estimate >= 0:
        return f"is {percent(estimate / exact)} of {truth}."
    return (
        f"is negative, beside {truth}: values are larger on the second sample than on the first. If that is how it was "
        "trained, judge it with the two samples swapped; if not, it is wrong about the direction."
    )


def _slope(report: Mapping[str, Any], exact: float) -> str:
    """How steep the critic is, and what its number would be at slope one."""
    observed, certified = float(report["lipschitz_observed"]), report["lipschitz_certified"]
    elsewhere = (
        f"elsewhere it is at most {certified:.3g}, as its layers prove"
        if certified is not None
        else f"elsewhere it is not known, for nothing bounds {report['uncertified'] or 'its layers'}"
    )
    seen = f"Its slope reaches {observed:.3g} about these points; {elsewhere}."
    if observed <= 0:
        return f"{seen} It is constant there, and tells nothing apart."
    if abs(observed - 1) <= NEAR:
        return f"{seen} That is as it should be: the distance is defined by slope 1."
    if float(report["normalised"]) < 0:
        return seen
    share = percent(float(report["normalised"]) / exact)
    return f"{seen} The distance is defined by slope 1: divided by its slope, the number is {share} of the truth."


def _proof(report: Mapping[str, Any], exact: float) -> str:
    proven, constant = float(report["lower_bound"]), float(report["constant_bound"])
    said = f"Repaired to slope 1 it proves {amount(proven, exact)}, {percent(proven / exact)} of the truth"
    if report["truth"] != "sample":
        return f"Divided by its proven slope it gives {amount(proven, exact)}, {percent(proven / exact)} of the truth."
    if report["critic_share"] is None:
        return f"{said}, but so does a constant."
    share = float(report["critic_share"])
    added = f"it adds {percent(share)} of what that leaves" if share > 0 else "it adds nothing to that"
    return f"{said}; a constant critic, repaired, proves {percent(constant / exact)}, and {added}."


def _gradients(cosine: float, norm: float) -> str:
    where = f"the way that the optimal plan moves mass (cosine {cosine:.2f})"
    if cosine >= ALONG:
        way = f"point along {where}"
    elif cosine >= ROUGHLY:
        way = f"point roughly {where}"
    elif cosine > 0:
        way = f"hardly follow {where}"
    else:
        way = f"do not follow {where}"
    return f"Its gradients {way}, and are {norm:.2g} long on the way, where an optimal critic's have length 1."


def _held_out(report: Mapping[str, Any], exact: float) -> str:
    said = f"On points held out it says {amount(report['held_out'], exact)}"
    if float(report["held_out_gap"]) > OVERFIT * exact:
        return f"{said}: much of its number is learnt by heart."
    return f"{said}, so its number is not learnt by heart."
