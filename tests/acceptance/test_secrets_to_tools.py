"""Tools, adapters, checks and calls get the secrets that their profiles name, and no others."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.wiring import Workspace, open_workspace
from tests.support.cli import Cli, bundle, git, make_repository, write_bundles
from tests.support.registries import write_config, write_json, write_registry
from tests.support.vaults import private, vault_at

VALUES = {
    "FIRST_KEY": "first-value-0001",
    "SECOND_KEY": "second-value-0002",
    "OPENAI_API_KEY": "openai-value-0003",
    "ANTHROPIC_API_KEY": "anthropic-value-0004",
}
DUMP = "env | sort > {out}; echo text > ws-one.txt; env"
ADAPTER = """\
import json, os, sys
from pathlib import Path
asked = json.load(sys.stdin)
Path({out!r}).write_text("\\n".join(f"{{k}}={{v}}" for k, v in os.environ.items()))
print(json.dumps({{"success": True, "message": "done", "content": {{}}}}))
"""


class Desk:
    """A repository, a vault with four secrets, and what the children of a run have seen."""

    def __init__(self, root: Path, home: Path, out: Path) -> None:
        self.root, self.home, self.out = root, home, out

    def profile(self, tool_id: str = "mine", **keys: Any) -> None:
        """Write a tool profile whose command notes its environment, edits, and prints all of it."""
        entry = {"command": "sh", "args": ["-c", DUMP.replace("{out}", str(self.out))], **keys}
        write_json(self.root / "config" / "tool_profiles.json", {tool_id: entry})

    def client(self, name: str) -> None:
        """Put a client on the PATH that notes its environment and says nothing that counts."""
        path = self.root.parent / "bin" / name
        path.write_text(f"#!/bin/sh\nenv > {self.out}\ncat >/dev/null\nexit 1\n")
        path.chmod(0o755)

    def seen(self) -> dict[str, str]:
        """Return the secrets that the child had."""
        lines = [line.partition("=") for line in self.out.read_text().splitlines()]
        return {name: value for name, _, value in lines if name in VALUES}

    def events(self) -> list[dict[str, Any]]:
        """Return what the trail says of secrets that were read."""
        place = self.root / ".AIM_ai-tools-registry" / "AIM_audit"
        lines = [x for p in sorted(place.rglob("audit.jsonl")) for x in p.read_text().splitlines()]
        return [e for e in map(json.loads, lines) if e.get("event_type") == "secret_get"]

    def lent(self) -> list[tuple[str, list[str], str | None]]:
        """Return what the trail says was lent: tool, names, run."""
        return [
            (e["details"]["tool"], e["details"]["names"], e["run_id"])
            for e in self.events()
            if e["details"]["purpose"] == "tool"
        ]

    def readings(self, purpose: str) -> list[list[str]]:
        """Return the names that were read for a purpose, by the trail."""
        return [e["details"]["names"] for e in self.events() if e["details"]["purpose"] == purpose]

    def leaks(self) -> list[str]:
        """Return the files of the repository that hold a value."""
        files = [p for p in self.root.rglob("*") if p.is_file()]
        found = [p for p in files if any(v.encode() in p.read_bytes() for v in VALUES.values())]
        return [str(p.relative_to(self.root)) for p in found]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A repository with a vault, and none of its secrets in the environment."""
    root, bin_ = make_repository(tmp_path / "r"), private(tmp_path / "bin")
    for name in VALUES:
        monkeypatch.delenv(name, raising=False)
        vault_at(tmp_path / "home").set(name, VALUES[name])
    monkeypatch.chdir(root)
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIM_VAULT", "age")
    monkeypatch.setenv("HOME", str(private(tmp_path / "user")))
    monkeypatch.setenv("PATH", f"{bin_}:{Path(sys.executable).parent}:/usr/bin:/bin")
    git(root, "config", "--local", "user.useConfigOnly", "true")
    return Desk(root, tmp_path / "home", tmp_path / "seen")


@pytest.fixture
def workspace(desk: Desk) -> Iterator[Workspace]:
    """The workspace of the repository."""
    with open_workspace(desk.root) as found:
        yield found


@pytest.fixture
def cli(desk: Desk, capsys: pytest.CaptureFixture[str]) -> Cli:
    """`penstock` in the repository."""
    return Cli(desk.root, capsys)


def run_with(desk: Desk, cli: Cli, tool: str, **more: Any) -> str:
    """Run one workstream with a tool; return its id."""
    write_bundles(desk.root, bundle(tool=tool, metadata={}, **more))
    said = cli("run", "--run-id", "run-1", "ws-one")
    assert "value-000" not in said.out + said.err
    return "run-1"


def test_a_turn_gets_what_its_profile_names(desk: Desk, cli: Cli) -> None:
    """Of four secrets one reaches the child; the trail has it, no file of the run has a value."""
    desk.profile(secrets=["FIRST_KEY", "NOT_THERE"])
    run_with(desk, cli, "mine")
    assert desk.seen() == {"FIRST_KEY": VALUES["FIRST_KEY"]}
    assert desk.lent() == [("mine", ["FIRST_KEY"], "run-1")]
    assert desk.leaks() == []


def test_reading_for_redaction_is_recorded(desk: Desk, cli: Cli) -> None:
    """A run knows all values so that it can take them out, and the trail says so, by name; a dry
    run leaves nothing behind."""
    desk.profile()
    write_bundles(desk.root, bundle(tool="mine", metadata={}))
    assert cli("run", "--dry-run", "ws-one").code == 0
    assert desk.readings("redaction") == []
    run_with(desk, cli, "mine")
    assert desk.readings("redaction") == [sorted(VALUES)]


