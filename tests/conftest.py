"""Hypothesis profiles: ``dev`` for development, ``ci`` for the long, repeatable run; and Ctrl-C as Python has it.

``HYPOTHESIS_PROFILE=ci`` (or ``CI=true``) selects the latter.
"""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers that take all processors each wait for one another: seven times as long for what trains networks.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI", "").lower() in ("1", "true") else "dev")
)

# A shell starts what runs in its background with Ctrl-C ignored, which the tests of Ctrl-C must not inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their number: some hold the time, and every worker must collect the same tests."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made, in four renderings of half a second, where they are the point: elsewhere which there are is."""
    from otgan.plot import Renderings

    monkeypatch.setattr("otgan.plot.render_all", lambda draw: Renderings(b"a", b"b", b"c", b"d"))
