"""Every error becomes a message and the documented exit code; nothing shows a traceback."""

from __future__ import annotations

import errno
import json
import sqlite3
import tempfile
from pathlib import Path

import click
import pytest

from penstock.cli.boundary import Boundary
from penstock.errors import ConfigError, Interrupted, InvalidTransitionError, ToolMissingError


def settle(error: BaseException, *argv: str) -> int:
    """Let an error reach the boundary and return the exit code."""
    with Boundary(argv) as boundary:
        raise error
    return boundary.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a"), 2),
        (ToolMissingError("a"), 2),
        (InvalidTransitionError("a"), 1),
        (Interrupted("a"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (EOFError(), 2),
        (click.UsageError("a"), 2),
        (click.ClickException("a"), 2),
        (click.exceptions.Exit(0), 0),
        (SystemExit(None), 0),
        (SystemExit(7), 7),
        (SystemExit("words"), 1),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 2),
        (PermissionError(errno.EACCES, "Permission denied"), 2),
        (sqlite3.OperationalError("database is locked"), 2),
        (BrokenPipeError(), 0),
    ],
)
def test_foreseen_errors_have_their_exit_code(error: BaseException, code: int) -> None:
    """Each kind of error ends with the exit code of the contract."""
    assert settle(error) == code


def test_an_error_shows_message_and_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """The message and the way out go to stderr, nothing to stdout."""
    settle(ConfigError("pipeline.yaml: no such key", hint="Remove it."))
    out, err = capsys.readouterr()
    assert err == "Error: pipeline.yaml: no such key\nHint: Remove it.\n"
    assert out == ""


def test_with_json_the_error_is_json_on_stdout_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get message, hint and exit code as one object."""
    settle(ConfigError("wrong", hint="Mend it."), "status", "--json")
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": {"message": "wrong", "hint": "Mend it.", "exit_code": 2}}
    assert "Error: wrong" in err


def test_an_unforeseen_error_gives_3_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug is reported in a file that only the user can read, and says what to do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert settle(ZeroDivisionError("oops"), "run", "--api-key", "s3cret") == 3
    err = capsys.readouterr().err
    report = next(tmp_path.glob("penstock-report-*.txt"))
    assert str(report) in err
    assert "Traceback" not in err
    assert report.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError: oops" in report.read_text()


def test_a_click_usage_error_shows_the_usage_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The message of a wrong command line appears once, below the usage."""
    context = click.Context(click.Command("run"), info_name="run")
    settle(click.UsageError("no such option", ctx=context))
    err = capsys.readouterr().err
    assert err.count("no such option") == 1
    assert "Usage: run" in err


def test_other_errors_of_the_machine_are_bugs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is missing unexpectedly is our mistake, not the machine's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert settle(FileNotFoundError(errno.ENOENT, "No such file")) == 3
