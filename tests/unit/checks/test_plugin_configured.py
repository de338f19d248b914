"""Configuration files that a plugin needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.plugins.configured import first_config
from tests.support.repofiles import write_files


def test_the_first_pattern_that_fits(tmp_path: Path) -> None:
    """Patterns are tried in order, each taking its first file by name."""
    write_files(tmp_path, {"b.config.js": "", "a.config.ts": "", "packages/x/eslint.config.js": ""})
    assert first_config(("none", "*.config.*"), tmp_path) == "a.config.ts"
    assert first_config(("packages/*/eslint.config.js",), tmp_path) == "packages/x/eslint.config.js"
    assert first_config(("packages",), tmp_path) == "packages"
    assert first_config(("eslint.config.js",), tmp_path) is None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("[tool.black]\n", "pyproject.toml"),
        ("[tool]\nblack = 1\n", "pyproject.toml"),
        ("[tool.blackish]\n", None),
        ("tool = 3\n", None),
        ("[tool.black\n", None),
        ("[tool.black]\nx = '\\udcff'", "pyproject.toml"),
    ],
)
def test_a_table_of_a_file(tmp_path: Path, text: str, result: str | None) -> None:
    """With a `#`, the file must have the table; one that cannot be parsed has none."""
    write_files(tmp_path, {"pyproject.toml": text})
    assert first_config(("pyproject.toml#tool.black",), tmp_path) == result


@pytest.mark.parametrize("pattern", ["/etc/*", "a\0b", "*\0", "pyproject.toml#x"])
def test_what_cannot_be_looked_at_fits_not(tmp_path: Path, pattern: str) -> None:
    """Patterns that no file can have, and folders instead of files, fit nothing."""
    (tmp_path / "pyproject.toml").mkdir()
    assert first_config((pattern,), tmp_path) is None
