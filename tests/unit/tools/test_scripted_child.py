"""The scripted child's own functions, without a process around them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.tools import scripted_child


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def run_turn(turn: Mapping[str, object]) -> int:
    """Hand a turn over and play it."""
    Path("turn.json").write_text(json.dumps(turn))
    return scripted_child.main(["child", "turn.json"])


def test_a_turn(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Edits are made, the output printed, and the event comes last."""
    turn = {"edits": {"a/b": "1", "turn.json": None}, "output": "hi", "usage": {"cost_usd": 1}}
    assert run_turn(turn) == 0
    assert Path("a/b").read_text() == "1"
    assert not Path("turn.json").exists()
    lines = capfdbinary.readouterr().out.splitlines()
    assert lines[0] == b"hi"
    assert json.loads(lines[1]) == {"type": "result", "outcome": "edited", "usage": {"cost_usd": 1}}


def test_a_failing_turn_makes_no_claim(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """With an exit code and no claim there is no terminal event; with a claim there is one."""
    assert run_turn({"exit_code": 4}) == 4
    assert capfdbinary.readouterr().out == b""
    assert run_turn({"exit_code": 4, "claim": "auth", "reset_in_s": 0}) == 4
    assert json.loads(capfdbinary.readouterr().out)["reset_in_s"] == 0


def test_an_edit_that_cannot_be_made(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """An impossible edit ends the turn with 70 and one line on stderr."""
    assert run_turn({"edits": {".": "x"}}) == 70
    assert capfdbinary.readouterr().err.startswith(b"scripted: ")


def test_a_hang_never_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that hangs sleeps for ever."""
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 4:
            raise TimeoutError

    monkeypatch.setattr(time, "sleep", nap)
    assert run_turn({"hang": True}) == 70
    assert naps == [0.0, 3600, 3600, 3600]
