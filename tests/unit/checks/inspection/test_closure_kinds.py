"""Which files of a project a plugin can see."""

from __future__ import annotations

import pytest

from penstock.checks.inspection.closure import of_kind

PATHS = ("a.sh", "bin/run", ".env", "lib/x.env.sh", "b.py", "dir.d/plain", "sh")


@pytest.mark.parametrize(
    ("extensions", "kept"),
    [
        ((), PATHS),
        (("*",), PATHS),
        (("sh",), ("a.sh", "lib/x.env.sh")),
        ((".sh", "py"), ("a.sh", "lib/x.env.sh", "b.py")),
        (("",), ("bin/run", ".env", "dir.d/plain", "sh")),
        (("py", ""), ("bin/run", ".env", "b.py", "dir.d/plain", "sh")),
    ],
)
def test_files_of_a_kind(extensions: tuple[str, ...], kept: tuple[str, ...]) -> None:
    """Extensions choose by the end of a name, the empty one those without any."""
    assert of_kind(PATHS, extensions) == kept
