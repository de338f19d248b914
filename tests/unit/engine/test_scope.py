"""The scope check over single changes, and the files a tool is told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.engine.scope import FILES_NAMED, Violation, existing_files, violations
from penstock.model.bundle import Bundle
from penstock.worktrees.api import Change, ChangeKind, Changes
from tests.support.repos import write


def bundle(*scope: str) -> Bundle:
    """A bundle with this scope."""
    return Bundle(
        id="ws-a", openspec_change="c", ccpm_issue=1, gate=1, files_scope=scope, tasks=(), tool="t"
    )


def diff(*changes: Change, **more: Any) -> Changes:
    """A turn's diff."""
    return Changes(changes=changes, diff_hash="h", tree="t", **more)


def change(path: str, kind: ChangeKind = ChangeKind.MODIFIED, **more: Any) -> Change:
    """One change."""
    return Change(path=path, kind=kind, **more)


def test_what_is_inside_is_no_violation() -> None:
    """Files, directories and globs of the scope are free."""
    changes = diff(change("a.py"), change("docs/x/y.md"), change("src/b.py"))
    assert violations(bundle("a.py", "docs/", "src/*.py"), changes, ()) == ()


def test_both_names_of_a_rename_count() -> None:
    """Moving a file out of another's hands is a deletion there."""
    moved = change("a.py", ChangeKind.RENAMED, old_path="b.py")
    assert [v.path for v in violations(bundle("a.py"), diff(moved), ())] == ["b.py"]


@pytest.mark.parametrize("path", ["state/x", ".git/hooks/a", ".worktrees/b", ".state/c"])
def test_our_own_folders_are_always_refused(path: str) -> None:
    """Even a scope of everything does not open them."""
    assert len(violations(bundle("**"), diff(change(path)), ())) == 1


def test_links_out_and_submodules_are_violations_inside_the_scope() -> None:
    """What a path leads to counts, not only where it lies."""
    link = change("a", symlink_target="/etc", escapes=True)
    nested = change("b", submodule=True)
    assert len(violations(bundle("a", "b"), diff(link, nested), ())) == 2


def test_an_ignored_file_matters_under_a_protected_path_only() -> None:
    """Caches are listed, never a violation."""
    changes = diff(ignored=("__pycache__/a.pyc", "secrets/key"))
    found = violations(bundle("a"), changes, ("secrets/**",))
    assert [v.path for v in found] == ["secrets/key"]


def test_tampering_with_git_is_a_violation() -> None:
    """Each line is told as it is."""
    found = violations(bundle("a"), diff(tampering=("hook pre-commit was added",)), ())
    assert found == (Violation(path=".git", why="hook pre-commit was added"),)


def test_a_tool_is_told_of_the_files_in_its_scope(tmp_path: Path) -> None:
    """Exact files, all of a directory, what a glob matches; nothing that does not exist."""
    write(tmp_path, dict.fromkeys(["a.py", "docs/x/y.md", "src/b.py", "src/c.txt"], "x"))
    write(tmp_path, {"docs/__pycache__/z.pyc": "x"})
    found = existing_files(tmp_path, ("a.py", "gone.py", "docs/", "src/*.py"))
    assert found == ("a.py", "docs/x/y.md", "src/b.py")


def test_a_tool_is_not_told_of_thousands(tmp_path: Path) -> None:
    """A large directory is cut."""
    write(tmp_path, {f"d/{n}.py": "" for n in range(FILES_NAMED + 5)})
    assert len(existing_files(tmp_path, ("d",))) == FILES_NAMED


def test_a_strange_claim_names_no_file(tmp_path: Path) -> None:
    """Too long a name is no error here."""
    assert existing_files(tmp_path, ("x" * 5000,)) == ()
