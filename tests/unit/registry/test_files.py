"""Files are read once as long as they stay the same, and a change is seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.registry.expand import expand, expand_all
from penstock.registry.files import FileCache, identity_of
from tests.support.registries import FOLDER, registry_of, settled, write_json, write_registry


class Reads:
    """Counts how often a file is read."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, path: Path) -> str:
        """Read it."""
        self.count += 1
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture
def reads() -> Reads:
    """A reader that counts."""
    return Reads()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that has been there for a while."""
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")
    return settled(path)


def test_an_unchanged_file_is_read_once(reads: Reads, file: Path) -> None:
    """The second time its value is known."""
    cache = FileCache(reads)
    assert cache.get(file) == cache.get(file) == "one"
    assert reads.count == 1


def test_a_change_of_any_kind_is_seen_at_once(reads: Reads, file: Path) -> None:
    """Another size, another time, another file of the same size and time, and none at all."""
    cache = FileCache(reads)
    cache.get(file)
    file.write_text("three", encoding="utf-8")
    assert cache.get(file) == "three"
    other = file.with_name("other")
    other.write_text("seven", encoding="utf-8")
    times = file.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)
    assert cache.get(file) == "seven"
    file.unlink()
    assert cache.get(file) == ""


def test_an_unchanged_file_is_read_again_after_its_time(reads: Reads, file: Path) -> None:
    """A file system may be too coarse to show a change."""
    cache = FileCache(reads, ttl_s=0.0)
    cache.get(file)
    cache.get(file)
    assert reads.count == 2


def test_a_file_that_was_just_written_is_not_remembered(reads: Reads, file: Path) -> None:
    """It might be written again within the same tick of the clock."""
    file.touch()
    cache = FileCache(reads)
    cache.get(file)
    cache.get(file)
    assert reads.count == 2


def test_an_identity_needs_a_file(tmp_path: Path) -> None:
    """What is not there, or no path at all, has none."""
    assert identity_of(tmp_path / "gone") is None
    assert identity_of(Path("\0")) is None


def test_a_changed_registry_is_seen(tmp_path: Path) -> None:
    """Rules that change on disk count for the next look."""
    folder = write_registry(tmp_path / FOLDER)
    assert "docs" not in registry_of(tmp_path).rules.capabilities
    rules = folder / "AIM_cross-tool" / "AIM_coordination-rules.json"
    write_json(rules, {"capabilities": {"docs": {"primary": "aider"}}})
    assert list(registry_of(tmp_path).rules.capabilities) == ["docs"]
    write_json(rules, {"capabilities": {"code": {"primary": "aider"}}})
    assert list(registry_of(tmp_path).rules.capabilities) == ["code"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("%A%/$A/${A}", "x/x/x"),
        ("$AB ${B} %C%", "$AB ${B} %C%"),
        ("100% of $5 %% $$", "100% of $5 %% $$"),
        ("$LOOP", "$A"),
        ("$MY_KEY %API_TOKEN% ${DB_PASSWORD}", "$MY_KEY %API_TOKEN% ${DB_PASSWORD}"),
    ],
)
def test_variables_are_filled_once(text: str, filled: str) -> None:
    """What is not set, is no name, or holds a secret stays as it is."""
    names = {"A": "x", "LOOP": "$A", "MY_KEY": "k", "API_TOKEN": "t", "DB_PASSWORD": "p"}
    assert expand(text, names) == filled


def test_every_text_of_a_value_is_filled() -> None:
    """Lists and mappings are walked into, other values stay."""
    value = {"$A": ["$A", {"b": "%A%"}, 1, None]}
    assert expand_all(value, {"A": "x"}) == {"$A": ["x", {"b": "x"}, 1, None]}
