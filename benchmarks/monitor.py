"""What one measurement of a GAN costs on 28 x 28 images: seconds, and the memory that the process takes for it.

Held out are digits of MNIST; generated are blends of two digits, as an early generator makes them. Every row runs in a
process of its own, one measurement outside the timing; products of matrices have one thread, since two wait for each
other on a busy machine. The floor is not part of a measurement: it is found once.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from common import arguments, machine, markdown, tell
from torch import nn

from otgan.data import load
from otgan.gan import Monitor

SIDE = 28
ROWS = [  # n, and what is measured beside W1
    (500, ()),
    (500, ("patches",)),
    (500, ("patches", "critic")),
    (500, ("patches", "critic", "features")),
    (2000, ()),
    (5000, ()),
    (5000, ("critic",)),
]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
BLEND, NOISE = 0.3, 0.05


def critic() -> nn.Module:
    """A small convolutional critic."""
    layers = (nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 49, 1))


def measure(n: int, parts: list[str], repeats: int) -> dict[str, Any]:
    """One row, in this process."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    digits = load("mnist").points[rng.permutation(5000)]
    held_out, others = digits[:n], digits[-n:]
    fakes = [
        (1 - BLEND) * digits[rng.permutation(5000)[:n]]
        + BLEND * digits[rng.permutation(5000)[:n]]
        + NOISE * rng.normal(size=(n, SIDE * SIDE))
        for _ in range(repeats + 1)
    ]
    network = critic() if "critic" in parts else None
    monitor = Monitor(
        held_out,
        others if n <= 500 else None,
        n=n,
        shape=(1, SIDE, SIDE),
        patches="patches" in parts,
        features=nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 64), nn.ReLU()) if "features" in parts else None,
    )
    before = _peak()
    record, seconds = monitor.measure(fakes[0], network), []
    for fake in fakes[1:]:
        start = time.perf_counter()
        record = monitor.measure(fake, network)
        seconds.append(time.perf_counter() - start)
    return {
        "n": n,
        "beside W1": ", ".join(parts) or "nothing",
        "seconds": round(statistics.median(seconds), 3),
        "slowest": round(max(seconds), 3),
        "peak memory, MiB": round(_peak()),
        "of it by measuring": round(_peak() - before),
        "proven gap": f"{record['upper'] / record['lower'] - 1:.0e}",
    }


def _peak() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--row", type=int, help="one row alone, in this process, as JSON")
    options = parser.parse_args()
    if options.row is not None:
        n, parts = ROWS[options.row]
        print(json.dumps(measure(n, list(parts), options.repeats if n <= 500 else 1)))
        return
    rows = []
    for k in range(len(ROWS)):
        command = [sys.executable, __file__, "--row", str(k), "--repeats", str(options.repeats)]
        rows.append(
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=ONE_THREAD).stdout)
        )
        print(rows[-1], file=sys.stderr)
    table = markdown(rows)
    tell(options, "monitor", {"machine": machine(("numpy", "numba", "torch")), "rows": rows}, table)


if __name__ == "__main__":
    main()
