"""The `openspec` program is asked where it is installed, and whatever it does is borne."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from penstock.authoring import programs
from penstock.authoring.following import SILENT, Following, LazySymbols
from penstock.authoring.programs import OpenSpec
from penstock.planning.scoping.api import Definition


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> OpenSpec:
    """Put a program called openspec on PATH that runs a shell script."""
    program = folder / "bin" / "openspec"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return OpenSpec(folder)


def test_it_is_asked_in_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code and standard output come back; it is told not to report home, and asked nothing."""
    monkeypatch.setenv("SOME_TOKEN", "secret")
    run = install(
        tmp_path, monkeypatch,
        'printf \'{"args": "%s", "cwd": "%s", "home": "%s", "token": "%s"}\' "$*" "$(pwd)" '
        '"$OPENSPEC_TELEMETRY" "$SOME_TOKEN"; read line || exit 3',
    )  # fmt: skip
    assert run.installed
    answer = run(("list", "--json"))
    assert answer is not None
    assert answer[0] == 3
    assert json.loads(answer[1]) == {
        "args": "list --json", "cwd": str(tmp_path), "home": "0", "token": ""
    }  # fmt: skip


@pytest.mark.parametrize("body", ["kill -9 $$", "exec sleep 60"], ids=["killed", "hangs"])
def test_without_an_answer_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """One that dies or hangs has said nothing, and holds nobody up."""
    monkeypatch.setattr(programs, "OPENSPEC_S", 0.5)
    began = time.monotonic()
    assert install(tmp_path, monkeypatch, body)(("list",)) is None
    assert time.monotonic() - began < 20


def test_rubbish_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no UTF-8 are replaced."""
    assert install(tmp_path, monkeypatch, "printf '\\377'")(()) == (0, "\N{REPLACEMENT CHARACTER}")


def test_where_it_is_not_installed_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where something of that name is no program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "openspec").write_text("no program")
    assert not OpenSpec(tmp_path).installed
    assert OpenSpec(tmp_path)(("list",)) is None


def test_what_cannot_be_started_gives_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program whose interpreter is gone."""
    run = install(tmp_path, monkeypatch, "")
    (tmp_path / "bin" / "openspec").write_text("#!/nonexistent/node\n")
    assert run.installed
    assert run(("list",)) is None


# -- following -------------------------------------------------------------------------------
def test_nobody_has_to_listen() -> None:
    """Without a listener progress and problems are told to nobody."""
    SILENT.progress("plans read", 1, 2)
    SILENT.problem("broken")
    heard: list[str] = []
    Following(problem=heard.append).problem("broken")
    assert heard == ["broken"]


def test_symbols_are_indexed_when_the_first_is_asked_for() -> None:
    """And once only."""
    opened: list[int] = []

    class Index:
        """One definition, whatever is asked for."""

        def find(self, name: str) -> list[Definition]:
            """Return it."""
            return [Definition(f"{name}.py", 1, "class")]

    def index() -> Index:
        opened.append(1)
        return Index()

    lazy = LazySymbols(index)
    assert opened == []
    assert [lazy.find(name)[0].path for name in ("a", "b")] == ["a.py", "b.py"]
    assert opened == [1]