def test_a_profile_that_names_none_gets_none(desk: Desk, cli: Cli) -> None:
    """A program of the user's own is given no secret unasked."""
    desk.profile()
    run_with(desk, cli, "mine")
    assert (desk.seen(), desk.lent()) == ({}, [])


def test_the_environment_goes_first(desk: Desk, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named variable that is set is handed on as it is, and the vault is not read for it."""
    monkeypatch.setenv("SECOND_KEY", "of-the-environment")
    desk.profile(secrets=["SECOND_KEY"])
    run_with(desk, cli, "mine")
    assert (desk.seen(), desk.lent()) == ({"SECOND_KEY": "of-the-environment"}, [])


def test_an_adapter_of_ours_gets_the_keys_of_its_client(desk: Desk, cli: Cli) -> None:
    """claude is given Anthropic's key, not OpenAI's, without any configuration."""
    desk.client("claude")
    run_with(desk, cli, "claude-cli")
    assert desk.seen() == {"ANTHROPIC_API_KEY": VALUES["ANTHROPIC_API_KEY"]}
    assert ("claude-cli", ["ANTHROPIC_API_KEY"], "run-1") in desk.lent()


def test_an_empty_list_leaves_a_client_with_its_login(
    desk: Desk, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`secrets: []` holds back the key, from the vault and from the environment."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-environment")
    write_config(desk.root, {"registry": {"tools": {"claude-cli": {"secrets": []}}}})
    desk.client("claude")
    run_with(desk, cli, "claude-cli")
    assert (desk.seen(), desk.lent()) == ({}, [])


def test_an_adapter_program_gets_what_the_registry_names(desk: Desk, workspace: Workspace) -> None:
    """A program of the open adapter protocol has its secrets, and its client's name gives it none."""
    folder = desk.root / ".AIM_ai-tools-registry"
    script = folder / "AIM_adapters" / "AIM_aider.py"
    write_registry(folder, {
        "aider": {"name": "aider", "detectCommands": [["true"]], "secrets": ["SECOND_KEY"],
                  "adapterScript": "AIM_adapters/AIM_aider.py"}})  # fmt: skip
    script.parent.mkdir()
    script.write_text(ADAPTER.format(out=str(desk.out)))
    script.chmod(0o755)
    result = workspace.call_tool("aider", "refactoring", {"prompt": "x", "files": []}, 30)
    assert desk.seen() == {"SECOND_KEY": VALUES["SECOND_KEY"]}, result
    assert desk.lent() == [("aider", ["SECOND_KEY"], "call")]


def test_a_check_gets_what_its_profile_names(desk: Desk, cli: Cli) -> None:
    """A static check that needs a token has it, the others and the turn do not."""
    check = f'env > {desk.out}; test -n "$FIRST_KEY" && echo $FIRST_KEY'
    write_json(desk.root / "config" / "tool_profiles.json", {
        "checker": {"type": "static-check", "command": "sh", "args": ["-c", check],
                    "secrets": ["FIRST_KEY"]}})  # fmt: skip
    (desk.root / "config" / "pipeline.yaml").write_text(
        "static_tools: [checker]\nruntime_tools: []\n"
    )
    write_bundles(desk.root, bundle())
    assert cli("run", "--run-id", "run-1", "ws-one").code == 0
    assert desk.seen() == {"FIRST_KEY": VALUES["FIRST_KEY"]}
    assert desk.lent()[0][:2] == ("checker", ["FIRST_KEY"])
    assert desk.leaks() == []


def test_a_profile_run_on_its_own(desk: Desk, workspace: Workspace) -> None:
    """The documented `run_tool` lends, too, and shows no value."""
    desk.profile(secrets=["FIRST_KEY"])
    result = workspace.run_tool("mine", {}, None, None)
    assert desk.seen() == {"FIRST_KEY": VALUES["FIRST_KEY"]}
    assert "first-value" not in result.stdout + result.command_line


def test_status_knows_of_keys_in_the_vault(desk: Desk, workspace: Workspace) -> None:
    """A tool whose key lies there counts as signed in, and the vault is named."""
    desk.client("claude")
    found = {s.detection.tool_id: s.sign_in for s in workspace.tool_side().statuses()}
    assert found["claude-cli"].words == "ANTHROPIC_API_KEY in the vault"
    assert found["gemini"].key is None


def test_a_locked_vault_is_a_missing_login(desk: Desk, cli: Cli) -> None:
    """Nothing is started without the key that it is to have, and the reason is told."""
    (desk.home / "vault.age").write_bytes(b"age-encryption.org/v1\ncut")
    desk.profile(secrets=["FIRST_KEY"])
    run_with(desk, cli, "mine")
    assert not desk.out.exists()
    shown = cli("show", "run-1", "ws-one").out
    assert "secrets cannot be read" in shown


def test_names_that_cannot_be_secrets_are_refused(desk: Desk, cli: Cli) -> None:
    """A profile that names a path instead of a secret is an error of the configuration."""
    desk.profile(secrets=["../vault.key"])
    write_bundles(desk.root, bundle(tool="mine", metadata={}))
    said = cli("run", "--run-id", "run-1", "ws-one")
    assert said.code == 2
    assert "secrets" in said.err
