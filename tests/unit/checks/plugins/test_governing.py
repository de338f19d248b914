"""Which configuration governs a file, and who formats Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.plugins.governing import governed_by
from penstock.checks.plugins.prettierfiles import is_markdown, prettier_formats
from tests.support.repofiles import write_files


def test_a_file_is_governed_from_its_folder_up(tmp_path: Path) -> None:
    """Configurations beside it and above it count, up to the tree; those elsewhere do not."""
    tree = tmp_path / "tree"
    write_files(tree, {"a/x.cfg": "", "a/b/c.txt": "", "d/e.txt": ""})
    (tmp_path / "x.cfg").write_text("")
    governs = governed_by(tree, ("x.*",))
    assert governs("a/b/c.txt")
    assert governs("a/c.txt")
    assert not governs("d/e.txt")
    assert not governs("top.txt")
    assert not governs("gone/deep/x.txt")


@pytest.mark.parametrize(
    "package", ["{broken", "[]", '{"prettier": null}', "[" * 100_000, '{"name": "prettier"}']
)
def test_a_package_that_says_nothing_of_prettier(tmp_path: Path, package: str) -> None:
    """A package.json that is broken, deep or silent configures nothing."""
    write_files(tmp_path, {"package.json": package})
    assert not prettier_formats(tmp_path)("a.md")


def test_a_package_may_name_a_shared_configuration(tmp_path: Path) -> None:
    """A name in place of options is a configuration, too; folders and links are no packages."""
    write_files(
        tmp_path, {"package.json": '{"prettier": "@x/prettier-config"}', "b/package.json/x": ""}
    )
    assert prettier_formats(tmp_path)("b/a.md")


def test_markdown_is_known_by_name() -> None:
    """Both endings, in any case."""
    assert is_markdown("a/README.MD")
    assert is_markdown("a.markdown")
    assert not is_markdown("md/a.txt")
