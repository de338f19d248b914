"""The user's checkout while a branch that is checked out gets the result of a run."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from penstock.errors import GitError, RepositoryError
from penstock.process.capture import Completed
from penstock.worktrees import checkout
from penstock.worktrees.api import HandoverStrategy
from penstock.worktrees.git import Git
from penstock.worktrees.refs import Refs
from penstock.worktrees.repository import GitRepository
from tests.support.handover_worker import hand_over
from tests.support.repos import git, make_repo, opened, state_of, write

MERGE, SQUASH, REBASE = HandoverStrategy
CHANGES: Mapping[str, str | None] = {
    "src/a.py": "A = 2\n",
    "src/b.py": None,
    "docs/long.md": None,
    "docs": "a file where a folder was\n",
    "README.md": None,
    "README.md/inner": "a folder where a file was\n",
    "neu \u00fc.txt": "new\n",
    "deep/er/file.txt": "deep\n",
}
"""What the run changed: edits, deletions, a file for a folder and the reverse, odd names."""


def with_result(root: Path) -> Path:
    """Give a repository a finished run: two workstreams merged into integration/r."""
    repo = opened(root)
    base = repo.head()
    git(root, "branch", "start")
    git(root, "branch", "target")
    repo.ensure_branch("integration/r", base)
    tree = repo.lease("a", "r", "workstream/a/r", base)
    for name, text in CHANGES.items():
        if text is None:
            (tree.path / name).unlink()
            if not any((tree.path / name).parent.iterdir()):
                (tree.path / name).parent.rmdir()
        else:
            write(tree.path, {name: text})
    (tree.path / "link").symlink_to("src/a.py")
    (tree.path / ".gitignore").chmod(0o755)
    tree.changes()
    tree.commit("Work of a", {})
    repo.merge("workstream/a/r", "integration/r", message="Merge a", trailers={})
    repo.release(tree)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The user's checkout, on main, beside the result of a run."""
    return with_result(make_repo(tmp_path / "repo"))


@pytest.mark.parametrize("strategy", [MERGE, SQUASH, REBASE])
def test_the_checkout_comes_along(root: Path, strategy: HandoverStrategy) -> None:
    """Files, modes, links and index are those of the result, and other files are as they were."""
    write(root, {"notes.txt": "mine\n", "run.log": "ignored\n"})
    given = hand_over(root, strategy, "main")
    assert given.checkout_updated
    assert git(root, "status", "--porcelain") == "?? notes.txt"
    assert git(root, "rev-parse", "HEAD^{tree}") == git(root, "rev-parse", "integration/r^{tree}")
    assert (root / "link").readlink() == Path("src/a.py")
    assert os.access(root / ".gitignore", os.X_OK)
    assert (root / "docs").is_file()
    assert "penstock: integrate" in git(root, "reflog", "-1", "HEAD")


def staged(root: Path) -> None:
    """Stage an edit."""
    write(root, {"src/b.py": "B = 5\n"})
    git(root, "add", "src/b.py")


def intended(root: Path) -> None:
    """Announce a file."""
    write(root, {"later.txt": "l\n"})
    git(root, "add", "--intent-to-add", "later.txt")


def hidden(root: Path) -> None:
    """Have git look away from a file."""
    git(root, "update-index", "--assume-unchanged", "src/a.py")


DIRTY: dict[str, tuple[Callable[[Path], None], str]] = {
    "staged": (staged, r"not committed: src/b\.py"),
    "edited": (lambda root: write(root, {"src/a.py": "A = 9\n"}), r"not committed: src/a\.py"),
    "elsewhere": (lambda root: write(root, {".gitignore": "x\n"}), r"not committed: \.gitignore"),
    "same": (lambda root: write(root, {"src/a.py": "A = 2\n"}), r"not committed: src/a\.py"),
    "deleted": (lambda root: (root / "src/a.py").unlink(), r"not committed: src/a\.py"),
    "intended": (intended, r"not committed: later\.txt"),
    "untracked": (lambda root: write(root, {"neu \u00fc.txt": "mine"}), "overwritten: neu \u00fc"),
    "ignored": (
        lambda root: write(root, {".git/info/exclude": "/link\n", "link": "mine"}),
        "overwritten: link",
    ),
    "parent": (lambda root: write(root, {"deep": "a file\n"}), "overwritten: deep"),
    "linked": (lambda root: (root / "deep").symlink_to("/tmp"), "overwritten: deep"),
    "in a folder": (
        lambda root: write(root, {"docs/mine.md": "m"}),
        r"overwritten: docs/mine\.md",
    ),
    "locked": (lambda root: write(root, {".git/index.lock": ""}), "another git is at work"),
    "hidden": (
        hidden,
        "are hidden from git",
    ),
}


