"""The files of plans on the integration branch and in the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import RepositoryError
from penstock.syncing.desk import PlanDesk, is_sound
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, make_repo, opened, write


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    """A repository with a plan that git tracks, and one that it does not."""
    root = make_repo(tmp_path / "repo", {"specs/a.md": "a\n", "specs/empty.md": ""})
    write(root, {"notes/b.md": "b\n", "specs/c.md": "c\n"})
    return opened(root)


def test_the_branch_goes_before_the_checkout(repo: GitRepository) -> None:
    """What git tracks is taken from there, and goes there."""
    write(repo.root, {"specs/a.md": "mine\n"})
    desk = PlanDesk(repo, repo.head(), (repo.head(),))
    assert (desk.read("specs/a.md"), desk.read("notes/b.md")) == (b"a\n", b"b\n")
    assert desk.read("specs/empty.md") == b""
    desk.changed |= {"specs/a.md": b"A", "notes/b.md": b"B"}
    assert (desk.commits, desk.places) == ({"specs/a.md": b"A"}, {"notes/b.md": b"B"})
    assert (desk.read("specs/a.md"), desk.original("specs/a.md")) == (b"A", b"a\n")


def test_without_a_branch_all_is_in_the_checkout(repo: GitRepository) -> None:
    """As `--in-place` wants it."""
    write(repo.root, {"specs/a.md": "mine\n"})
    desk = PlanDesk(repo, None)
    assert desk.read("specs/a.md") == b"mine\n"
    assert list(desk.names("specs")) == ["specs/a.md", "specs/c.md", "specs/empty.md"]
    assert desk.tracked("specs") == ()


def test_what_is_tracked_elsewhere_is_not_taken_from_the_checkout(repo: GitRepository) -> None:
    """It would be changed behind git's back."""
    base = repo.head()
    git(repo.root, "rm", "--quiet", "--cached", "specs/a.md")
    git(repo.root, "commit", "--quiet", "--message", "Remove")
    assert PlanDesk(repo, repo.head(), (base,)).read("specs/a.md") is None
    assert PlanDesk(repo, repo.head()).read("specs/a.md") == b"a\n"


def test_names_are_those_of_the_branch_where_it_has_the_folder(repo: GitRepository) -> None:
    """Else those of the checkout; of unsound folders there are none."""
    desk = PlanDesk(repo, repo.head())
    assert list(desk.names("specs")) == ["specs/a.md", "specs/empty.md"]
    assert list(desk.names("notes")) == ["notes/b.md"]
    assert [list(desk.names(folder)) for folder in ("..", "/etc", ".git", "none")] == [[]] * 4


@pytest.mark.parametrize(
    "name", ["", "-", "/etc/passwd", "../a", "a/../b", ".git/config", "x/.GIT/y", "a\0b", "a\\b"]
)
def test_names_that_lead_elsewhere_are_of_no_file(repo: GitRepository, name: str) -> None:
    """Whatever a bundle's metadata says."""
    assert not is_sound(name)
    assert PlanDesk(repo, repo.head()).read(name) is None


def test_links_are_followed_within_the_repository_only(repo: GitRepository) -> None:
    """Not out of it, and not into git's folder."""
    root = repo.root
    (root / "in.md").symlink_to("notes/b.md")
    (root / "out.md").symlink_to("/etc/passwd")
    (root / "own.md").symlink_to(".git/config")
    desk = PlanDesk(repo, repo.head())
    assert [desk.read(f"{name}.md") for name in ("in", "out", "own")] == [b"b\n", None, None]
    desk.changed["in.md"] = b"B\n"
    assert list(desk.write_places()) == ["in.md"]
    assert (root / "in.md").is_symlink()
    assert (root / "notes/b.md").read_bytes() == b"B\n"


def test_no_folder_pipe_or_socket_is_read(repo: GitRepository) -> None:
    """A pipe would wait for ever."""
    os.mkfifo(repo.root / "pipe.md")
    desk = PlanDesk(repo, repo.head())
    assert (desk.read("pipe.md"), desk.read("notes")) == (None, None)


def test_a_file_keeps_its_mode(repo: GitRepository) -> None:
    """A private one stays private."""
    (repo.root / "notes/b.md").chmod(0o600)
    desk = PlanDesk(repo, None)
    desk.read("notes/b.md")
    desk.changed["notes/b.md"] = b"B\n"
    assert list(desk.write_places()) == ["notes/b.md"]
    assert (repo.root / "notes/b.md").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_changed_meanwhile_is_not_written(repo: GitRepository, gone: bool) -> None:
    """An editor may have saved it in between."""
    desk = PlanDesk(repo, None)
    desk.read("notes/b.md")
    desk.changed["notes/b.md"] = b"B\n"
    place = repo.root / "notes/b.md"
    place.unlink() if gone else place.write_text("mine\n")
    with pytest.raises(RepositoryError, match=r"notes/b\.md was changed meanwhile"):
        list(desk.write_places())
    assert gone or place.read_text() == "mine\n"


def test_a_file_too_large_is_not_read(repo: GitRepository) -> None:
    """64 MiB are more than any plan."""
    with (repo.root / "notes/b.md").open("r+b") as file:
        file.truncate(65 * 1024 * 1024)
    assert PlanDesk(repo, None).read("notes/b.md") is None
