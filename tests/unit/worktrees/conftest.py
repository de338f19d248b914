"""A small real repository, opened, and one leased worktree of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import make_repo, opened


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The top of the user's checkout."""
    return make_repo(tmp_path / "repo")


@pytest.fixture
def repo(root: Path) -> GitRepository:
    """The opened repository."""
    return opened(root)


@pytest.fixture
def tree(repo: GitRepository) -> GitWorktree:
    """A leased worktree at HEAD."""
    return repo.lease("ws-a", "run-1", "workstream/ws-a/run-1", repo.head())
