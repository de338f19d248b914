"""Much output, endless output, and output that cannot be stored."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.process.api import End
from penstock.process.output import Tail
from penstock.process.run import run
from tests.support.children import command
from tests.support.driver import drive

GIB = 1 << 30


def test_a_gibibyte_of_output_costs_little_memory(tmp_path: Path) -> None:
    """A child that prints 1 GiB costs us at most 16 MB more memory, and all of it is counted."""
    code = f"""
go("true"); before = peak()
outcome = go("head", "-c", "{GIB}", "/dev/zero", log=Path("/dev/null"))
print(outcome.stdout_bytes, len(outcome.stdout), peak() - before)
"""
    total, kept, grown = map(int, drive(code, tmp_path).split())
    assert (total, kept) == (GIB, 1 << 20)
    assert grown <= 16_000_000


def test_an_endless_line_costs_little_memory_when_redacted(tmp_path: Path) -> None:
    """A filter that waits for the end of a line waits within bounds."""
    code = """
go("true"); before = peak()
outcome = go("head", "-c", "50000000", "/dev/zero", log=Path("/dev/null"),
             make_filter=Redactor(["known-value"]).stream)
print(outcome.stdout_bytes, peak() - before)
"""
    total, grown = map(int, drive(code, tmp_path).split())
    assert total == 50_000_000
    assert grown <= 16_000_000


def test_a_full_disk_neither_kills_nor_hangs_the_child(tmp_path: Path) -> None:
    """When the log cannot be written any more, the child goes on and the outcome says so."""
    outcome = run(command("seq", "100000", cwd=tmp_path, log=Path("/dev/full")))
    assert (outcome.end, outcome.exit_code, outcome.stdout_bytes) == (End.EXITED, 0, 588_895)
    assert "the log /dev/full cannot be written: No space left" in outcome.error


def test_a_log_that_grows_to_the_limit_keeps_its_beginning(tmp_path: Path) -> None:
    """A limit on the size of files ends the log, not the child."""
    code = """
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
outcome = go("seq", "100000", log=Path("a.log"))
print(outcome.end, outcome.exit_code, Path("a.log").stat().st_size, outcome.error)
"""
    end, exit_code, size, error = drive(code, tmp_path).split(maxsplit=3)
    assert (end, exit_code, size) == ("exited", "0", "100000")
    assert "File too large" in error


def test_a_log_that_cannot_be_opened_is_noted(tmp_path: Path) -> None:
    """A file where the folder should be, a symlink and a FIFO are no places for a log."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "fifo")
    for name in ("file/a.log", "link", "fifo"):
        outcome = run(command("echo", "x", cwd=tmp_path, log=tmp_path / name))
        assert (outcome.exit_code, outcome.text) == (0, "x\n")
        assert "cannot be written" in outcome.error
    assert (tmp_path / "file").read_bytes() == b""


def test_a_failed_start_tells_of_the_log_too(tmp_path: Path) -> None:
    """When both the start and the log fail, both are told."""
    outcome = run(command("no-such-tool", cwd=tmp_path, log=tmp_path))
    assert outcome.error.startswith("no-such-tool is not installed; the log ")


def test_redaction_reaches_over_the_pieces_of_the_output(tmp_path: Path) -> None:
    """A secret that a child prints in two pieces does not reach the log."""
    code = """
child = "import os, time; os.write(1, b'a known-'); time.sleep(0.3); os.write(1, b'value b')"
outcome = go(sys.executable, "-c", child, log=Path("a.log"),
             make_filter=Redactor(["known-value"]).stream)
print(Path("a.log").read_text())
"""
    assert drive(code, tmp_path) == "a [REDACTED] b\n"


def test_a_tail_keeps_the_end_of_many_small_pieces() -> None:
    """The tail is the same whatever the pieces were."""
    tail = Tail(5)
    for number in range(100):
        tail.add(b"%d," % number)
    assert (tail.value(), tail.total) == (b"8,99,", 290)
