"""What five seeds cost beside one, trained side by side as one stack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, medians, tell

from otgan import critics
from otgan.critics import training

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = ("gp", "orthogonal")
SIZES = ((64, 64, 300), (128, 256, 40), (256, 256, 10))  # width, points of each side in a step, steps
SEEDS = (1, 5)
DIMENSION, POINTS, DEPTH = 2, 1000, 3


def fit(method: str, n_seeds: int, width: int, batch_size: int, steps: int) -> critics.CriticFit:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, POINTS, DIMENSION))
    return critics.fit(
        x + 1, y, method, n_seeds=n_seeds, width=width, depth=DEPTH, batch_size=batch_size, steps=steps, device="cpu"
    )


def measure(method: str, width: int, batch_size: int, steps: int, repeats: int) -> dict[str, Any]:
    """One row: milliseconds of a step, and how much more five seeds take."""
    functions: dict[str, Callable[[], Any]] = {str(n): partial(fit, method, n, width, batch_size, steps) for n in SEEDS}
    seconds, _ = medians(functions, repeats)
    one, five = (1000 * seconds[str(n)] / steps for n in SEEDS)
    return {
        "method": method,
        "width": width,
        "batch": batch_size,
        "one seed, ms a step": round(one, 2),
        "five seeds, ms a step": round(five, 2),
        "ratio": round(five / one, 2),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    repeats = options.repeats
    training.RECORDS = 1  # the history is evaluated at the end only
    rows = [measure(method, *sizes, repeats) for method in METHODS for sizes in SIZES]
    result = {"machine": machine(["otgan", "numpy", "torch"]), "repeats": repeats, "depth": DEPTH, "rows": rows}
    words = (
        f"Medians of {repeats} runs in turn on the CPU after one that is not timed; {DIMENSION} dimensions, {POINTS} "
        f"points a side, {DEPTH} hidden layers. Whole fits, evaluated once at the end."
    )
    tell(options, "stacked_seeds", result, f"{words}\n\n{markdown(rows)}")


if __name__ == "__main__":
    main()