@pytest.mark.parametrize("kind", DIRTY)
def test_a_checkout_that_would_lose_something_is_refused(root: Path, kind: str) -> None:
    """Nothing of the checkout or the branch changes, and the file in question is named."""
    spoil, words = DIRTY[kind]
    spoil(root)
    before = state_of(root)
    with pytest.raises(RepositoryError, match=words):
        hand_over(root, SQUASH, "main")
    assert state_of(root) == before
    assert [path.name for path in (root / ".git").glob("penstock-*")] == ["penstock-lock"]


@pytest.mark.parametrize("kind", ["staged", "untracked"])
def test_a_dry_run_looks_at_the_checkout_too(root: Path, kind: str) -> None:
    """What would be refused is refused, and nothing is written."""
    spoil, words = DIRTY[kind]
    spoil(root)
    before = state_of(root)
    with pytest.raises(RepositoryError, match=words):
        dry(opened(root))
    assert state_of(root) == before


def dry(repo: GitRepository) -> None:
    """Say what a hand-over to the branch checked out here would do."""
    repo.handover(
        "integration/r",
        "main",
        strategy=MERGE,
        base=repo.head(),
        update_checkout=True,
        message="m",
        trailers={},
        dry_run=True,
    )


def test_a_submodule_that_changes_is_refused(tmp_path: Path) -> None:
    """git would not bring its files along, so the checkout would not fit."""
    root = make_repo(tmp_path / "repo")
    repo, inner = opened(root), make_repo(tmp_path / "inner")
    git(root, "branch", "start")
    made = git(root, "rev-parse", "HEAD^{tree}")
    line = f"160000 commit {git(inner, 'rev-parse', 'HEAD')}\tinner\n"
    tree = git(root, "mktree", stdin=git(root, "ls-tree", made) + "\n" + line)
    commit = repo.commit_tree(tree, [repo.head()], message="m", trailers={})
    repo.ensure_branch("integration/r", commit)
    with pytest.raises(RepositoryError, match="inner are submodules"):
        hand_over(root, MERGE, "main")


def test_another_checkout_of_the_repository(root: Path, tmp_path: Path) -> None:
    """Called in a linked worktree of the user's, that one comes along; the first stays."""
    other = tmp_path / "other"
    git(root, "worktree", "add", "--quiet", "-b", "mine", str(other), "start")
    before = state_of(root)
    repo = opened(other)
    given = repo.handover(
        "integration/r", "mine", strategy=MERGE, base=repo.head(), update_checkout=True,
        message="m", trailers={},
    )  # fmt: skip
    assert given.checkout_updated
    assert git(other, "status", "--porcelain") == ""
    assert state_of(root) == before


def test_a_bare_repository_with_worktrees(root: Path, tmp_path: Path) -> None:
    """The branch that a bare repository's HEAD names is checked out nowhere, so it can be moved."""
    bare, tree = tmp_path / "bare.git", tmp_path / "tree"
    git(root, "clone", "--quiet", "--bare", str(root), str(bare))
    git(bare, "worktree", "add", "--quiet", "-b", "mine", str(tree), "start")
    given = opened(tree).handover(
        "integration/r", "main", strategy=MERGE, base=git(root, "rev-parse", "start"),
        message="m", trailers={},
    )  # fmt: skip
    assert git(bare, "rev-parse", "main") == given.commit
    assert git(tree, "status", "--porcelain") == ""


def test_a_file_system_without_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock on the index is made in another way there."""

    def no_links(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert hand_over(root, SQUASH, "main").checkout_updated
    assert git(root, "status", "--porcelain") == ""


# -- in between ------------------------------------------------------------------------------
def test_a_branch_that_moves_in_between_wins(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout is brought back, and the other's commit stays."""
    theirs = git(root, "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")
    update = Refs.update

    def late(refs: Refs, ref: str, commit: str, old: str | None, why: str) -> None:
        git(root, "update-ref", "refs/heads/main", theirs)
        update(refs, ref, commit, old, why)

    monkeypatch.setattr(Refs, "update", late)
    with pytest.raises(RepositoryError, match="moved meanwhile"):
        hand_over(root, SQUASH, "main")
    assert git(root, "rev-parse", "main") == theirs
    assert git(root, "status", "--porcelain") == ""


