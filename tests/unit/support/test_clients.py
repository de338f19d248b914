"""Finding the real clients: the installed folder first, and what happens without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clients import FOLDER, REQUIRE, find_client, need_client


def install(folder: Path, name: str) -> Path:
    """Put an executable of this name into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / name
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return command


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any client; returns the folder that they would be installed into."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "clients"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv(REQUIRE, raising=False)
    return tmp_path


def test_installed_client_beats_path(bare: Path) -> None:
    """A client in the installed folder is taken before one of the same name on PATH."""
    install(bare / "path", "claude")
    ours = install(bare / "clients" / "bin", "claude")
    assert find_client("claude-cli") == ours


def test_client_on_path(bare: Path) -> None:
    """Without an installed one, the client that PATH has is taken."""
    assert find_client("aider") is None
    theirs = install(bare / "path", "aider")
    assert find_client("aider") == theirs


def test_missing_client_skips(bare: Path) -> None:
    """A test that needs a missing client is skipped with a reason that says what to do."""
    with pytest.raises(pytest.skip.Exception, match="install-clients"):
        need_client("codex")


def test_missing_client_fails_when_required(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the real clients are required, a missing one is a failure."""
    monkeypatch.setenv(REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match="codex is not installed"):
        need_client("codex")
