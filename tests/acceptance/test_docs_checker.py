"""What docs/how-to/add-a-checker.md shows works for the reason that it gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.checks.plugins.manifests import read_manifest
from tests.support import docpages
from tests.support.cli import plain_environment
from tests.support.venvs import make_repo_venv

PAGE = docpages.ROOT / "docs" / "how-to" / "add-a-checker.md"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of the page, and an environment that holds ruff."""
    folder = tmp_path_factory.mktemp("docs") / "shop"
    for step in docpages.steps(PAGE):
        if step.file is not None:
            place = folder / step.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(step.text, encoding="utf-8")
    (folder / "tools" / "long_lines.py").chmod(0o755)
    (folder / "wide.py").write_text(f'x = 1\n"""{0:0120d}"""\n', encoding="utf-8")
    (folder / "notes.txt").write_text("a\tb\n", encoding="utf-8")
    make_repo_venv(folder)
    return folder


def check(shop: Path, plugin_id: str, path: str) -> list[dict[str, Any]]:
    """Return what a plugin of the page finds in a file."""
    mine = {**plain_environment(), "PIPELINE_ERROR_PLUGINS_PATH": str(shop / "mine")}
    mine["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), mine["PATH"]])
    command = [
        sys.executable,
        "-m",
        "penstock",
        "check",
        "--json",
        "--no-cache",
        "--only",
        plugin_id,
        path,
    ]
    done = subprocess.run(command, cwd=shop, env=mine, capture_output=True, text=True, check=False)
    (report,) = json.loads(done.stdout)["files"]
    issues: list[dict[str, Any]] = report["issues"]
    return issues


@pytest.mark.parametrize(
    ("plugin_id", "path", "expected"),
    [
        ("house_fixme", "prices.py", (5, None, "error", "style")),
        ("long_lines", "wide.py", (2, "long", "warning", "formatting")),
        ("house_docs", "prices.py", (4, "D103", "warning", "style")),
        ("no_tabs", "notes.txt", (1, "tab", "error", "formatting")),
    ],
)
def test_each_plugin_of_the_page_finds(
    shop: Path, plugin_id: str, path: str, expected: tuple[object, ...]
) -> None:
    """Its only finding is the one that the page is about, at its line."""
    (issue,) = check(shop, plugin_id, path)
    told = tuple(issue[name] for name in ("line", "code", "severity", "category"))
    assert told == expected
    assert issue["path"] == path


@pytest.mark.parametrize("plugin_id", ["house_fixme", "long_lines", "house_docs", "no_tabs"])
def test_each_plugin_of_the_page_passes_what_is_clean(shop: Path, plugin_id: str) -> None:
    """A clean file is no finding."""
    (shop / "clean.py").write_text('"""Nothing to find."""\n', encoding="utf-8")
    assert check(shop, plugin_id, "clean.py") == []


def test_the_manifests_of_the_page_have_no_mistake(shop: Path) -> None:
    """Each is one that penstock takes."""
    folders = [*(shop / "config" / "error_plugins").iterdir(), *(shop / "mine").iterdir()]
    assert len(folders) == 4
    for folder in folders:
        read_manifest(folder)
