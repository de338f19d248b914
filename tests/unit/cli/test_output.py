"""What is printed survives streams that are closed, full, narrow or of another encoding."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from penstock.cli import output
from penstock.errors import EnvironmentProblem
from tests.support.cli import PENSTOCK, child, plain_environment


class Thing(msgspec.Struct):
    """Something to print."""

    name: str


def test_json_is_indented_and_keeps_letters(capsys: pytest.CaptureFixture[str]) -> None:
    """Structs are printed as JSON that people can read."""
    output.emit_json({"thing": Thing("Käse")})
    out = capsys.readouterr().out
    assert json.loads(out) == {"thing": {"name": "Käse"}}
    assert "Käse" in out


def test_json_survives_names_that_are_no_text() -> None:
    """A file name with bytes that are no UTF-8 is escaped."""
    text = output.json_text({"path": os.fsdecode(b"\xff")})
    assert text.isascii()
    assert json.loads(text) == {"path": "\udcff"}


def test_json_is_ascii_where_the_terminal_is_not_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Latin-1 stdout JSON is escaped, so that any reader gets it right."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert output.json_text({"a": "Ω"}) == '{\n  "a": "\\u03a9"\n}'


def test_plain_tables_are_aligned_and_of_one_line_per_row() -> None:
    """Columns are aligned by their widest cell; line breaks in a cell do not break the row."""
    table = output.plain_table(("NAME", "REASON"), [("ws-long-name", "two\nlines"), ("a", "")])
    assert table.splitlines() == ["NAME          REASON", "ws-long-name  two lines", "a"]


def test_a_reader_that_went_away_is_no_error() -> None:
    """`penstock ... | head -0` is quiet and keeps the exit code of the command itself."""
    script = f"{sys.executable} -m penstock validate --dir none; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({script}) | true"],
        capture_output=True,
        text=True,
        env=plain_environment(),
        timeout=60,
        check=False,
    )
    assert done.stderr == "1\n"


def test_a_full_disk_behind_stdout_is_said(tmp_path: Path) -> None:
    """Output that cannot be written is exit code 2 with the reason on stderr."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PENSTOCK, "--help"], stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, check=False
        )
    assert done.returncode == 2
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_survived(tmp_path: Path, closed: str) -> None:
    """A daemon without standard streams can call penstock, and no database becomes stdout."""
    script = f"{sys.executable} -m penstock db init --db {tmp_path}/p.db {closed}"
    done = subprocess.run(["bash", "-c", script], env=plain_environment(), check=False, timeout=60)
    assert done.returncode == 0
    assert (tmp_path / "p.db").read_bytes().startswith(b"SQLite format 3")


def test_a_terminal_of_another_encoding_gets_escapes(tmp_path: Path) -> None:
    """What ASCII cannot show is escaped instead of ending in a traceback."""
    said = child("validate", "Käse.json", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert said.code == 1
    assert "K\\xe4se.json" in said.out


def test_text_for_a_terminal_has_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log cannot rewrite the screen; redirected into a file it stays as it is."""
    evil = "a\x1b[2Jb\n"
    assert output.displayed(evil) == evil
    monkeypatch.setattr(output, "on_terminal", lambda: True)
    assert output.displayed(evil) == "a\N{REPLACEMENT CHARACTER}[2Jb\n"


class Broken(io.StringIO):
    """A stream whose disk is full."""

    def write(self, text: str) -> int:  # noqa: ARG002 - as a stream is asked
        """Fail as a full disk does."""
        raise OSError(28, "No space left on device")


def test_writing_to_a_full_disk_raises_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first failing write tells, later ones are quiet; stderr never raises."""
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(EnvironmentProblem, match="No space left"):
        output.emit("text")
    output.emit("more")
    assert output.stdout_gone()
    monkeypatch.setattr(sys, "stderr", Broken())
    output.warn("text")
    output.warn("more")


def test_without_streams_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing streams swallow what is printed."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    output.emit("text")
    output.warn("text")
    assert output.flush()
    assert not output.on_terminal()
