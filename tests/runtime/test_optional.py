"""Optional dependencies."""

from __future__ import annotations

import subprocess
import sys

import pytest

from otgan.errors import OTError
from otgan.runtime.optional import optional_dependency


def test_a_missing_package_is_an_error_of_otgan_and_an_import_error():
    message = r"^This needs pandas, which does not import \(.+\)\. Run: pip install 'otgan\[tables\]'$"
    for kind in (OTError, ImportError):
        with pytest.raises(kind, match=message), optional_dependency("pandas", "tables", "This"):
            raise ModuleNotFoundError("No module named 'pandas'")


def test_every_other_error_passes():
    with pytest.raises(KeyError), optional_dependency("numpy", "images", "This"):
        raise KeyError


def test_of_two_blocks_the_inner_one_is_told():
    outer, inner = (optional_dependency(name, name, name) for name in ("outer", "inner"))
    with pytest.raises(OTError, match=r"^inner needs"), outer, inner:
        raise ImportError


def test_strategies_without_hypothesis():
    code = "import sys; sys.modules['hypothesis'] = None; import otgan.testing.strategies"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "otgan.testing.strategies needs hypothesis" in done.stderr.splitlines()[-1]
    assert done.stderr.endswith("Run: pip install 'otgan[testing]'\n")
