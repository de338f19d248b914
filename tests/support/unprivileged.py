"""Children for whom permissions count, even where the tests are run by root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_WITHOUT = "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"


def prefix() -> tuple[str, ...]:
    """Return what an argv begins with so that its program may do no more than any user."""
    if os.geteuid() != 0:
        return ()
    found = shutil.which("setpriv")
    if found is None:
        pytest.skip("setpriv is not installed, and root may do everything")
    return (found, _WITHOUT)


def python(code: str, arguments: Sequence[str | Path] = (), *, cwd: Path) -> str:
    """Run Python code as any user would; return what it printed."""
    argv = [*prefix(), sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
