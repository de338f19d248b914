"""A file is replaced whole, or stays as it is, whatever the disk and others do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.checks.inspection import replace
from penstock.checks.inspection.lineends import is_uniformly_crlf, with_ends_of
from penstock.checks.inspection.replace import Refusal, Swap
from tests.support import unprivileged

TOP = Path(__file__).parents[4]
GROWING = """
import resource, signal, sys
from penstock.checks.inspection import replace
(swap,) = replace.swaps([(sys.argv[1], b"old\\n", b"x" * 5000)], "t")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    replace.replace(swap)
except replace.Refusal as refusal:
    print(refusal)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to replace."""
    path = tmp_path / "a.py"
    path.write_bytes(b"old\n")
    return path


def swap_of(path: Path, before: bytes = b"old\n", after: bytes = b"new\n") -> Swap:
    """A replacement of a file."""
    (swap,) = replace.swaps([(str(path), before, after)], "token")
    return swap


def test_a_file_is_replaced(file: Path) -> None:
    """The new content stands in its place, and nothing beside it."""
    replace.replace(swap_of(file))
    assert file.read_bytes() == b"new\n"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("before", [b"other\n", b"odd\n", b"", b"old\nand more"])
def test_a_file_of_other_content_is_refused(file: Path, before: bytes) -> None:
    """What is not what the change was made from stays."""
    with pytest.raises(Refusal, match="changed meanwhile"):
        replace.replace(swap_of(file, before))
    assert file.read_bytes() == b"old\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_change_while_the_new_content_is_written_is_seen(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user saves, or does to the mode, in the last moment wins."""
    monkeypatch.setattr(os, "fsync", lambda _: file.write_bytes(b"mine\n"))
    with pytest.raises(Refusal, match="changed meanwhile"):
        replace.replace(swap_of(file))
    monkeypatch.setattr(os, "fsync", lambda _: file.chmod(0o700))
    with pytest.raises(Refusal, match="changed meanwhile"):
        replace.replace(swap_of(file, b"mine\n"))
    assert (file.read_bytes(), list(file.parent.iterdir())) == (b"mine\n", [file])


def test_a_full_disk_leaves_the_file(file: Path) -> None:
    """When the new content finds no room, the old one stays and no piece is left behind."""
    assert "File too large" in unprivileged.python(GROWING, [file], cwd=TOP)
    assert (file.read_bytes(), list(file.parent.iterdir())) == (b"old\n", [file])


def test_an_occupied_temporary_name_is_not_overwritten(file: Path) -> None:
    """A trap at the temporary name is not followed."""
    swap = swap_of(file)
    victim = file.parent / "victim"
    victim.write_bytes(b"v\n")
    Path(swap.temporary).symlink_to(victim)
    with pytest.raises(Refusal, match="cannot be written: File exists"):
        replace.replace(swap)
    assert (victim.read_bytes(), file.read_bytes()) == (b"v\n", b"old\n")


OF_OTHERS = """
import os, sys
from penstock.checks.inspection import replace
(swap,) = replace.swaps([(sys.argv[1], b"old\\n", b"new\\n")], "t")
try:
    replace.replace(swap)
except replace.Refusal as refusal:
    print(refusal)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(file: Path) -> None:
    """When the owner cannot be kept, the file stays."""
    os.chown(file, 65534, 65534)
    file.chmod(0o666)
    assert "belongs to another user" in unprivileged.python(OF_OTHERS, [file], cwd=TOP)
    assert (file.read_bytes(), file.stat().st_uid) == (b"old\n", 65534)
    assert list(file.parent.iterdir()) == [file]


def test_a_list_of_leftovers_that_is_rubbish_does_no_harm(tmp_path: Path) -> None:
    """Whatever stands in the list, only our own temporary files go."""
    ledger, kept = tmp_path / "pending", tmp_path / "kept"
    kept.write_text("k\n")
    ledger.write_bytes(b"\xff\xfe\0\0" + bytes(kept) + b"\0../../etc/passwd\0" + b"x" * 9000)
    replace.clear(ledger, tmp_path)
    assert list(tmp_path.iterdir()) == [kept]
    replace.clear(ledger, tmp_path)


def test_folders_that_have_gone_need_no_flush(tmp_path: Path) -> None:
    """Making replacements durable is a best effort."""
    replace.flush_folders([str(tmp_path / "gone/a.py"), str(tmp_path / "a.py")])


@pytest.mark.parametrize(
    ("data", "uniform"),
    [
        (b"a\r\nb\r\n", True),
        (b"a\r\nb", True),
        (b"a\r\nb\n", False),
        (b"a\r\r\nb\r\n", False),
        (b"a\n", False),
        (b"a\rb", False),
        (b"", False),
        ("a\r\n".encode("utf-16"), False),
        (b"\0\r\n", False),
    ],
)
def test_a_text_of_windows_is_told(data: bytes, uniform: bool) -> None:
    """Only a text all of whose lines end in CR LF counts."""
    assert is_uniformly_crlf(data) is uniform


@pytest.mark.parametrize(
    ("original", "made", "kept"),
    [
        (b"a\r\n", b"b\nc\r\n", b"b\r\nc\r\n"),
        (b"a\n", b"b\r\n", b"b\n"),
        (b"a\r\nb\n", b"b\r\nc\n", b"b\r\nc\n"),
        (b"a\r", b"b\n", b"b\n"),
        (b"a", b"b\r\n", b"b\r\n"),
        (b"a\n\r", b"b\r\n", b"b\r\n"),
    ],
)
def test_line_ends_of_the_original_hold(original: bytes, made: bytes, kept: bytes) -> None:
    """What had one kind of line ends has it again."""
    assert with_ends_of(original, made) == kept
