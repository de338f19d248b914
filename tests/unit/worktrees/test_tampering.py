"""Git's own files, which a tool can write to as well as we can."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import GitError
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, opened, write


def executable(path: Path, text: str) -> Path:
    """Write a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_new_hook_is_told_and_does_not_run(tree: GitWorktree, root: Path, tmp_path: Path) -> None:
    """A hook that a tool adds is named; neither commit nor checkout run it."""
    for name in ("pre-commit", "post-commit", "post-checkout", "reference-transaction"):
        executable(root / ".git/hooks" / name, f"touch {tmp_path}/ran")
    write(tree.path, {"b": "1"})
    assert "hook pre-commit was added" in tree.changes().tampering
    tree.commit("x", {})
    tree.reset(tree.base)
    assert not (tmp_path / "ran").exists()
    assert tree.changes().tampering == ()


def test_hooks_of_the_user_do_not_run_either(root: Path, tmp_path: Path) -> None:
    """Hooks that were there before do not run for our commits, nor does a configured hooks path."""
    executable(tmp_path / "hooks/pre-commit", f"touch {tmp_path}/ran; exit 1")
    git(root, "config", "core.hooksPath", str(tmp_path / "hooks"))
    repo = opened(root)
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    write(tree.path, {"b": "1"})
    assert tree.changes().tampering == ()
    tree.commit("x", {})
    assert not (tmp_path / "ran").exists()


def test_a_changed_and_a_removed_hook_are_told(root: Path) -> None:
    """Hooks of the user that a tool rewrites or deletes are named."""
    hook = executable(root / ".git/hooks/pre-push", "exit 0")
    repo = opened(root)
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    executable(hook, "exit 0 # but more")
    assert tree.changes().tampering == ("hook pre-push was changed",)
    hook.unlink()
    assert tree.changes().tampering == ("hook pre-push was removed",)


@pytest.mark.parametrize(
    ("name", "value"),
    [("filter.evil.clean", "touch {}/ran; cat"), ("filter.evil.process", "touch {}/ran")],
)
def test_a_filter_in_the_shared_config_does_not_run(
    tree: GitWorktree, tmp_path: Path, name: str, value: str
) -> None:
    """A clean filter that a tool sets up is named and not run, and content stays as it is."""
    git(tree.path, "config", name, value.format(tmp_path))
    git(tree.path, "config", "filter.evil.required", "true")
    write(tree.path, {".gitattributes": "* filter=evil\n", "src/a.py": "A = 5\n"})
    changes = tree.changes()
    assert f"git setting {name} was added" in changes.tampering
    assert b"+A = 5" in tree.patch(["src/a.py"])
    tree.commit("x", {})
    tree.reset(tree.base)
    assert not (tmp_path / "ran").exists()


def test_a_filter_of_the_user_does_run(root: Path) -> None:
    """A filter that was set up before penstock started is honoured."""
    git(root, "config", "filter.up.clean", "tr a-z A-Z")
    write(root, {".gitattributes": "*.txt filter=up\n"})
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "with a filter")
    repo = opened(root)
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    write(tree.path, {"b.txt": "shout\n"})
    tree.changes()
    git(tree.path, "config", "filter.up.clean", "false")
    write(tree.path, {"c.txt": "too\n"})
    assert tree.changes().tampering == ("git setting filter.up.clean was changed",)
    commit = tree.commit("x", {})
    assert [git(root, "show", f"{commit}:{n}.txt") for n in "bc"] == ["SHOUT", "TOO"]


def test_fsmonitor_and_editor_do_not_run(tree: GitWorktree, tmp_path: Path) -> None:
    """Programs that git would start by itself are switched off."""
    evil = executable(tmp_path / "evil", f"touch {tmp_path}/ran")
    for name in ("core.fsmonitor", "core.editor", "core.pager", "diff.external", "gpg.program"):
        git(tree.path, "config", name, str(evil))
    git(tree.path, "config", "commit.gpgSign", "true")
    write(tree.path, {"src/a.py": "A = 5\n"})
    assert len(tree.changes().tampering) == 5
    tree.patch(["src/a.py"])
    tree.commit("x", {})
    assert "A = 5" in tree.diff_text(max_bytes=10_000)
    assert not (tmp_path / "ran").exists()


def test_settings_of_no_consequence_are_not_told(tree: GitWorktree) -> None:
    """What the user changes in everyday work (a remote, a tracked branch) is no tampering."""
    git(tree.path, "config", "branch.main.remote", "origin")
    git(tree.path, "config", "user.name", "Somebody Else")
    assert tree.changes().tampering == ()


def test_the_global_config_is_watched(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting put into the user's own `.gitconfig` is seen as well, even when it is a new file."""
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    repo = opened(root)
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    (tmp_path / ".gitconfig").write_text('[filter "evil"]\n\tclean = false\n')
    write(tree.path, {".gitattributes": "* filter=evil\n"})
    assert tree.changes().tampering == ("git setting filter.evil.clean was added",)


def test_ignore_rules_and_attributes_are_watched(tree: GitWorktree, root: Path) -> None:
    """`info/exclude`, with which new files could be hidden, is looked at."""
    write(root / ".git", {"info/exclude": "*.py\n", "info/attributes": "* -diff\n"})
    assert tree.changes().tampering == (
        ".git/info/exclude was changed",
        ".git/info/attributes was changed",
    )


def test_an_unreadable_config_stops_with_its_name(tree: GitWorktree, root: Path) -> None:
    """A config that a tool has broken is an error that names it, not a guess."""
    (root / ".git/config").write_text("[rubbish")
    with pytest.raises(GitError, match="settings cannot be read") as caught:
        tree.changes()
    assert str(root / ".git/config") in str(caught.value.hint)


def test_the_git_file_is_put_right(tree: GitWorktree, root: Path, tmp_path: Path) -> None:
    """A `.git` file that points elsewhere leads neither us nor the next tool astray."""
    git(tmp_path, "init", "--quiet", "decoy")
    (tree.path / ".git").write_text(f"gitdir: {tmp_path}/decoy/.git\n")
    write(tree.path, {"b": "1"})
    changes = tree.changes()
    assert changes.tampering == ("the worktree's .git was rewritten",)
    assert [c.path for c in changes.changes] == ["b"]
    assert git(tree.path, "rev-parse", "--show-toplevel") == str(tree.path)
    assert git(root, "log", "-1", "--format=%s", tree.commit("ours", {})) == "ours"


@pytest.mark.parametrize("kind", ["folder", "symlink", "gone"])
def test_a_git_file_that_is_no_file_is_put_right(
    tree: GitWorktree, tmp_path: Path, kind: str
) -> None:
    """A repository, a symlink or nothing in place of the `.git` file: it is made again."""
    place = tree.path / ".git"
    place.unlink()
    if kind == "folder":
        git(tree.path, "init", "--quiet")
    elif kind == "symlink":
        place.symlink_to(tmp_path)
    write(tree.path, {"b": "1"})
    assert [c.path for c in tree.changes().changes] == ["b"]
    assert place.is_file()


@pytest.mark.parametrize("name", ["gitdir", "commondir"])
def test_the_admin_files_are_put_right(tree: GitWorktree, name: str) -> None:
    """The admin folder's own pointers are checked and mended."""
    (tree.slot.admin / name).write_text("/tmp\n")
    write(tree.path, {"b": "1"})
    changes = tree.changes()
    assert changes.tampering == (f"the worktree's {name} was rewritten",)
    assert [c.path for c in changes.changes] == ["b"]


def test_settings_of_the_worktree_are_watched(tree: GitWorktree) -> None:
    """`config.worktree` with its extension switched on is seen and overlaid."""
    git(tree.path, "config", "extensions.worktreeConfig", "true")
    git(tree.path, "config", "--worktree", "filter.evil.clean", "false")
    write(tree.path, {".gitattributes": "* filter=evil\n", "src/a.py": "A = 5\n"})
    changes = tree.changes()
    assert "git setting extensions.worktreeconfig was added" in changes.tampering
    assert b"+A = 5" in tree.patch(["src/a.py"])


def test_a_commit_over_a_moving_index_is_refused(tree: GitWorktree) -> None:
    """What is committed is what was judged: an index changed in between is an error."""
    write(tree.path, {"b": "1"})
    tree.changes()
    write(tree.path, {"c": "1"})
    git(tree.path, "add", "c")
    with pytest.raises(GitError, match="changed after its diff"):
        tree.commit("x", {})


def test_a_commit_of_nothing_is_refused(tree: GitWorktree) -> None:
    """Without a staged change there is nothing to commit."""
    tree.changes()
    with pytest.raises(GitError):
        tree.commit("x", {})


def test_an_index_that_git_cannot_read_is_put_aside(tree: GitWorktree, repo: GitRepository) -> None:
    """A tool that destroys the index costs its flags, not the diff."""
    (tree.slot.admin / "index").write_bytes(b"rubbish")
    write(tree.path, {"b": "1"})
    assert [c.path for c in tree.changes().changes] == ["b"]
    tree.commit("x", {})
    repo.release(tree)
    assert not tree.path.exists()
