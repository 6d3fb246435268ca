"""What Ctrl-C does at random moments, over all methods and functions: no crash, no SystemError, a valid interval.

    python benchmarks/interrupts.py --count 60              # one SIGINT after the other, the cases in turn
    python benchmarks/interrupts.py --cases assignment      # one of them
    python benchmarks/interrupts.py --scale 0.3             # smaller problems

A process of its own calls the case again and again until it is interrupted, and says what came of it. It must be a
KeyboardInterrupt, of a solve with a solution whose bounds hold the answer that the same call gives when it is left
alone; and the next call must give that answer again. The table has the longest time from the signal to the exception.
Exit code 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from common import machine, markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Call = "Callable[[], Any]"
COMMAND = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
COMMAND += "from otgan.cli import main; print('ready', flush=True); sys.exit(main())"


class Outcome(NamedTuple):
    """What one SIGINT did.

    Attributes
    ----------
    case : str
    failure : str
        What was wrong; empty if nothing.
    status : str
        Of the solution that the exception carried; "none" without one.
    seconds : float
        From the signal to the exception.
    """

    case: str
    failure: str
    status: str
    seconds: float


def cases(scale: float) -> dict[str, Callable[[], Call]]:  # type: ignore[valid-type]
    """What is interrupted: from a name to what prepares the call. Solves return solutions, functions numbers."""
    rng = np.random.default_rng(0)

    def points(n: int, d: int, shift: float = 0.0) -> Any:
        return rng.standard_normal((max(int(n * scale), 20), d)) + shift

    def weights(n: int) -> Any:
        return rng.dirichlet(np.ones(n))

    def solve(n: int, m: int, d: int, *, p: float = 1, weighted: bool = True, **options: Any) -> Call:  # type: ignore[valid-type]
        import otgan

        x, y = points(n, d), points(m, d, 0.3)
        masses = {"a": weights(len(x)), "b": weights(len(y))} if weighted else {}
        return lambda: otgan.solve(x, y, p, **masses, **options)

    def matrix(n: int) -> Call:  # type: ignore[valid-type]
        import otgan

        C = rng.random((int(n * scale), int(n * scale)))
        return lambda: otgan.solve_cost(C, method="assignment")

    def line(n: int, batch: tuple[int, ...] = (), *, weighted: bool, calls: int = 1) -> Call:  # type: ignore[valid-type]
        import otgan

        x, y = points(n, 1)[:, 0], points(n, 1, 0.3)[:, 0]
        masses = {"a": weights(len(x)), "b": weights(len(x))} if weighted else {}
        x, y = np.broadcast_to(x, (*batch, len(x))).copy(), np.broadcast_to(y, (*batch, len(y))).copy()
        return lambda: float(np.sum([otgan.wasserstein_1d(x, y, **masses) for _ in range(calls)]))

    def circle(n: int, p: float) -> Call:  # type: ignore[valid-type]
        import otgan

        x, y = rng.random(int(n * scale)), rng.random(int(n * scale))
        a, b = weights(len(x)), weights(len(y))
        return lambda: otgan.wasserstein_circle(x, y, p, a=a, b=b)

    def gradient(n: int, d: int) -> Call:  # type: ignore[valid-type]
        import torch

        import otgan

        x, y = (torch.tensor(points(n, d, shift)).squeeze(-1).requires_grad_() for shift in (0.0, 0.3))
        a, b = (torch.tensor(weights(len(x))).requires_grad_() for _ in range(2))

        def call() -> float:
            distance = otgan.wasserstein(x, y, a=a, b=b) if d > 1 else otgan.wasserstein_1d(x, y, a=a, b=b)
            slopes = torch.autograd.grad(distance, (x, y, a, b))
            return float(sum(slope.abs().sum() for slope in slopes))

        return call

    def elsewhere(n: int, new: int) -> Call:  # type: ignore[valid-type]
        import otgan

        potentials = otgan.solve(points(n, 3), points(n, 3, 0.3), a=weights(int(n * scale))).potentials
        there = points(new, 3)
        return lambda: float(np.sum(potentials.f(there)))

    def forbidden(n: int, near: int) -> Call:  # type: ignore[valid-type]
        from scipy import sparse

        import otgan

        n = int(n * scale)
        cols = np.c_[np.arange(n), np.sort(rng.integers(0, n, (n, near)), axis=1)]
        C = sparse.csr_array((rng.random(cols.size), (np.repeat(np.arange(n), near + 1), cols.ravel())), shape=(n, n))
        share = rng.integers(1, 9, cols.shape)  # a plan: so there is one
        return lambda: otgan.solve_cost(C, share.sum(axis=1), np.bincount(cols.ravel(), share.ravel(), n))

    def farthest(n: int, m: int) -> Call:  # type: ignore[valid-type]
        import otgan

        x, y = points(n, 2), points(m, 2, 0.3)
        return lambda: otgan.wasserstein(x, y, np.inf)

    def repeated(n: int) -> Call:  # type: ignore[valid-type]
        import otgan

        x, y = (points(n, 2, shift)[rng.integers(0, int(n * scale), int(10 * n * scale))] for shift in (0.0, 0.3))
        return lambda: otgan.solve(x, y, method="network-simplex")

    return {
        "assignment": lambda: solve(3000, 3000, 2, weighted=False, method="assignment"),
        "assignment, costs": lambda: matrix(4000),
        "network-simplex": lambda: solve(700, 600, 2, method="network-simplex"),
        "linprog": lambda: solve(120, 100, 2, method="linprog"),
        "sparse, equal": lambda: solve(8000, 8000, 3, weighted=False, method="sparse"),
        "sparse, weights": lambda: solve(6000, 4500, 2, p=2, method="sparse"),
        "line": lambda: solve(200_000, 150_000, 1, p=2, method="line"),
        "wasserstein_1d, weights": lambda: line(1_000_000, weighted=True),
        "wasserstein_1d, many small": lambda: line(100, weighted=True, calls=3_000),
        "wasserstein_1d, rows": lambda: line(2000, (200,), weighted=True),
        "wasserstein_1d, equal": lambda: line(3_000_000, weighted=False),
        "wasserstein_circle": lambda: circle(200_000, 2),
        "wasserstein_circle, p = inf": lambda: circle(50_000, np.inf),
        "gradients, line": lambda: gradient(100_000, 1),
        "gradients": lambda: gradient(2000, 2),
        "forbidden pairs": lambda: forbidden(20_000, 4),
        "a part of the mass": lambda: solve(700, 600, 2, mass=0.5),
        "repeats": lambda: repeated(1500),
        "p = inf, equal": lambda: farthest(1500, 1500),
        "p = inf, weights": lambda: farthest(1500, 1200),
        "potentials elsewhere": lambda: elsewhere(3000, 200_000),
    }


def work(scale: float) -> None:
    """Be the process that is interrupted: read names of cases, and say what happened to each."""
    import otgan

    signal.signal(signal.SIGINT, signal.default_int_handler)
    known, calls, truths, parent = cases(scale), {}, {}, os.getppid()
    for line in sys.stdin:
        name = line.strip()
        if name not in calls:
            calls[name] = known[name]()
            calls[name]()  # compiles
        begun = time.perf_counter()
        truths.setdefault(name, calls[name]())
        _say(seconds=time.perf_counter() - begun)
        failure, solution = "", None
        try:
            while os.getppid() == parent:
                calls[name]()
            return  # nobody is left who would interrupt it
        except otgan.Interrupted as stop:
            stopped, solution = time.time(), stop.solution
        except KeyboardInterrupt:
            stopped = time.time()
        except BaseException as error:
            stopped, failure = time.time(), f"{type(error).__name__}: {error}"
        failure = failure or _wrong(truths[name], solution, calls[name])
        _say(failure=failure, status="none" if solution is None else solution.status.name, stopped=stopped)


def _wrong(truth: Any, solution: Any, call: Callable[[], Any]) -> str:
    """What is wrong with the solution that an exception carried, and with the process after it; empty if nothing."""
    if solution is not None:
        interval = f"[{solution.lower}, {solution.upper}]"
        if not solution.lower <= solution.value <= solution.upper:
            return f"{solution.value} is outside its own {interval}"
        if not isinstance(truth, float) and not (solution.lower <= truth.upper and truth.lower <= solution.upper):
            return f"{truth.value} is outside {interval}"
    before, after = (found if isinstance(found, float) else found.value for found in (truth, call()))
    return "" if before == after else f"{after} after it, {before} before"


def _say(**entries: Any) -> None:
    print(json.dumps(entries), flush=True)


class Victim:
    """The process that is interrupted, begun anew when it has died."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.process: subprocess.Popen[str] | None = None

    def interrupted(self, case: str, moment: float) -> Outcome:
        """Send a SIGINT into the case, when ``moment`` (0 to 1) of the time of a call has gone by."""
        if self.process is None:
            words = [sys.executable, __file__, "--work", "--scale", str(self.scale)]
            self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = self.process
        assert process.stdin is not None
        print(case, file=process.stdin, flush=True)
        ready = self._answer()
        if ready is None:
            return self._died(case)
        time.sleep(moment * ready["seconds"])
        sent = time.time()
        process.send_signal(signal.SIGINT)
        answer = self._answer()
        if answer is None:
            return self._died(case)
        return Outcome(case, answer["failure"], answer["status"], answer["stopped"] - sent)

    def _answer(self) -> dict[str, Any] | None:
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def _died(self, case: str) -> Outcome:
        code = self.close()
        return Outcome(case, f"the process died with {code}", "none", 0.0)

    def close(self) -> int:
        """End the process; its exit code."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.communicate()
        return process.returncode


def command(folder: Path, scale: float, moment: float) -> Outcome:
    """Send a SIGINT into ``otgan distance`` on 5,000 points a side, at any moment after its imports."""
    rng, paths = np.random.default_rng(0), []
    for name in ("x", "y"):
        paths.append(folder / f"{name}.npy")
        np.save(paths[-1], rng.standard_normal((int(5000 * scale), 2)))
    words = [sys.executable, "-c", COMMAND, "distance", *map(str, paths), "--method", "assignment"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5 + 3 * scale**2 * moment)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    seconds = time.time() - sent
    good = process.returncode == 130 and err.startswith("otgan: interrupted") and err.count("\n") == 1
    # A signal to an interpreter that is ending kills it, when all is said.
    done = bool(out) and not err and process.returncode in (0, -signal.SIGINT)
    status = "OPTIMAL" if done else "INTERRUPTED" if "proven" in out else "none"
    return Outcome("the command", "" if good or done else f"exit code {process.returncode}: {err}", status, seconds)


def run(count: int, names: list[str] | None = None, scale: float = 1.0, seed: int = 0) -> Iterator[Outcome]:
    """So many interrupts, the cases in turn, at moments that follow from the seed."""
    names = names or [*cases(scale), "the command"]
    moments, victim = random.Random(seed), Victim(scale)
    with tempfile.TemporaryDirectory() as folder:
        for k in range(count):
            case, moment = names[k % len(names)], moments.random()
            yield command(Path(folder), scale, moment) if case == "the command" else victim.interrupted(case, moment)
    victim.close()


def table(outcomes: list[Outcome]) -> str:
    """A row for each case."""
    rows = []
    for case in dict.fromkeys(outcome.case for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.case == case]
        statuses = sorted({outcome.status for outcome in own})
        rows.append(
            {
                "case": case,
                "interrupts": len(own),
                "failed": sum(bool(outcome.failure) for outcome in own),
                "solutions": ", ".join(f"{sum(o.status == s for o in own)} {s}" for s in statuses),
                "slowest (s)": f"{max(outcome.seconds for outcome in own):.2f}",
            }
        )
    return markdown(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--cases", nargs="+", choices=[*cases(1.0), "the command"])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.scale)
        return 0
    outcomes = []
    for outcome in run(options.count, options.cases, options.scale, options.seed):
        outcomes.append(outcome)
        if outcome.failure:
            print(f"{outcome.case}: {outcome.failure}", file=sys.stderr)
    failed = sum(bool(outcome.failure) for outcome in outcomes)
    print(machine(["numpy", "numba", "pot", "scipy"]) | {"load": os.getloadavg()[0]})
    print(table(outcomes))
    print(f"{len(outcomes)} interrupts, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
