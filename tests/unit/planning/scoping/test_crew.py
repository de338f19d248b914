"""Definitions read in processes of their own, which may die over a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from penstock.planning.scoping import crew
from penstock.planning.scoping.crew import UNREAD, Known, Share, Told, digest_of, in_child
from penstock.planning.scoping.definitions import NOTHING, definitions
from penstock.typed import typed_msgpack

TEXT = b"def load(): ...\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of four files."""
    for name in ("a.py", "b.py", "c.py", "d.py"):
        (tmp_path / name).write_bytes(TEXT)
    return tmp_path


def share(root: Path, *paths: str, digests: tuple[bytes, ...] = ()) -> Share:
    """A share of files, of which nothing is known."""
    return Share(str(root), paths, digests or (b"",) * len(paths), os.getpid())


def known(name: str = "a.py", text: bytes = TEXT) -> Known:
    """What is told of a file."""
    return Known(digest_of(text), definitions(name, text))


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let every child run some code instead, in which SHARE are the bytes that it is given."""
    begin = "import os, signal, sys\nSHARE = sys.stdin.buffer.read()\n"
    monkeypatch.setattr(crew, "_ARGV", (sys.executable, "-c", begin + code))


DIES_OVER_C = """
from penstock.planning.scoping import crew
from penstock.typed import typed_msgpack
share = typed_msgpack(SHARE, crew.Share)
if "c.py" in share.paths: os.kill(os.getpid(), signal.SIGSEGV)
import msgspec
sys.stdout.buffer.write(msgspec.msgpack.encode(crew.read_share(share)))
"""


def test_a_child_reads_what_we_would(root: Path) -> None:
    """A process of its own tells the same, and nothing of what is as it was."""
    told = in_child(share(root, "a.py", "b.py", "gone.py", digests=(b"", digest_of(TEXT), b"")))
    assert told == Told((known(), None, UNREAD))


def test_a_crash_costs_one_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a grammar crashes over a file, that file defines nothing and the others are read."""
    child(monkeypatch, DIES_OVER_C)
    told = in_child(share(root, "a.py", "b.py", "c.py", "d.py"))
    assert told == Told((known(), known(), Known(digest_of(TEXT), NOTHING), known()))


@pytest.mark.parametrize(
    "code", ["sys.exit(3)", "print('rubbish')", "pass", "print('\\x91\\x90', end='')"]
)
def test_a_child_that_tells_nothing_is_given_up(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Whatever a broken process says, it ends, and the files are known to define nothing."""
    child(monkeypatch, code)
    told = in_child(share(root, "a.py", "gone.py"))
    assert told == Told((Known(digest_of(TEXT), NOTHING), UNREAD))
    assert in_child(share(root)).known in ((), (UNREAD,))


def test_a_child_that_hangs_is_killed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over which the parser never ends costs the time limit and no more."""
    child(monkeypatch, "signal.pause()")
    monkeypatch.setattr(crew, "TIME_LIMIT_S", 0.2)
    assert in_child(share(root, "a.py")).known == (Known(digest_of(TEXT), NOTHING),)


def test_without_a_child_we_read_ourselves(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started the files are read here."""
    monkeypatch.setattr(crew, "_ARGV", (str(root / "no-such-program"),))
    assert in_child(share(root, "a.py")) == Told((known(),))


def test_shares_are_told_in_order(root: Path) -> None:
    """Whichever is done first, results come in the order of the shares, with the count of each."""
    counts: list[int] = []
    shares = [share(root, "a.py", "b.py"), share(root, "c.py")]
    told = list(crew.read_together(shares, counts.append))
    assert [(each.paths, len(result.known)) for each, result in told] == [
        (("a.py", "b.py"), 2),
        (("c.py",), 1),
    ]
    assert counts == [2, 1]


def test_no_shares_are_no_work() -> None:
    """Nothing to read starts nothing."""
    counts: list[int] = []
    assert list(crew.read_together([], counts.append)) == []


def test_an_orphan_breaks_off(root: Path) -> None:
    """A process whose parent is gone reads no further."""
    told = crew.read_share(share(root, "a.py"), orphaned=lambda: True)
    assert told == Told(())


def test_what_is_sent_comes_back_whole(root: Path) -> None:
    """Names in any script survive the way through the pipe."""
    sent = share(root, "文档/é.py")
    assert typed_msgpack(msgspec.msgpack.encode(sent), Share) == sent
