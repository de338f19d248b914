"""Old trees are read as Windows wrote them, and of their vaults names only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.config.documents import MAX_BYTES, ConfigFileError
from penstock.errors import NotFoundError
from penstock.migration.legacy import NO_VAULT, Legacy, expanded, read_legacy
from tests.support.oldtrees import BLOB, TOOLSTACK, write_tree, write_vault


def read(folder: Path, vault: Path | None = None, **environ: str) -> Legacy:
    """Read a tree with these variables only."""
    return read_legacy(folder, "AI_MANGER", environ, vault)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_windows_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with and without a mark, and UTF-16; comments as PowerShell allows them."""
    text = "// é\n" + json.dumps(TOOLSTACK)
    found = read(write_tree(tmp_path, text, encoding))
    assert found.document.value == TOOLSTACK


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{", "line 1, column 2"), ("[1]", "expected a mapping"), ('{"a": 1, "a": 2}', "given twice")],
)
def test_a_broken_configuration_is_told_with_its_place(
    tmp_path: Path, text: str, expected: str
) -> None:
    """It is an error of that file."""
    with pytest.raises(ConfigFileError, match=expected) as caught:
        read(write_tree(tmp_path, text))
    assert caught.value.file == "AI_MANGER/config/toolstack.config.json"


def test_rubbish_and_size_are_refused(tmp_path: Path) -> None:
    """Neither bytes that are no text nor a file beyond all measure are read."""
    folder = write_tree(tmp_path)
    path = folder / "config" / "toolstack.config.json"
    path.write_bytes(b"\x80\x81")
    with pytest.raises(ConfigFileError, match="neither UTF-8 nor UTF-16"):
        read(folder)
    path.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(ConfigFileError, match="larger than"):
        read(folder)


def test_without_a_tree_it_says_how_to_name_one(tmp_path: Path) -> None:
    """The hint has the option."""
    with pytest.raises(NotFoundError) as caught:
        read(tmp_path / "AI_MANGER")
    assert "--source" in str(caught.value.hint)


def test_the_vault_is_found_where_windows_has_it(tmp_path: Path) -> None:
    """Variables have no case, names come in their order, and no value is kept."""
    vault = write_vault(tmp_path / "local")
    found = read(write_tree(tmp_path), localappdata=str(tmp_path / "local"))
    assert (found.vault, found.vault_names) == (str(vault), ("openai", "anthropic-key"))
    assert BLOB not in repr(found)


def test_a_vault_that_is_not_there(tmp_path: Path) -> None:
    """It is a warning; one that was named and is not there is an error."""
    folder = write_tree(tmp_path)
    assert read(folder).warnings == (NO_VAULT,)
    with pytest.raises(NotFoundError, match="there is no vault"):
        read(folder, tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "names"),
    [([{"Name": "a", "Value": "x"}, {"name": "b"}, 3], ("a", "b")), ({}, ()), (7, ())],
)
def test_other_forms_of_a_vault(tmp_path: Path, content: Any, names: tuple[str, ...]) -> None:
    """Lists of objects with a name are read; what has none is told."""
    vault = write_vault(tmp_path / "v", content)
    found = read(write_tree(tmp_path), vault)
    assert found.vault_names == names
    assert bool(found.warnings) is not bool(names)


def test_a_damaged_vault_is_told_without_a_piece_of_it(tmp_path: Path) -> None:
    """A value must not get onto the screen through an error."""
    vault = write_vault(tmp_path / "v")
    vault.write_text('{"openai": "' + BLOB)
    with pytest.raises(ConfigFileError) as caught:
        read(write_tree(tmp_path), vault)
    assert BLOB[:8] not in str(caught.value)


def test_other_files_of_the_tree_are_named(tmp_path: Path) -> None:
    """Nothing of them is used, and that is said."""
    folder = write_tree(tmp_path)
    (folder / "config" / "reports.json").write_text("{}")
    assert any("config/reports.json is not known" in text for text in read(folder).warnings)


def test_paths_of_windows() -> None:
    """`%NAME%` and `$env:NAME` are filled; one that is not set leaves no path."""
    assert expanded("%a%\\b\\$env:C", {"A": "x", "c": "y"}) == "x/b/y"
    assert expanded("%a%\\b", {}) is None
