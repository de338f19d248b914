"""Digests of files: the same for the same bytes, and never an old one for other bytes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checks.inspection import contents
from penstock.checks.inspection.contents import Contents, digest_of

OLD_NS = 1_700_000_000_123_456_789
"""A time long ago, with a fraction of a second."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "a.py"
    path.write_text("A = 1\n")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were read, as they are read."""
    seen: list[str] = []
    read = contents._read

    def noted(path: str) -> contents._Known:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(contents, "_read", noted)
    return seen


@given(st.lists(st.text()), st.lists(st.text()))
def test_no_two_sequences_of_texts_share_a_digest(one: list[str], two: list[str]) -> None:
    """Digests are equal exactly when the texts are, in their order."""
    clean = [[text.encode("utf-8", "replace") for text in texts] for texts in (one, two)]
    assert (digest_of(*clean[0]) == digest_of(*clean[1])) == (clean[0] == clean[1])


def test_a_file_is_read_once(file: Path, reads: list[str]) -> None:
    """One object sees a file at one moment, whatever becomes of it."""
    once = Contents()
    first = once.digest(str(file))
    file.write_text("B = 2\n")
    assert once.digest(str(file)) == first
    assert reads == [str(file)]


def test_equal_bytes_have_equal_digests(file: Path) -> None:
    """The name of a file is no part of its digest, its right to be executed is."""
    twin = file.with_name("twin.py")
    twin.write_text(file.read_text())
    assert Contents().digest(str(twin)) == Contents().digest(str(file))
    twin.chmod(0o755)
    assert Contents().digest(str(twin)) != Contents().digest(str(file))


def test_a_large_file_is_read_to_its_end(tmp_path: Path) -> None:
    """The last byte of a file of several pieces counts."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"x" * 3_000_000 + b"1")
    two.write_bytes(b"x" * 3_000_000 + b"2")
    assert Contents().digest(str(one)) != Contents().digest(str(two))


def test_what_is_no_file_has_no_digest(tmp_path: Path) -> None:
    """A folder, a FIFO, a missing file, a circle of links, a name that cannot be: none, at once."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    names = ("", "fifo", "gone", "loop", "a\0b")
    assert [Contents().digest(f"{tmp_path}/{name}") for name in names] == [None] * 5


# -- as it is now ------------------------------------------------------------------------------
def age(path: Path) -> None:
    """Wait until the file's status is old enough to be trusted."""
    status = path.stat()
    while time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < contents._TICK_NS * 1.5:
        time.sleep(0.01)


def test_an_unchanged_file_is_not_read_again(file: Path, reads: list[str]) -> None:
    """A file whose status is the same is not read for a later look."""
    age(file)
    once = Contents()
    first = once.digest(str(file))
    assert once.again().again().digest(str(file)) == first
    assert len(reads) == 1


def test_a_file_read_right_after_a_change_is_read_again(file: Path, reads: list[str]) -> None:
    """A status of the same tick as the reading proves nothing, so the file is read again."""
    once = Contents()
    file.write_text("A = 2\n")
    once.digest(str(file))
    once.again().digest(str(file))
    assert len(reads) == 2


@pytest.mark.parametrize("size", ["same", "other"])
def test_a_changed_file_has_another_digest(file: Path, size: str) -> None:
    """A change is seen by a later look, also one of the same size with its old time put back."""
    age(file)
    once = Contents()
    first, status = once.digest(str(file)), file.stat()
    file.write_text("A = 2\n" if size == "same" else "A = 22\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert once.again().digest(str(file)) != first


def test_a_file_put_in_its_place_has_another_digest(file: Path) -> None:
    """A file that was moved over the old one is seen."""
    age(file)
    once = Contents()
    first = once.digest(str(file))
    other = file.with_name("other")
    other.write_text("B = 1\n")
    other.replace(file)
    assert once.again().digest(str(file)) != first


def test_files_that_come_and_go_are_seen(file: Path) -> None:
    """A later look sees that a file has gone or come."""
    missing = file.with_name("missing.py")
    once = Contents()
    first = once.digest(str(file))
    assert once.digest(str(missing)) is None
    missing.write_text(file.read_text())
    file.unlink()
    later = once.again()
    assert (later.digest(str(missing)), later.digest(str(file))) == (first, None)


def test_a_missing_file_stays_missing(file: Path) -> None:
    """A file that is still not there has still no digest."""
    once = Contents()
    gone = str(file.with_name("gone"))
    assert (once.digest(gone), once.again().digest(gone)) == (None, None)


def test_times_of_whole_seconds_are_trusted_later(file: Path, reads: list[str]) -> None:
    """On a file system that counts in seconds a status must be older to prove anything."""
    known = contents._Known("d", (OLD_NS // 10**9 * 10**9,) * 2 + (6, 1, 1, 0o644), 0)
    read_at = known.status[0] if known.status else 0
    assert contents._is_settled(known.status or (), read_at + contents._TICK_NS * 2) is False
    assert contents._is_settled(known.status or (), read_at + contents._COARSE_TICK_NS * 2) is True


def test_a_forgotten_file_is_read_again(file: Path) -> None:
    """After a rewrite of ours the file is looked at anew."""
    once = Contents()
    first = once.digest(str(file))
    file.write_text("B = 2\n")
    once.forget([str(file), "never seen"])
    assert once.digest(str(file)) != first
