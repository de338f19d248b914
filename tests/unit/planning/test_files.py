"""Reading bundle files: whatever lies in the directory, a clear problem and never a hang."""

from __future__ import annotations

import codecs
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.planning.api import ProblemType
from penstock.planning.files import (
    MAX_BYTES,
    UnreadableError,
    bundle_files,
    place,
    read_bytes,
    read_text,
)
from penstock.planning.load import load_bundles
from tests.support.bundles import bundle_dict, write_bundles

TEXT = '{"a": "é"}'


def refusal(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(UnreadableError) as caught:
        read_text(path)
    return str(caught.value)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf_8_is_read_with_or_without_its_mark(tmp_path: Path, mark: bytes) -> None:
    """Editors that put a byte order mark before UTF-8 do no harm."""
    path = tmp_path / "a.json"
    path.write_bytes(mark + TEXT.encode())
    assert read_text(path) == TEXT


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16", "UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8"),
        ("utf-32", "UTF-32, expected UTF-8"),
        ("utf-16-le", "not UTF-8: byte 0xe9"),
        ("latin-1", "not UTF-8: byte 0xe9 at line 1 column 8; convert it: iconv -f ISO-8859-1"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, words: str) -> None:
    """The message names the encoding or the byte, and the command that converts the file."""
    path = tmp_path / "a.json"
    path.write_bytes(TEXT.encode(encoding))
    assert words in refusal(path)


def test_utf_16_without_mark_and_accents_is_recognised(tmp_path: Path) -> None:
    """Plain letters in UTF-16 are valid UTF-8 with NULs; that is seen too."""
    path = tmp_path / "a.json"
    path.write_bytes('{"a": 1}'.encode("utf-16-le"))
    assert "looks like UTF-16" in refusal(path)


def test_a_bad_byte_is_placed_behind_lines_and_a_mark(tmp_path: Path) -> None:
    """Line and column count characters, not bytes, and leave the mark out."""
    path = tmp_path / "a.json"
    path.write_bytes(codecs.BOM_UTF8 + "é\nüü".encode() + b"\xff")
    assert "byte 0xff at line 2 column 3" in refusal(path)
    assert place("") == (1, 1)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    """Ten megabytes are read, one byte more is refused with the way out."""
    path = tmp_path / "a.json"
    path.write_bytes(b" " * MAX_BYTES)
    assert len(read_text(path)) == MAX_BYTES
    with path.open("ab") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert "larger than 10 MB; split it" in refusal(path)


def make_fifo(path: Path) -> None:
    """Make a named pipe that nobody writes to."""
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """Make a socket and leave it behind."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "a directory, not a regular file"),
        (make_fifo, "a named pipe, not a regular file"),
        (make_socket, "cannot be opened"),
        (lambda path: path.symlink_to(path), "a symbolic link that leads nowhere"),
        (lambda path: path.symlink_to("missing.json"), "a symbolic link that leads nowhere"),
        (lambda path: path.symlink_to("/etc/hostname"), "outside its directory"),
        (lambda path: path.symlink_to("/dev/zero"), "outside its directory"),
    ],
)
def test_what_is_no_file_is_a_clear_problem(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    """Directories, pipes, sockets and links out of the directory are named, nothing waits."""
    make(tmp_path / "a.json")
    assert words in refusal(tmp_path / "a.json")
    report = load_bundles([], tmp_path)
    assert [(p.type, p.file) for p in report.errors] == [
        (ProblemType.SCHEMA, str(tmp_path / "a.json"))
    ]


def test_a_link_within_the_directory_is_followed_once(tmp_path: Path) -> None:
    """A link to a file beside it is that file, and not a second bundle of the same id."""
    write_bundles(tmp_path, "a.json", bundle_dict())
    (tmp_path / "b.json").symlink_to("a.json")
    (tmp_path / "sub").mkdir()
    write_bundles(tmp_path / "sub", "c.json", bundle_dict("ws-c"))
    (tmp_path / "d.json").symlink_to("sub/c.json")
    report = load_bundles([], tmp_path)
    assert report.ok
    assert [loaded.bundle.id for loaded in report.bundles] == ["ws-a", "ws-c"]


def test_a_directory_that_is_a_link_is_no_way_out(tmp_path: Path) -> None:
    """The user may keep the whole directory elsewhere."""
    write_bundles(tmp_path / "real", "a.json", bundle_dict())
    (tmp_path / "workstreams").symlink_to("real")
    assert load_bundles([], tmp_path / "workstreams").ok


def as_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file unreadable; for root, who may read all, the refusal is played."""
    path.chmod(0)
    if os.access(path, os.R_OK):

        def refuse(*_args: object) -> int:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "open", refuse)


def test_a_file_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is in the message."""
    path = write_bundles(tmp_path, "a.json", bundle_dict())
    as_nobody(path, monkeypatch)
    assert refusal(path) == "cannot be opened: Permission denied"


def test_a_read_that_fails_is_told(tmp_path: Path) -> None:
    """An error of the disk in the middle is a problem of that file."""
    mem = Path("/proc/self/mem")
    if not mem.exists():
        pytest.skip("needs a file whose reading fails: /proc/self/mem")
    assert refusal(mem) == "cannot be read: Input/output error"


def test_a_name_that_is_no_path_is_told() -> None:
    """A NUL in a name is refused by the system, and that is passed on."""
    assert "null" in refusal(Path("a\0b.json"))


def test_a_directory_lists_its_json_files_only(tmp_path: Path) -> None:
    """Only `*.json` directly inside, in path order, hidden ones left out."""
    for name in ("b.json", "a.json", "c.txt", "d.JSON", ".e.json"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.json").touch()
    assert [path.name for path in bundle_files(tmp_path)] == ["a.json", "b.json"]


def test_a_directory_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    """A directory that is none is an error with the system's reason."""
    with pytest.raises(UnreadableError, match="cannot be listed: No such file"):
        bundle_files(tmp_path / "missing")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")
def test_a_file_may_hold_more_than_it_says() -> None:
    """Those of /proc say nothing of their size; the limit holds all the same."""
    assert b"VmSize:" in read_bytes(Path("/proc/self/status"))
    with pytest.raises(UnreadableError, match="larger than"):
        read_bytes(Path("/proc/self/status"), limit=10)
