"""The file that keeps an index of symbols."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.planning.scoping import symbolfile
from penstock.planning.scoping.definitions import Named
from penstock.planning.scoping.symbolfile import (
    DAMAGED,
    NAME,
    DamagedError,
    Entry,
    Kept,
    load,
    save,
    set_aside,
)

KEPT = Kept(1, 5, {"src/a.py": Entry(10, 20, b"digest", Named("load\nBasket", (1, 2), "fc"))})


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """An index comes back as it was, in the form of today."""
    save(tmp_path, KEPT)
    assert load(tmp_path) == KEPT


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    """A folder without an index, or none at all, keeps nothing."""
    assert load(tmp_path) is None
    assert load(tmp_path / "gone") is None


def test_a_newer_index_replaces_the_older(tmp_path: Path) -> None:
    """Keeping again leaves one file of the same mode."""
    save(tmp_path, KEPT)
    save(tmp_path, Kept(2, 6, {}))
    assert load(tmp_path) == Kept(2, 6, {})
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_noticed(tmp_path: Path, at: int, change: int) -> None:
    """Whichever byte of the file is another, it is told as damaged."""
    save(tmp_path, KEPT)
    content = bytearray((tmp_path / NAME).read_bytes())
    content[at % len(content)] ^= change
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(DamagedError):
        load(tmp_path)


def test_a_whole_file_of_something_else_is_noticed(tmp_path: Path) -> None:
    """What has the right hash and another shape is damaged too."""
    payload = msgspec.msgpack.encode({"rules": 1})
    head = b"penstock symbols " + symbolfile._hash(payload)
    (tmp_path / NAME).write_bytes(head + payload)
    with pytest.raises(DamagedError):
        load(tmp_path)


def test_no_link_is_followed(tmp_path: Path) -> None:
    """An index that somebody linked to elsewhere is neither read nor written through."""
    other = tmp_path / "other"
    other.write_text("theirs")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / NAME).symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        load(tmp_path / "state")
    save(tmp_path / "state", KEPT)
    assert (other.read_text(), load(tmp_path / "state")) == ("theirs", KEPT)


def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    """Something that is no regular file is told at once."""
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(OSError, match="regular"):
        load(tmp_path)


def test_setting_aside(tmp_path: Path) -> None:
    """What is damaged takes the place of what was set aside before; nothing is fine too."""
    for text in ("one", "two"):
        (tmp_path / NAME).write_text(text)
        set_aside(tmp_path)
    set_aside(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(DAMAGED, "two")]


def test_what_cannot_be_written_leaves_no_draft(tmp_path: Path) -> None:
    """Where the index cannot take its place, the draft of it goes."""
    (tmp_path / NAME).mkdir()
    with pytest.raises(OSError, match="directory"):
        save(tmp_path, KEPT)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
