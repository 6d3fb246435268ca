"""The command ``otgan distance A B``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from otgan.cli.common import Count, FirstSet, Flag, SecondSet, Several, Target, Text, listed, on_terminal, size
from otgan.cli.say import say
from otgan.errors import Interrupted, NotConverged
from otgan.exact import METHODS
from otgan.metric import MetricName

if TYPE_CHECKING:
    from otgan.data import SampleSet
    from otgan.solution import Solution

    MethodName = str
else:
    MethodName = Literal["auto", *METHODS]

__all__ = ["Distance"]


@dataclass(frozen=True)
class Distance:
    """The exact Wasserstein distance of two sample sets, with its proof."""

    a: FirstSet
    """A built-in name (see: otgan data), a .npy, .npz, .csv, .tsv, .parquet or .pt file, or a folder of images."""
    b: SecondSet
    """Another one, of points of the same space."""
    p: float = 1.0
    """Order of the distance: costs are metric ** p."""
    metric: MetricName = "euclidean"
    """The distance between two points."""
    method: MethodName = "auto"
    """The solver; auto takes the fastest that fits."""
    rtol: float = 1e-9
    """Largest relative gap between the proven bounds; exit code 1 if it stays wider."""
    device: str = "cpu"
    """Where all pairs are priced: cpu, or a torch device such as cuda, for which auto takes the method sparse."""
    n: Count = None
    """Points to draw of each set; by default all, and 1000 of a distribution."""
    seed: int = 0
    """Seed of the draws."""
    columns: Several = None
    """Columns of tables that are the coordinates; by default all. Two tables are compared by the names of theirs."""
    drop: Several = None
    """Columns of tables to leave out."""
    weights: Text = None
    """Column of tables that weighs their rows; its sum is made 1."""
    plan: Target = None
    """Write the plan (row, col, mass, shape) and the potentials (f, g) to this .npz file."""
    json: Flag = False
    """Print everything as JSON."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Load, solve, print; an interval that is too wide is printed before it is an error."""
        from otgan import report
        from otgan.data.pairing import load_pair
        from otgan.solve import solve

        if self.plan is not None:
            report.check_writable(report.npz_path(self.plan))
        columns, drop = listed(self.columns), listed(self.drop) or ()
        a, b, notes = load_pair(
            self.a, self.b, n=self.n, seed=self.seed, columns=columns, drop=drop, weights=self.weights
        )
        unproven = None
        try:
            solution = solve(
                a.points,
                b.points,
                self.p,
                a=a.weights,
                b=b.weights,
                normalize=True,
                metric=self.metric,
                method=self.method,
                rtol=self.rtol,
                progress=on_terminal(),
                device=self.device,
            )
        except (NotConverged, Interrupted) as error:
            solution, unproven = error.solution, error
        say(report.to_json(self._record(a, b, solution, notes)) if self.json else self._text(a, b, solution, notes))
        if self.plan is not None:  # after the number, which a full disk must not swallow
            report.save_plan(self.plan, solution)
            if not self.json:
                say(f"  plan and potentials written to {self.plan}")
        if unproven is not None:
            raise unproven
        return 0

    def _record(self, a: SampleSet, b: SampleSet, solution: Solution, notes: tuple[str, ...]) -> dict[str, Any]:
        from otgan import report

        sides = {
            key: {
                "name": side.name,
                "n": len(side),
                "shape": side.shape,
                "columns": side.columns,
                "source": side.source,
                "sha256": side.sha256,
            }
            for key, side in (("a", a), ("b", b))
        }
        settings = {"p": self.p, "metric": self.metric, "method": self.method, "rtol": self.rtol, "device": self.device}
        return {
            "data": {**sides, "notes": notes},
            "exact": report.describe(solution),
            "settings": {
                **settings,
                "n": self.n,
                "seed": self.seed,
                "columns": self.columns,
                "drop": self.drop,
                "weights": self.weights,
            },
            "plan": self.plan,
            "environment": report.environment(),
        }

    def _text(self, a: SampleSet, b: SampleSet, solution: Solution, notes: tuple[str, ...]) -> str:
        from otgan import report

        low, high = report.distance_bounds(solution, self.p)
        lines = [
            f"W{self.p:g}({a.name}, {b.name}) = {solution.distance!r}",
            f"  proven: {low!r} to {high!r}, relative gap {solution.gap:.2g}",
            f"  {size(a, b)}, {self.metric}, by {solution.method}",
            *(f"  {note}" for note in notes),
        ]
        if self.weights is not None:
            lines.append(f"  weighted by {self.weights}, divided by its sum")
        return "\n".join(lines)
