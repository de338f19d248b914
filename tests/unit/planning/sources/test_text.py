"""Files of plans as lines: numbers and offsets as an editor and a byte editor see them."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.files import UnreadableError
from penstock.planning.sources import text as text_module
from penstock.planning.sources.text import from_bytes, read_file
from tests.support.plan_texts import codes


def refusal(path: Path, within: Path | None = None) -> str:
    """Why a file cannot be read."""
    with pytest.raises(UnreadableError) as caught:
        read_file(path, "plan.md", within=within)
    return str(caught.value)


def test_each_kind_of_line_end_is_kept() -> None:
    """LF, CRLF, CR and a last line without any are told apart, with their byte offsets."""
    file = from_bytes(b"a\nb\r\nc\rd", "plan.md")
    assert [(line.text, line.end, line.offset) for line in file.lines] == [
        ("a", "\n", 0),
        ("b", "\r\n", 2),
        ("c", "\r", 5),
        ("d", "", 7),
    ]


def test_only_real_line_ends_end_lines() -> None:
    """A form feed, U+2028 and U+0085 are text, so that line numbers are those of editors."""
    file = from_bytes("a\fb\u2028c\u0085d\ne".encode(), "plan.md")
    assert [line.number for line in file.lines] == [1, 2]


def test_the_byte_order_mark_is_no_text_but_counts_as_bytes() -> None:
    """Text begins behind the mark, offsets count it."""
    file = from_bytes(b"\xef\xbb\xbf# T\nx", "plan.md")
    assert file.text == "# T\nx"
    assert [line.offset for line in file.lines] == [3, 7]


def test_an_empty_file_has_no_lines() -> None:
    """Nothing is nothing, not an empty line."""
    assert from_bytes(b"", "plan.md").lines == ()


@given(st.binary(max_size=200).filter(lambda raw: b"\0" not in raw))
def test_lines_make_up_the_bytes(raw: bytes) -> None:
    """Whatever the bytes, each line's offset points to it and the ends are those of the file."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    file = from_bytes(raw, "plan.md")
    offsets = [line.offset for line in file.lines] + [len(raw)]
    for line, after in zip(file.lines, offsets[1:], strict=True):
        part = raw[line.offset : after]
        assert part.endswith(line.end.encode())
        assert part[: len(part) - len(line.end)].decode(errors="replace") == line.text
    assert file.sha256 == hashlib.sha256(raw).hexdigest()


def test_bad_bytes_are_replaced_and_told() -> None:
    """A file in Latin-1 is read as far as it goes, and the notice names the line."""
    file = from_bytes("ok\ncaf\u00e9\n".encode("latin-1"), "plan.md")
    assert file.lines[1].text == "caf\N{REPLACEMENT CHARACTER}"
    (notice,) = file.notices
    assert (notice.code, str(notice.place)) == ("bad-encoding", "plan.md:2")
    assert "0xe9" in notice.text


def test_a_bad_byte_at_the_beginning_of_a_line_is_placed_there() -> None:
    """The line of the byte, not the one before."""
    (notice,) = from_bytes(b"a\nb\n\xff", "plan.md").notices
    assert str(notice.place) == "plan.md:3"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_refused_with_the_way_to_convert(encoding: str) -> None:
    """UTF-16 and UTF-32 have line numbers of their own: convert first."""
    with pytest.raises(UnreadableError, match="iconv -f UTF-"):
        from_bytes("- [ ] a".encode(encoding), "plan.md")


def test_binary_data_is_refused() -> None:
    """A picture is no plan."""
    with pytest.raises(UnreadableError, match="NUL"):
        from_bytes(b"PNG\0\0", "plan.md")


# -- reading ---------------------------------------------------------------------------------------
def test_a_file_is_read_under_the_name_people_use(tmp_path: Path) -> None:
    """The name is given, not the path."""
    (tmp_path / "x.md").write_bytes(b"- [ ] a\n")
    file = read_file(tmp_path / "x.md", "docs/x.md")
    assert (file.name, str(file.place(1))) == ("docs/x.md", "docs/x.md:1")
    assert codes(file.notices) == []


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    """Directories, pipes, sockets and what is not there: an answer, never a wait."""
    os.mkfifo(tmp_path / "pipe")
    assert "directory" in refusal(tmp_path)
    assert "named pipe" in refusal(tmp_path / "pipe")
    assert "No such file" in refusal(tmp_path / "none.md")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        assert refusal(tmp_path / "s")


def test_too_large_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit, and the message names it."""
    monkeypatch.setattr(text_module, "MAX_SOURCE_BYTES", 2**20)
    (tmp_path / "x.md").write_bytes(b"a" * (2**20 + 1))
    assert "larger than 1 MB" in refusal(tmp_path / "x.md")


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """What a repository's link pulls in from outside is not shown to any tool."""
    (tmp_path / "secret").write_bytes(b"- [ ] a")
    home = tmp_path / "repo"
    home.mkdir()
    (home / "tasks.md").symlink_to(tmp_path / "secret")
    assert "outside" in refusal(home / "tasks.md", home)
    assert read_file(home / "tasks.md", "tasks.md").lines[0].text == "- [ ] a"


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    """A link to a file beside it is fine, one to itself is refused."""
    (tmp_path / "a.md").write_bytes(b"x")
    (tmp_path / "b.md").symlink_to("a.md")
    (tmp_path / "loop").symlink_to("loop")
    assert read_file(tmp_path / "b.md", "b.md", within=tmp_path).raw == b"x"
    assert "cannot be opened" in refusal(tmp_path / "loop", tmp_path)