def test_a_file_that_is_edited_in_between_stays(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git finds it before it touches anything."""
    real = Git.call

    def call(git_: Git, *args: str, **given: object) -> object:
        if args[:3] == ("read-tree", "-m", "-u"):
            write(root, {"src/a.py": "edited just now\n"})
        return real(git_, *args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Git, "call", call)
    with pytest.raises(RepositoryError, match="changed meanwhile"):
        hand_over(root, SQUASH, "main")
    assert git(root, "status", "--porcelain").strip() == "M src/a.py"
    assert (root / "src/a.py").read_text() == "edited just now\n"


def test_files_that_cannot_be_written_are_taken_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When git fails half-way, what it wrote goes and what it removed comes back."""
    before = git(root, "rev-parse", "main")
    real = Git.call

    def call(git_: Git, *args: str, **given: object) -> Completed:
        done = real(git_, *args, **given)  # type: ignore[arg-type]
        if args[:3] == ("read-tree", "-m", "-u"):
            write(root, {"deep/er/file.txt": "de"})  # as far as it got
            return dataclasses.replace(done, returncode=128, stderr=b"disk full")
        return done

    monkeypatch.setattr(Git, "call", call)
    with pytest.raises(GitError, match="disk full"):
        hand_over(root, SQUASH, "main")
    assert (git(root, "rev-parse", "main"), git(root, "status", "--porcelain")) == (before, "")
    assert not (root / ".git/index.lock").exists()


# -- after a death ---------------------------------------------------------------------------
def interrupted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a hand-over as a death leaves it after the files were written, before the index was."""

    class Death(BaseException):
        pass

    def dead(*_args: object) -> None:
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", _dying(Path.replace, Death))
        patch.setattr(checkout._Checkout, "undo", dead)
        with pytest.raises(Death):
            hand_over(root, SQUASH, "main")


def _dying(real: Callable[..., Path], death: type[BaseException]) -> Callable[..., Path]:
    def replace(path: Path, target: Path) -> Path:
        if path.name == "penstock-index":
            raise death
        return real(path, target)

    return replace


def test_what_was_edited_since_is_never_overwritten(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named, all stays; once it is out of the way, the hand-over goes through."""
    interrupted(root, monkeypatch)
    write(root, {"src/a.py": "since then\n", "neu \u00fc.txt": "mine now\n"})
    for _ in range(2):
        with pytest.raises(RepositoryError, match=r"neu \u00fc\.txt, src/a\.py has been changed"):
            hand_over(root, SQUASH, "main")
    assert (root / "src/a.py").read_text() == "since then\n"
    for name in ("src/a.py", "neu \u00fc.txt"):
        (root / name).unlink()
    assert hand_over(root, SQUASH, "main").checkout_updated
    assert git(root, "status", "--porcelain") == ""


def test_a_file_that_was_written_in_part_is_ours(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beginning of what was to be written is taken back like the whole."""
    interrupted(root, monkeypatch)
    write(root, {"neu \u00fc.txt": "n", "src/a.py": "A = "})
    repo = opened(root)
    assert any("was undone" in said for said in repo.recover())
    assert git(root, "status", "--porcelain") == ""
    assert (root / "src/a.py").read_text() == "A = 1\n"
    assert repo.recover() == ()


def test_what_cannot_be_mended_stops_no_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recovery says that it leaves it alone, and why."""
    interrupted(root, monkeypatch)
    write(root, {"src/a.py": "since then\n"})
    assert [said for said in opened(root).recover() if "has been changed since" in said]
    assert (root / "src/a.py").read_text() == "since then\n"


def test_a_lock_that_the_user_has_removed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the checkout is the user's again: it counts as changed, and is left alone."""
    interrupted(root, monkeypatch)
    (root / ".git/index.lock").unlink()
    with pytest.raises(RepositoryError, match="changes that are not committed"):
        hand_over(root, SQUASH, "main")
    git(root, "clean", "-fdq")
    git(root, "reset", "--quiet", "--hard")
    assert hand_over(root, SQUASH, "main").checkout_updated


def test_locks_of_a_killed_update_go(root: Path) -> None:
    """The lock of the branch, with our commit in it or old and empty, is known from the note."""
    new = git(root, "rev-parse", "integration/r")
    move = checkout.Move(ref="refs/heads/main", old=git(root, "rev-parse", "main"), new=new)
    checkout._write_down(opened(root)._site, move)
    lock = root / ".git/refs/heads/main.lock"
    lock.write_text(f"{new}\n")
    os.utime(lock, (1, 1))
    assert opened(root).recover() == ("an interrupted hand-over to main was undone",)
    assert not lock.exists()


def test_a_note_that_cannot_be_read(root: Path) -> None:
    """It is named, and nothing is done on a guess."""
    (root / ".git/penstock-handover").write_text("rubbish")
    with pytest.raises(RepositoryError, match="penstock-handover cannot be read"):
        hand_over(root, MERGE, "target")


@pytest.mark.parametrize(
    ("strategy", "target"),
    [(SQUASH, "main"), (REBASE, "main"), (MERGE, "main"), (SQUASH, "target")],
)
def test_a_death_at_any_step(root: Path, tmp_path: Path, strategy: str, target: str) -> None:
    """Said again after a death before any step, the result is there once and nothing is left over."""
    argv = (str(root), strategy, target, str(tmp_path / "copies"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.handover_worker", *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    tree = git(root, "rev-parse", "integration/r^{tree}")
    for line in lines:
        assert (line["tree"], line["status"], line["fsck"], line["left"]) == (tree, "", "", []), (
            line
        )
        assert line["already"] == line["moved"], line
        assert len(line["history"]) == 2, line
    assert len(lines) > (20 if target == "main" else 10)
    assert {line["moved"] for line in lines} == {True, False}
