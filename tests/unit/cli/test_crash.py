"""The report about an unforeseen error: where it goes and what it must not hold."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from penstock.cli.crash import report_text, write_report
from tests.support.cli import make_repository


@pytest.mark.parametrize(
    "argv",
    [
        ["run", "--api-key", "abcdefgh1234"],
        ["run", "--token=abcdefgh1234"],
        ["OPENAI_API_KEY=abcdefgh1234"],
        ["a value of the environment: abcdefgh1234"],
    ],
)
def test_secrets_are_not_written_down(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What an option, an assignment or the environment marks as secret is not in a report."""
    monkeypatch.setenv("SOME_API_KEY", "abcdefgh1234")
    text = report_text(ValueError("it was abcdefgh1234"), argv)
    assert "abcdefgh1234" not in text
    assert "[REDACTED]" in text


def test_the_report_goes_to_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a repository with a journal the report lies in state/reports, from any sub-folder."""
    repo = make_repository(tmp_path / "project", commit=False)
    (repo / "state").mkdir()
    (repo / "deep").mkdir()
    monkeypatch.chdir(repo / "deep")
    path = write_report(ValueError("x"), ())
    assert path is not None
    assert path.parent == repo / "state" / "reports"
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_place_to_write_there_is_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes nothing leaves us without a report, and without another error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not" / "there"))
    assert write_report(ValueError("x"), ()) is None


def test_a_folder_that_is_gone_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standing in a removed folder still gives a report in the temporary directory."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone.rmdir()
    path = write_report(ValueError("x"), ())
    os.chdir(tmp_path)
    assert path is not None


def test_the_report_names_versions_and_the_error() -> None:
    """A report holds what is needed to find the bug: versions, command, traceback."""
    text = report_text(KeyError("lost"), ["status"])
    assert "penstock 0" in text
    assert "command: penstock status" in text
    assert "KeyError: 'lost'" in text
