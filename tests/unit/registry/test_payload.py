"""Payloads against the limits, with real files, links and folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.model.capability import SecurityLimits
from penstock.registry.payload import check_payload, resolve
from penstock.wiring import open_workspace
from tests.support.cli import git, make_repository
from tests.support.registries import FOLDER, registry_of, write_json
from tests.support.repofiles import write_files

LIMITS = SecurityLimits(
    max_payload_size_bytes=2000,
    max_file_count=3,
    allowed_file_patterns=("*.py", "*.tsx"),
    forbidden_paths=("/.env", "/build/", "/.git/"),
)


def count_none(paths: Sequence[str]) -> int:
    """Count as if nothing were tracked."""
    return 0


def check(root: Path, *files: Any, **more: Any) -> str | None:
    """Return the refusal of a payload with these files."""
    payload: Mapping[str, Any] = {"files": list(files), **more}
    return check_payload(root, payload, LIMITS, count_none)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a few files, beside which another folder lies."""
    files = {"src/a.py": "", ".env": "", "build/out.py": "", "app/[slug].tsx": ""}
    write_files(tmp_path / "outside", {"x.py": ""})
    return write_files(tmp_path / "tree", files)


def test_what_is_allowed(tree: Path) -> None:
    """Files that are there or to be made, spelt in any way, brackets in names included."""
    assert check(tree, "src/a.py", "./src/../src/a.py", "new/b.py") is None
    assert check(tree, "app/[slug].tsx", "src\\c.py") is None
    assert check(tree, str(tree / "src" / "a.py")) is None
    assert check(tree) is None
    assert check_payload(tree, {"prompt": "x"}, LIMITS, count_none) is None


def test_a_test_may_be_named_within_its_file(tree: Path) -> None:
    """`test_path` is judged as the file before `::`."""
    assert check(tree, test_path="src/a.py::test_b[1]") is None
    assert "forbidden path /.env" in (check(tree, test_path=".env::x") or "")


@pytest.mark.parametrize("name", [".env", "src/../.env", ".ENV", "src/./../.env", ".env/"])
def test_forbidden_in_any_spelling(name: str, tree: Path) -> None:
    """Neither `..` nor case hides what is meant."""
    assert "forbidden path /.env" in (check(tree, name) or "")


def test_links_are_followed(tree: Path) -> None:
    """A link to a forbidden file, through a linked folder too, and one out of the tree."""
    (tree / "src" / "link.py").symlink_to(tree / ".env")
    (tree / "linked").symlink_to(tree / "build")
    (tree / "away").symlink_to(tree.parent / "outside")
    assert check(tree, "src/link.py") == (
        "src/link.py (that is .env) lies under the forbidden path /.env"
    )
    assert "forbidden path /build/" in (check(tree, "linked/out.py") or "")
    assert check(tree, "away/x.py") == "away/x.py leads out of the repository"
    assert check(tree, "away/*.py") == "away/*.py leads out of the repository"


def test_a_forbidden_name_that_links_elsewhere(tree: Path) -> None:
    """What a path is called counts as much as where it leads."""
    (tree / "build" / "link.py").symlink_to(tree / "src" / "a.py")
    assert "forbidden path /build/" in (check(tree, "build/link.py") or "")


@pytest.mark.parametrize("name", ["../outside/x.py", "/etc/passwd", "src/../../outside/x.py"])
def test_paths_out_of_the_tree(name: str, tree: Path) -> None:
    """No limit needs to name them."""
    assert check(tree, name) == f"{name} leads out of the repository"


@pytest.mark.parametrize("name", ["", "  ", "a\0.py"])
def test_what_is_no_path(name: str, tree: Path) -> None:
    """An empty name or one with a NUL is refused as such."""
    assert check(tree, name) == f"{name!r} is no path"


def test_a_loop_of_links_is_judged_by_its_name(tree: Path) -> None:
    """What leads nowhere is no way around a limit."""
    (tree / "loop.py").symlink_to(tree / "loop.py")
    assert check(tree, "loop.py") is None
    assert "allowed file patterns" in (check(tree, "loop.exe") or "")


@pytest.mark.parametrize("files", [5, {"a": 1}, [1], "a.exe", [["a"]]])
def test_fields_of_another_shape(files: Any, tree: Path) -> None:
    """A field that holds no paths is said so; a single text is one path."""
    found = check_payload(tree, {"files": files}, LIMITS, count_none)
    assert found in (
        "files of the payload is no list of paths",
        "a.exe matches none of the allowed file patterns",
    )


def test_size_and_count(tree: Path) -> None:
    """The payload's size is that of its JSON; a file that is named twice counts once."""
    assert "more than max_payload_size_bytes (2000)" in (check(tree, prompt="x" * 2000) or "")
    assert check(tree, "a.py", "a.py", "b.py", "c.py") is None
    assert check(tree, "a.py", "b.py", "c.py", "d.py") == (
        "4 files are named, more than max_file_count (3)"
    )


def test_a_payload_that_is_no_json(tree: Path) -> None:
    """What cannot be written is refused, not raised."""
    assert "cannot be written as JSON" in (check(tree, prompt=object()) or "")


def test_resolved_forms(tree: Path) -> None:
    """A file has one form, a folder ends in a slash, a glob keeps its wildcards."""
    found = [resolve(tree, name) for name in ("src/a.py", "src", "src/*.py", ".")]
    forms = [path.resolved for path in found if not isinstance(path, str)]
    assert forms == [("src/a.py",), ("src/",), ("src/*.py",), ("/",)]


def test_folders_and_globs_count_with_their_tracked_files(tmp_path: Path) -> None:
    """In a real repository: git says how many files a claim stands for, and odd names are literal."""
    root = make_repository(tmp_path / "r")
    write_files(root, {f"src/{i}.py": "" for i in range(4)} | {"s*c/x.py": "", "src/b/y.md": ""})
    git(root, "add", ".")
    rules = {"capabilities": {}, "security": {"max_file_count": 4}}
    write_json(root / FOLDER / "AIM_cross-tool" / "AIM_coordination-rules.json", rules)
    with open_workspace(root) as workspace:
        assert workspace.check_payload(root, {"files": ["src/*.py"]}) is None
        assert workspace.check_payload(root, {"files": ["s*c/"]}) is None
        assert "5 files are named" in (workspace.check_payload(root, {"files": ["src/"]}) or "")
        assert "named" in (workspace.check_payload(root, {"files": ["src/**", "README.md"]}) or "")
        assert "named" in (workspace.check_payload(root, {"files": ["."]}) or "")


def test_the_packaged_limits_allow_ordinary_work(tmp_path: Path) -> None:
    """The documented patterns and folders, as a workstream meets them."""
    security = registry_of(tmp_path).rules.security
    files = ["src/a.py", "web/b.vue", "docs/c.md", "lib/d.kt"]
    assert check_payload(tmp_path, {"files": files}, security, count_none) is None
    for name in (".git/config", ".env.local", "node_modules/x.js", "a.exe", "dist/x.js"):
        assert check_payload(tmp_path, {"files": [name]}, security, count_none), name
