"""A repository and the command line in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.output import tolerate_encoding
from penstock.store.api import Journal
from penstock.wiring import open_workspace
from tests.support.cli import Cli, make_repository


@pytest.fixture(autouse=True)
def _fresh_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of streams that an earlier test broke."""
    tolerate_encoding()
    for name in ("PIPELINE_DB_PATH", "PIPELINE_DB_URL", "PIPELINE_WORKSTREAM_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, in which we stand."""
    folder = make_repository(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(repo: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in the repository, in this process."""
    return Cli(repo, capsys)


@pytest.fixture
def journal(repo: Path) -> Journal:
    """The journal of the repository, open for writing."""
    workspace = open_workspace(repo)
    return workspace.open_journal()
