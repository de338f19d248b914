"""Adapter programs and plugins are looked at before use, and a change to them is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.aim_cli.main import main
from tests.support.checkers import checker_path
from tests.support.cli import Cli, Said
from tests.support.pipeline import Project
from tests.support.plugins import write_plugin
from tests.support.repos import write

ADAPTER = """\
import json, subprocess, sys
if "shell" in sys.argv:
    subprocess.call(sys.argv[1], shell=True)
print(json.dumps({"success": True, "message": "done", "content": {}}))
"""
PLUGIN = """\
class Quiet:
    def check_tool_available(self):
        return True

    def build_command(self, path):
        return ["quiet"]

    def execute(self, path):
        return {"plugin_id": "quiet", "success": True}


def register():
    return Quiet()
"""
MANIFEST = {"plugin_id": "quiet", "name": "Quiet", "file_extensions": ["txt"]}


class Shop:
    """A repository with an adapter program and a plugin of others."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.project = Project(base / "project")
        self.adapter = base / "code" / "adapter.py"
        self.adapter.parent.mkdir()
        self.adapter.write_text(ADAPTER)
        self.plugin = write_plugin(base / "plugins", MANIFEST, PLUGIN)
        entry = {"name": "helper", "adapterScript": str(self.adapter), "detectCommands": [["git"]]}
        registry = {"tools": {"outsider": entry}}
        write(self.project.root, {".AIM_ai-tools-registry/AIM_registry.json": json.dumps(registry)})
        self.project.rules(code_review={"primary": "outsider"})
        self.cli = Cli(self.project.root, capsys)
        self._capsys = capsys

    def contract(self, *args: str) -> Said:
        """Run `aim tools contract`."""
        self._capsys.readouterr()
        code = main(("tools", "contract", *args))
        out, err = self._capsys.readouterr()
        return Said(code, out, err)

    def states(self) -> dict[str, str]:
        """Return what is thought of each piece of code."""
        return {code["name"]: code["standing"] for code in self.contract("--json").json["code"]}

    def trail(self) -> list[dict[str, Any]]:
        """Return the entries of the audit trail."""
        place = self.project.root / ".AIM_ai-tools-registry" / "AIM_audit"
        return [
            json.loads(x) for f in place.glob("*/audit.jsonl") for x in f.read_text().splitlines()
        ]


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shop:
    """The shop, where we stand."""
    made = Shop(tmp_path, capsys)
    monkeypatch.chdir(made.project.root)
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.setenv("PIPELINE_ERROR_PLUGINS_PATH", str(tmp_path / "plugins"))
    return made


def test_code_of_others_is_shown_and_remembered(shop: Shop) -> None:
    """Seen for the first time, and then known."""
    first = shop.contract()
    assert first.code == 0, first.out + first.err
    assert "adapter of outsider  first" in first.out
    assert shop.states() == {"adapter of outsider": "known", "plugin quiet": "known"}


def test_a_change_is_told_until_it_is_accepted(shop: Shop) -> None:
    """By exit code and hint, and once to the audit trail; so is that it was accepted."""
    shop.states()
    shop.adapter.write_text(ADAPTER + "# more\n")
    changed = shop.contract()
    assert changed.code == 1
    assert "aim tools contract --accept" in changed.err
    assert shop.states()["adapter of outsider"] == "changed"
    assert shop.contract("--accept").code == 0
    assert shop.states()["adapter of outsider"] == "known"
    told = [entry["message"] for entry in shop.trail()]
    assert told == ["changed: adapter of outsider", "accepted changed code of others"]


def test_an_adapter_that_others_can_change_is_not_run(shop: Shop) -> None:
    """A call fails with the reason and the way out, and nothing of it was started."""
    shop.adapter.chmod(0o646)
    with shop.project.workspace() as workspace:
        result = workspace.call_tool("outsider", "code_review", {"prompt": "look"}, 10.0)
    assert not result.success
    assert "everybody may write to" in result.message
    assert "chmod o-w" in result.message
    assert shop.states()["adapter of outsider"] == "refused"


def test_an_adapter_that_has_changed_is_run_and_told(shop: Shop) -> None:
    """The user may have changed it: a call tells the trail, and goes on."""
    shop.states()
    shop.adapter.write_text(ADAPTER + "# more\n")
    with shop.project.workspace() as workspace:
        result = workspace.call_tool("outsider", "code_review", {"prompt": "look"}, 10.0)
    assert result.success, result.message
    assert [e["message"] for e in shop.trail() if e["kind"] == "event"] == [
        "changed: adapter of outsider"
    ]


def test_a_plugin_that_others_can_change_is_left_out(shop: Shop) -> None:
    """The check goes on without it, and says why."""
    (shop.plugin / "plugin.py").chmod(0o666)
    said = shop.cli("check", "--no-cache", "README.md")
    assert said.code == 0
    assert "plugin quiet" in said.out + said.err
    assert "its code is not run: everybody may write to" in said.out + said.err


def test_a_plugin_that_has_changed_is_a_note_of_the_check(shop: Shop) -> None:
    """Once: the second check does not repeat it."""
    shop.cli("check", "--no-cache", "README.md")
    (shop.plugin / "plugin.py").write_text(PLUGIN + "# more\n")
    said = shop.cli("check", "--no-cache", "README.md")
    assert "plugin quiet is not what it was" in said.out + said.err
    again = shop.cli("check", "--no-cache", "README.md")
    assert "is not what it was" not in again.out + again.err


def test_findings_of_bandit_are_shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in an adapter is seen before it is used."""
    monkeypatch.setenv("PATH", checker_path("bandit"))
    assert "adapter of outsider: adapter.py:3: B602" in shop.contract().out


def test_findings_of_shellcheck_are_shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a program of a tool profile, too, that lies in the repository."""
    monkeypatch.setenv("PATH", checker_path("shellcheck"))
    write(shop.project.root, {
        "bin/run.sh": "#!/bin/sh\nrm -rf $1\n",
        "config/tool_profiles.json": json.dumps({"mine": {"type": "ai", "command": "bin/run.sh"}}),
    })  # fmt: skip
    assert "program of mine: run.sh:2: SC2086" in shop.contract().out


def test_without_a_linter_that_is_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing found is not the same as nobody looked."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "python_bandit: bandit is not installed" in shop.contract().out


def test_a_dry_run_remembers_nothing(shop: Shop, tmp_path: Path) -> None:
    """It writes nothing, not even what it has seen."""
    shop.project.bundle("ws-a", {"edits": {"ws-a.txt": "x\n"}})
    assert shop.cli("run", "--all", "--dry-run").code == 0
    assert not (tmp_path / "aim" / "foreign-code.json").exists()
