"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.environment.wholefile import write_whole
from tests.support.packages import no_larger_than


def test_text_and_mode_are_as_wished(tmp_path: Path) -> None:
    """Line ends are not changed, and what was there before is gone."""
    path = tmp_path / "file"
    path.write_text("old")
    write_whole(path, "new\r\nlines\n", 0o640)
    assert path.read_bytes() == b"new\r\nlines\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_old_file_alone(tmp_path: Path) -> None:
    """And no half of the new one."""
    path = tmp_path / "file"
    path.write_text("old")
    with no_larger_than(1000), pytest.raises(OSError, match="File too large"):
        write_whole(path, "x" * 5000, 0o600)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Whoever writes must have made it."""
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "gone" / "file", "", 0o600)
