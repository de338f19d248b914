"""Gates that wait for somebody's word, through the command line."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from tests.support.cli import Cli, bundle, make_repository, write_bundles

CONFIG = "static_tools: []\nruntime_tools: []\napprovals: [2]\n"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, after a run whose second gate waits to be approved."""
    repo = make_repository(tmp_path / "project")
    (repo / "config").mkdir()
    (repo / "config" / "pipeline.yaml").write_text(CONFIG)
    write_bundles(repo, bundle("ws-one"), bundle("ws-two", gate=2))
    monkeypatch.chdir(repo)
    cli = Cli(repo, capsys)
    said = cli("run", "--all", "--run-id", "r1")
    assert (said.code, "penstock approve RUN --gate 2" in said.out) == (1, True)
    return cli


def test_an_approved_gate_lets_the_run_go_on(cli: Cli) -> None:
    """The workstreams behind the gate are done after the approval, and not before."""
    assert cli("resume", "r1").code == 1
    said = cli("approve", "r1", "--gate", "2", "--by", "ada", "--note", "read it")
    assert (said.code, "penstock resume r1" in said.out) == (0, True)
    assert cli("resume", "r1").code == 0
    assert "gate 2 approved by ada" in cli("events", "r1").out


def test_without_a_number_it_is_the_gate_that_waits(cli: Cli) -> None:
    """The lowest gate without its approval is taken; then none waits any more."""
    assert "Gate 2 of r1 is approved" in cli("approve", "r1").out
    said = cli("approve", "r1")
    assert (said.code, "no gate of r1 waits" in said.err) == (2, True)


def test_the_approval_as_json_names_who_gave_it(cli: Cli) -> None:
    """Without --by it is the login name."""
    said = cli("approve", "latest", "--gate", "2", "--json").json
    assert said == {"run_id": "r1", "gate": 2, "approved_by": getpass.getuser(), "note": None}


def test_a_gate_that_the_run_does_not_have_is_refused(cli: Cli) -> None:
    """The message names those that it has, and nothing is recorded."""
    said = cli("approve", "r1", "--gate", "7")
    assert (said.code, "it has: 1, 2" in said.err) == (2, True)
    assert "approvals: 0" in cli("db", "inspect").out


def test_a_run_that_has_ended_cannot_be_approved(cli: Cli) -> None:
    """There is nothing left that an approval could change."""
    cli("approve", "r1", "--gate", "2")
    cli("resume", "r1")
    said = cli("approve", "r1", "--gate", "2")
    assert (said.code, "has ended (succeeded)" in said.err) == (2, True)


def test_somebody_without_a_name_has_to_give_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does not know its user asks for --by."""

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    said = cli("approve", "r1", "--gate", "2")
    assert (said.code, "--by" in said.err) == (2, True)
