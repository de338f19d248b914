"""The index over files as they are: line ends, marks, bad bytes, things that are no files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.specs.api import SpecIndex
from penstock.planning.specs.index import build_index, is_map
from tests.support.repos import write


def index(tmp_path: Path, files: dict[str, str | bytes | None]) -> SpecIndex:
    """The index of a repository with these documents."""
    write(tmp_path, {f"docs/{name}": content for name, content in files.items()})
    return build_index(tmp_path / "docs", root=tmp_path)


def rows(found: SpecIndex) -> list[str]:
    """Its rows as text."""
    return [f"{row.idx} {row.file}:{row.line} {row.description}" for row in found.rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_marks_change_nothing(tmp_path: Path, end: str, mark: bytes) -> None:
    """Lines are those of an editor; a form feed or U+2028 ends none."""
    text = end.join(("# Storage\u2028x\f", "", "[IDX-DB-1]", "[IDX-DB-2] tables", ""))
    found = index(tmp_path, {"a.md": mark + text.encode()})
    assert rows(found) == ["IDX-DB-1 docs/a.md:3 Storage x", "IDX-DB-2 docs/a.md:4 tables"]
    assert found.notices == ()


def test_files_and_lines_give_the_order(tmp_path: Path) -> None:
    """Not the tags; files without any are counted."""
    found = index(tmp_path, {"b.txt": "[IDX-A-1] b\n", "a.md": "x\n[IDX-B-1] a\n", "c.md": "no\n"})
    assert rows(found) == ["IDX-B-1 docs/a.md:2 a", "IDX-A-1 docs/b.txt:1 b"]
    assert found.files == 3


def test_bad_utf8_is_read_and_told(tmp_path: Path) -> None:
    """With the line of the first bad byte."""
    found = index(tmp_path, {"a.md": b"# x\n\xff [IDX-A-1] caf\xe9\n"})
    assert rows(found) == ["IDX-A-1 docs/a.md:2 caf\N{REPLACEMENT CHARACTER}"]
    assert [(note.code, str(note.place)) for note in found.notices] == [
        ("bad-encoding", "docs/a.md:2")
    ]


@pytest.mark.parametrize(
    "content",
    ["[IDX-A-1] x\n".encode("utf-16"), b"[IDX-A-1]\0\0binary", "[IDX-A-1]".encode("utf-32")],
)
def test_other_encodings_are_told(tmp_path: Path, content: bytes) -> None:
    """They are not read, and never passed over in silence."""
    found = index(tmp_path, {"a.md": content, "b.md": "[IDX-B-1] b\n"})
    assert rows(found) == ["IDX-B-1 docs/b.md:1 b"]
    assert [(note.code, str(note.place)) for note in found.notices] == [
        ("unreadable", "docs/a.md:1")
    ]


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    """A pipe under the name of a document is told."""
    (tmp_path / "docs").mkdir()
    os.mkfifo(tmp_path / "docs" / "pipe.md")
    found = index(tmp_path, {"b.md": "[IDX-B-1] b\n"})
    assert rows(found) == ["IDX-B-1 docs/b.md:1 b"]
    assert "a named pipe" in found.notices[0].text


def test_near_misses_are_told_even_without_a_tag(tmp_path: Path) -> None:
    """In capitals or not."""
    found = index(tmp_path, {"a.md": "[idx-a-1]\n", "b.md": "[IDX_A_1]\n"})
    assert [str(note.place) for note in found.notices] == ["docs/a.md:1", "docs/b.md:1"]


def test_the_document_of_a_mapping_is_left_out(tmp_path: Path) -> None:
    """What it says of tags is not where they stand."""
    found = index(tmp_path, {"map.md": "\ufeff\n# Spec Index Mapping\n\n[IDX-A-1] x\n"})
    assert (found.tags, found.files) == ((), 1)
    assert not is_map("# Spec\n# Spec Index Mapping\n")


def test_five_megabytes_are_read(tmp_path: Path) -> None:
    """The last line is as good as the first."""
    text = "# Title\n" + "a line of text that is not looked at\n" * 140_000 + "[IDX-A-1]\n"
    assert rows(index(tmp_path, {"a.md": text})) == ["IDX-A-1 docs/a.md:140002 Title"]


@given(st.binary(max_size=120), st.binary(max_size=60))
def test_any_bytes_are_read_or_told(before: bytes, after: bytes) -> None:
    """A tag among rubbish is a row, or its file is told; never an error, never silence."""
    with tempfile.TemporaryDirectory() as name:
        content = before + b"\n[IDX-A-1] x\n" + after
        found = index(Path(name), {"a.md": content})
    told = [note.code for note in found.notices]
    assert (
        is_map_like(content)
        or any(row.idx == "IDX-A-1" for row in found.rows)
        or "unreadable" in told
    )


def is_map_like(content: bytes) -> bool:
    """Tell whether rubbish happens to begin like a mapping."""
    return is_map(content.decode("utf-8-sig", "replace"))
