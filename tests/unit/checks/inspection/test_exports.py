"""Folders for exports of the index."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

from penstock.checks.inspection.exports import export_folder

HOLDER = """
import sys, time
from pathlib import Path
from penstock.checks.inspection.exports import export_folder
with export_folder(Path(sys.argv[1])) as folder:
    (folder / "a.txt").write_text("a")
    print(folder, flush=True)
    time.sleep(300)
"""


def test_a_folder_is_private_and_goes(tmp_path: Path) -> None:
    """While the block runs it is there for us alone, afterwards nothing is."""
    home = tmp_path / ".state" / "staged"
    with export_folder(home) as folder:
        (folder / "deep").mkdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(home.iterdir()) == []


def test_two_at_once_have_their_own(tmp_path: Path) -> None:
    """A second one neither takes nor removes the folder of the first."""
    with export_folder(tmp_path) as one:
        with export_folder(tmp_path) as two:
            assert one != two
            assert one.is_dir()
        assert one.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """The next one clears up, and not as long as the other lives."""
    line = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        left = Path(holder.stdout.readline().strip())
        with export_folder(tmp_path):
            assert (left / "a.txt").is_file()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert left.is_dir()
    with export_folder(tmp_path):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []
