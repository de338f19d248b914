"""Copies, symlinks and set-up commands of a worktree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem, RepositoryError
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, opened, write


def lease(repo: GitRepository, name: str = "a") -> GitWorktree:
    """A worktree at HEAD."""
    return repo.lease(name, "r", f"workstream/{name}/r", repo.head())


def python(code: str) -> str:
    """A set-up command that runs Python."""
    return f'{sys.executable} -c "{code}"'


def test_ignored_files_are_copied_and_never_committed(root: Path) -> None:
    """`copy` brings files and folders that git ignores, with their modes, into the tree only."""
    write(root, {".env": "SECRET=1\n", "build/lib/x": "1"})
    (root / ".env").chmod(0o600)
    (root / "build/link").symlink_to("lib/x")
    tree = lease(opened(root, copy=(".env", "build")))
    assert (tree.path / ".env").read_text() == "SECRET=1\n"
    assert (tree.path / ".env").stat().st_mode & 0o777 == 0o600
    assert (tree.path / "build/link").readlink() == Path("lib/x")
    changes = tree.changes()
    assert (changes.empty, changes.ignored) == (True, ())


def test_worktreeinclude_is_honoured(root: Path) -> None:
    """Patterns of `.worktreeinclude` choose among the ignored files, at any depth."""
    write(root, {".env": "1", "src/.env": "2", "x.log": "3", "node_modules/a/b.js": "4"})
    write(root, {".worktreeinclude": "# secrets\n.env\n/node_modules/\n"})
    tree = lease(opened(root))
    found = [
        p for p in (".env", "src/.env", "x.log", "node_modules/a/b.js") if (tree.path / p).exists()
    ]
    assert found == [".env", "src/.env", "node_modules/a/b.js"]
    assert tree.changes().empty


def test_what_git_does_not_ignore_is_not_copied(root: Path) -> None:
    """An untracked file that would get into a commit is left out, and so is a tracked one."""
    write(root, {"notes.txt": "mine", "src/a.py": "dirty", ".worktreeinclude": "notes.txt\n*.py\n"})
    tree = lease(opened(root, copy=("notes.txt", "src/*.py")))
    assert not (tree.path / "notes.txt").exists()
    assert (tree.path / "src/a.py").read_text() == "A = 1\n"


def test_a_copy_is_not_committed_even_when_it_is_no_longer_ignored(root: Path) -> None:
    """A tool that rewrites `.gitignore` does not get the user's secrets into a commit."""
    write(root, {".env": "SECRET=1\n"})
    tree = lease(opened(root, copy=(".env",)))
    write(tree.path, {".gitignore": "!.env\n", "b": "1"})
    assert [c.path for c in tree.changes().changes] == [".gitignore", "b"]


def test_what_the_tree_tracks_is_not_replaced(root: Path) -> None:
    """A file that is ignored now but tracked at the start of the workstream is left alone."""
    write(root, {"x.log": "tracked"})
    git(root, "add", "--force", "x.log")
    git(root, "commit", "--quiet", "-m", "log")
    repo = opened(root, copy=("x.log",))
    start = repo.head()
    git(root, "rm", "--quiet", "x.log")
    git(root, "commit", "--quiet", "-m", "no log")
    write(root, {"x.log": "mine"})
    tree = repo.lease("a", "r", "workstream/a/r", start)
    assert (tree.path / "x.log").read_text() == "tracked"
    assert tree.changes().empty


def test_symlinks_are_laid_and_never_committed(root: Path) -> None:
    """A linked folder is not staged, although a pattern for folders does not match a symlink."""
    write(root, {"node_modules/a.js": "1", "README.md": "x\n"})
    repo = opened(root, symlink=("node_modules", "README.md", "none"))
    tree = lease(repo)
    assert (tree.path / "node_modules").readlink() == root / "node_modules"
    assert not (tree.path / "README.md").is_symlink()
    write(tree.path, {"b": "1"})
    assert [c.path for c in tree.changes().changes] == ["b"]
    tree.reset(tree.head)
    assert (tree.path / "node_modules").is_symlink()
    repo.release(tree)
    assert (root / "node_modules/a.js").exists()


def test_a_slot_s_copies_are_those_of_now(root: Path) -> None:
    """A second lease of a slot has the copies as the checkout has them, not as a tool left them."""
    write(root, {".env": "1", "build/a": "1", "build/b": "1"})
    repo = opened(root, copy=(".env", "build"))
    tree = lease(repo)
    write(
        tree.path, {".env": "tampered", "build/a": "tampered", "build/c": "left", "build/b": None}
    )
    (tree.path / "build/b").mkdir()
    repo.release(tree)
    write(root, {".env": "two"})
    tree = lease(repo, "b")
    assert (tree.path / ".env").read_text() == "two"
    assert sorted(p.name for p in (tree.path / "build").iterdir()) == ["a", "b"]
    assert (tree.path / "build/a").read_text() == "1"


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../x", "a/../../x", "", "x\0y"])
@pytest.mark.parametrize("key", ["copy", "symlink"])
def test_patterns_that_lead_out_are_refused(root: Path, key: str, pattern: str) -> None:
    """Paths are relative to the repository, without `..`."""
    repo = opened(root, **{key: (pattern,)})
    with pytest.raises(RepositoryError, match="paths in the repository") as caught:
        lease(repo)
    assert caught.value.hint
    assert repo.overview()["worktrees"] == []


def test_a_source_outside_is_refused(root: Path, tmp_path: Path) -> None:
    """An ignored symlink to a file elsewhere is not followed out of the repository."""
    (tmp_path / "secret").write_text("x")
    (root / ".env").symlink_to(tmp_path / "secret")
    with pytest.raises(RepositoryError, match="leads out of the repository"):
        lease(opened(root, copy=(".env",)))


def test_a_target_outside_is_refused(root: Path, tmp_path: Path) -> None:
    """A tracked symlink that leads out of the tree is not written through."""
    (root / "conf").symlink_to(tmp_path)
    git(root, "add", "conf")
    git(root, "commit", "--quiet", "-m", "link")
    (root / "conf").unlink()
    write(root, {"conf/x.log": "1"})
    with pytest.raises(RepositoryError, match="outside the worktree"):
        lease(opened(root, symlink=("conf/x.log",)))
    assert not (tmp_path / "x.log").exists()


def test_our_own_folder_is_never_copied(root: Path) -> None:
    """A pattern for everything does not copy the worktrees into themselves."""
    write(root, {".worktreeinclude": "*\n", ".env": "1"})
    repo = opened(root)
    lease(repo)
    tree = lease(repo, "b")
    assert (tree.path / ".env").exists()
    assert not (tree.path / ".worktrees").exists()


def test_setup_runs_once_for_a_slot(root: Path) -> None:
    """Set-up commands run in a tree made anew; what they made stays when it is used again."""
    code = "import pathlib as p; p.Path('build/empty').mkdir(parents=True); p.Path('build/n').write_text(str(p.Path.cwd()))"
    repo = opened(root, setup=(python(code), "  "))
    tree = lease(repo)
    assert (tree.path / "build/n").read_text() == str(tree.path)
    write(tree.path, {"x.log": "1"})
    assert tree.changes().ignored == ("x.log",)
    repo.release(tree)
    tree = lease(repo, "b")
    assert (tree.path / "build/n").exists()
    assert (tree.path / "build/empty").is_dir()
    assert not (tree.path / "x.log").exists()
    log = next((root / "logs/setup").iterdir())
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (python("print('the reason'); raise SystemExit(3)"), "exit code 3"),
        ("no-such-command --x", "no-such-command"),
        ("echo 'unfinished", "cannot read"),
    ],
)
def test_a_failing_setup_names_command_and_log(root: Path, command: str, said: str) -> None:
    """A failed set-up is an error of the environment; the half-made slot is removed."""
    repo = opened(root, setup=(command,))
    with pytest.raises(EnvironmentProblem, match=said):
        lease(repo)
    assert repo.overview()["worktrees"] == []
    assert sorted(p.name for p in (root / ".worktrees").iterdir()) == [
        ".gitignore",
        ".pool",
        ".trash",
    ]


def test_belongings_are_known_after_a_restart(root: Path) -> None:
    """A process that opens a left worktree knows what was placed; the tree is then not pooled."""
    write(root, {"node_modules/a.js": "1"})
    tree = lease(opened(root, symlink=("node_modules",)))
    repo = opened(root)
    again = repo.reopen(tree.path, tree.branch, tree.base, tree.head)
    assert again is not None
    assert again.changes().empty
    repo.release(again)
    assert repo.overview()["worktrees"] == []


def test_a_tool_cannot_make_its_files_stay(root: Path) -> None:
    """What a tool writes into our record of belongings is overwritten by what we know."""
    repo = opened(root)
    tree = lease(repo)
    write(tree.path, {"x.log": "left for the next"})
    (tree.slot.admin / "penstock-keep").write_text('{"made": ["x.log"]}')
    repo.release(tree)
    assert not (lease(repo, "b").path / "x.log").exists()
