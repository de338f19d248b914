"""What git itself says of ignore rules."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path


def git_ignores(folder: Path, paths: Sequence[str]) -> set[str]:
    """Return those paths that git leaves out of a repository at `folder`."""
    git = ("git", "-c", "core.excludesFile=/dev/null", "-C", str(folder))
    data = b"\0".join(os.fsencode(path) for path in paths)
    asked = subprocess.run(
        (*git, "check-ignore", "-z", "--stdin", "--no-index"),
        input=data, capture_output=True, check=False,
    )  # fmt: skip
    assert asked.returncode in {0, 1}, asked.stderr
    return {os.fsdecode(name) for name in asked.stdout.split(b"\0") if name}
