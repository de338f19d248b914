"""What is installed beside a tool counts in its keys: distributions and node packages."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.checks.inspection.contents import Contents
from penstock.checks.inspection.installed import node_packages, python_packages
from penstock.checks.inspection.keys import Ledger, because
from penstock.checks.plugins.port import ToolFacts
from tests.support.ledgers import TOOL, place_of, plugin, write

SITE = "lib/python3.12/site-packages"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a Python environment and node packages."""
    root = tmp_path / "project"
    write(
        root,
        {
            "a.py": "",
            ".venv/bin/python": "",
            f".venv/{SITE}/stubs-1.0.dist-info/METADATA": "",
            "node_modules/.package-lock.json": "{}",
            "node_modules/eslint/package.json": "{}",
        },
    )
    return root


def tool_in(home: Path) -> ToolFacts:
    """A tool in an environment of its own, reached by a link as installers make them."""
    write(home, {"env/bin/lint": "", f"env/{SITE}/lint-1.0.dist-info/METADATA": ""})
    (home / "bin").mkdir()
    (home / "bin/lint").symlink_to(home / "env/bin/lint")
    return ToolFacts(executable=home / "bin/lint", version="1.0", identity="i")


def python(tree: Path, tool: ToolFacts | None = TOOL) -> str:
    """The digest of what is installed for Python."""
    return python_packages(place_of(tree), tool, Contents(), {})


def node(tree: Path, tool: ToolFacts | None = TOOL) -> str:
    """The digest of what is installed for node."""
    return node_packages(place_of(tree), tool, Contents())


def changes(look: Callable[[], str], change: Callable[[], object]) -> bool:
    """Tell whether a change of the disk changes a digest, which stays the same before it."""
    first = look()
    assert look() == first
    change()
    return look() != first


def test_a_distribution_counts(tree: Path) -> None:
    """One that is added, replaced by another version, or installed again counts."""
    site = tree / ".venv" / SITE
    assert changes(lambda: python(tree), lambda: (site / "more-2.0.dist-info").mkdir())
    upgrade = (site / "stubs-1.0.dist-info").rename
    assert changes(lambda: python(tree), lambda: upgrade(site / "stubs-1.1.dist-info"))
    assert changes(lambda: python(tree), lambda: os.utime(site / "stubs-1.1.dist-info", (1, 1)))


def test_a_link_to_other_packages_counts(tree: Path) -> None:
    """What an editable install leads to is part of the digest, plain modules are not."""
    site = tree / ".venv" / SITE
    assert changes(lambda: python(tree), lambda: (site / "mine.pth").write_text("/src"))
    assert changes(lambda: python(tree), lambda: (site / "mine.pth").write_text("/other"))
    assert not changes(lambda: python(tree), lambda: (site / "mod.py").write_text(""))


def test_the_sources_of_a_linked_package_count(tree: Path, tmp_path: Path) -> None:
    """A package in development elsewhere counts with its files; one in the tree is known already."""
    write(tmp_path, {"common/src/common/a.py": "x: int\n", "project/libs/b.py": ""})
    links = f"{tmp_path}/common/src\n{tree}/libs\nimport os\n/gone\nrelative\n"
    (tree / ".venv" / SITE / "links.pth").write_text(links)
    edit = {"common/src/common/a.py": "x: bytes\n"}
    assert changes(lambda: python(tree), lambda: write(tmp_path, edit))
    assert not changes(lambda: python(tree), lambda: write(tree, {"libs/b.py": "x = 1\n"}))
    traces = {"common/src/__pycache__/a.pyc": "x", "common/src/.cache/a.py": "", "common/src/x": ""}
    assert not changes(lambda: python(tree), lambda: write(tmp_path, traces))


def test_the_python_on_path_counts_without_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools that ask the Python on PATH for its packages depend on these."""
    home, tree = tmp_path / "python", tmp_path / "tree"
    write(home, {"bin/python": "#!/bin/sh\n", f"{SITE}/a-1.0.dist-info/METADATA": ""})
    (home / "bin/python").chmod(0o755)
    tree.mkdir()
    monkeypatch.setenv("PATH", f"{home}/bin:/usr/bin:/bin")
    assert changes(lambda: python(tree), (home / SITE / "b-1.0.dist-info").mkdir)


def test_what_lies_beside_the_tool_counts(tree: Path, tmp_path: Path) -> None:
    """The tool's own environment holds its plugins, also when it is reached by a link."""
    tool = tool_in(tmp_path / "tools")
    site = tmp_path / "tools/env" / SITE
    assert changes(lambda: python(tree, tool), (site / "plugin-1.0.dist-info").mkdir)


def test_without_an_environment_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an environment nor a tool nor a Python: the same digest everywhere."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert python(tmp_path, None) == python(tmp_path / "gone", None)
    assert node(tmp_path, None) == node(tmp_path / "gone", None)


def test_an_installer_s_record_counts(tree: Path) -> None:
    """The lock file in node_modules tells what is there."""
    record = tree / "node_modules/.package-lock.json"
    assert changes(lambda: node(tree), lambda: record.write_text('{"a": 1}'))


def test_without_a_record_each_package_counts(tree: Path) -> None:
    """Packages, scoped ones too, count by when they were installed."""
    modules = tree / "node_modules"
    (modules / ".package-lock.json").unlink()
    assert changes(lambda: node(tree), lambda: write(modules, {"left/package.json": ""}))
    assert changes(lambda: node(tree), lambda: write(modules, {"@a/b/package.json": ""}))
    assert changes(lambda: node(tree), lambda: os.utime(modules / "@a/b/package.json", (1, 1)))


def test_the_packages_around_a_node_tool_count(tree: Path, tmp_path: Path) -> None:
    """A tool installed elsewhere brings its own packages."""
    home = tmp_path / "global/lib/node_modules"
    write(home, {"eslint/bin/eslint.js": "", "plugin/package.json": ""})
    tool = ToolFacts(executable=home / "eslint/bin/eslint.js", version="9", identity="i")
    assert changes(lambda: node(tree, tool), lambda: write(home, {"new/package.json": ""}))


@pytest.mark.parametrize("kind", ["python", "node", ""])
def test_a_plugin_says_which_packages_count(tree: Path, kind: str) -> None:
    """Packages are part of the key of plugins that declare so, and of no other's."""
    which = plugin(packages=kind)
    before = Ledger(place_of(tree), listing=()).parts(which, TOOL, "a.py")
    write(tree, {"node_modules/.package-lock.json": "[]"})
    (tree / ".venv" / SITE / "more-2.0.dist-info").mkdir()
    after = Ledger(place_of(tree), listing=()).parts(which, TOOL, "a.py")
    assert because(before, after).startswith("installed packages" if kind else "its result")
