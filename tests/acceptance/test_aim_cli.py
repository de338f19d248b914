"""`aim status`, `aim route`, `aim tools contract`, and the documented functions beside them."""

from __future__ import annotations

import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.aim_cli.main import main
from penstock.model.outcome import OutcomeKind
from penstock.tools.contract import used_flags
from penstock.tools.contracts import CONTRACTS
from penstock.wiring import open_workspace
from tests.support.cli import Said, child, make_repository
from tests.support.programs import Machine
from tests.support.registries import FOLDER, RULES, write_config, write_json, write_registry

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
STAGING = SCRIPTS.parent / "workstreams" / "staging_test"
CODING = {"primary": "codex", "fallback": ["aider"], "context_requirements": {"prompt": "required"}}
SCREEN = """\
AIM Registry Path: {folder}

Tool ID              Detected     Version
======================================================================
aider                Yes          0.86.2
codex                No           N/A

Capability Routing:
======================================================================
code_generation:
  Primary:  codex
  Fallback: aider
review:
  Primary:  aider
  Fallback: (none)

"""


class Desk:
    """A repository on a machine of its own, and the `aim` commands in it."""

    def __init__(self, root: Path, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.machine = machine
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        """Run one command line."""
        self._capsys.readouterr()
        code = main(args)
        out, err = self._capsys.readouterr()
        return Said(code, out, err)

    def now(self, capability: str) -> dict[str, Any]:
        """Return what status says would be chosen now."""
        found: dict[str, Any] = self("status", "--json").json["capabilities"][capability]["now"]
        return found

    def tool(self, tool_id: str) -> dict[str, Any]:
        """Return what status says of a tool."""
        tools = self("status", "--json").json["tools"]
        return next(tool for tool in tools if tool["tool_id"] == tool_id)

    def install(self, tool_id: str, version: str, *, without: str = "") -> None:
        """Install a client that knows every flag that its adapter uses, but one."""
        contract = CONTRACTS[tool_id]
        flags = " ".join(flag for flag in used_flags(contract.tool()) if flag != without)
        script = f'case "$*" in *--version*) echo "{version}";; *) echo "{flags}";; esac'
        self.machine.program(contract.executable or tool_id, script)

    def rules(self, **capabilities: Any) -> None:
        """Write coordination rules for the packaged tools."""
        write_json(self.root / FOLDER / RULES, {"capabilities": capabilities})


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    """An empty repository on a machine that has aider, without key or login."""
    machine = Machine(tmp_path / "machine")
    root = make_repository(tmp_path / "project")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AIM_REGISTRY_PATH", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in machine.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    desk = Desk(root, machine, capsys)
    desk.install("aider", "aider 0.86.2")
    return desk


@pytest.fixture
def small(desk: Desk) -> Desk:
    """The same with a registry of two tools and two capabilities."""
    tools = {
        name: {"name": name, "detectCommands": [[name, "--version"]]} for name in ("aider", "codex")
    }
    rules = {"capabilities": {"review": {"primary": "aider"}, "code_generation": CODING}}
    write_registry(desk.root / FOLDER, tools, rules=rules)
    return desk


# -- status ----------------------------------------------------------------------------------------
def test_the_documented_screen_comes_first(small: Desk) -> None:
    """Columns of 21 and 13, 70 `=` under both headings, capabilities sorted, to the letter."""
    said = small("status")
    assert said.code == 0, said.err
    assert said.out.startswith(SCREEN.format(folder=small.root / FOLDER))


def test_the_screen_of_the_packaged_registry(desk: Desk) -> None:
    """All sixteen tools, the documented routing of code_generation, and what is unproven."""
    out = desk("status").out
    assert out.count("  No           N/A\n") == 15
    assert "code_generation:\n  Primary:  jules\n  Fallback: aider, claude-cli, codex\n" in out
    assert "Unproven adapters: jules, goose, cursor-agent, amp\n" in out
    assert f"Audit trail: {desk.root / FOLDER / 'AIM_audit'}, kept for 30 days\n" in out
    assert not (desk.root / FOLDER).exists()


def test_who_is_chosen_now_and_why(small: Desk) -> None:
    """Each capability with its choice, and each tool that is passed over with the reason."""
    out = small("status").out
    assert "code_generation: aider (aider is the first of its rule that fits" in out
    assert "  not codex: not installed: install codex\n" in out
    now = small.now("code_generation")
    assert (now["tool_id"], now["order"]) == ("aider", ["aider"])
    assert now["rejected"] == [{"tool_id": "codex", "reason": "not installed: install codex"}]


def test_switches_that_are_off_are_said(small: Desk) -> None:
    """AIM off, auditing off, and which file says so."""
    config = {"version": "3", "enable_aim": False, "enable_audit_logging": False}
    write_config(small.root, config)
    out = small("status").out
    assert "Configuration: config/aim_config.json, version 3\n" in out
    assert "AIM is off (enable_aim: false in config/aim_config.json)" in out
    assert "Audit logging is off (enable_audit_logging: false in config/aim_config.json)" in out
    document = small("status", "-j").json
    assert document["configuration"]["enable_aim"] is False
    assert document["audit"]["enabled"] is False


def test_signed_in_or_the_command_that_signs_in(
    small: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is named, never shown; without one the command is told."""
    assert "aider  no: export OPENAI_API_KEY=..." in small("status").out
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    said = small("status")
    assert "aider  key in OPENAI_API_KEY" in said.out
    assert "sk-very-secret" not in said.out + small("status", "--json").out
    assert small.tool("aider")["sign_in"]["key"] == "OPENAI_API_KEY"


def test_a_cooldown_of_the_journal(small: Desk) -> None:
    """Until when and why, and another tool, or none, is chosen."""
    until = time.time() + 3600
    with open_workspace(small.root) as workspace:
        workspace.open_journal().record_tool_result("aider", OutcomeKind.RATE_LIMITED, until)
    out = small("status").out
    assert "left (rate_limited)" in out
    assert "code_generation: no tool (every tool left is rate limited" in out
    tool, now = small.tool("aider"), small.now("code_generation")
    assert tool["cooling_reason"] == "rate_limited"
    assert tool["cooling_until"] == now["wait_until"]
    assert now["tool_id"] is None


def test_a_change_on_disk_is_seen(small: Desk) -> None:
    """The same process sees rules, tools and settings as they are now."""
    assert small.now("review")["tool_id"] == "aider"
    rules = {"capabilities": {"docs": {"primary": "codex", "fallback": ["aider"]}}}
    write_json(small.root / FOLDER / RULES, rules)
    assert list(small("status", "--json").json["capabilities"]) == ["docs"]
    small.install("codex", "codex-cli 0.169.0")
    assert small.now("docs")["tool_id"] == "codex"
    (small.machine.bin / "codex").unlink()
    assert small.now("docs")["tool_id"] == "aider"


def test_a_missing_registry_is_a_failure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit 1 and what to do; the documented script too."""
    monkeypatch.setenv("AIM_REGISTRY_PATH", str(tmp_path / "gone"))
    said = desk("status", "--json")
    assert said.code == 1
    assert "there is no AIM registry at" in said.err
    assert said.json["error"]["exit_code"] == 1
    program = [sys.executable, str(SCRIPTS / "aim_status.py")]
    env = {"AIM_REGISTRY_PATH": str(tmp_path / "gone")}
    assert child(cwd=desk.root, env=env, program=program).code == 1


def test_the_documented_script_shows_the_screen(small: Desk) -> None:
    """`python scripts/aim_status.py` is `aim status`."""
    program = [sys.executable, str(SCRIPTS / "aim_status.py")]
    said = child(cwd=small.root, env=small.machine.environ, program=program)
    assert said.code == 0, said.err
    assert said.out.startswith(SCREEN.format(folder=small.root / FOLDER))


def test_a_wrong_registry_is_an_error_with_every_mistake(small: Desk) -> None:
    """Exit 2, file, key and the nearest known one of each."""
    rules = {"capabilities": {"docs": {"primary": "aidr", "fallbak": []}}, "securty": {}}
    write_json(small.root / FOLDER / RULES, rules)
    said = small("status")
    assert said.code == 2
    assert "securty: unknown key; did you mean security?" in said.err
    assert "fallbak: unknown key; did you mean fallback?" in said.err


def test_status_outside_of_a_repository(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's tools can be looked at anywhere; nothing is written there."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert desk("status").code == 0
    assert list(folder.iterdir()) == []


def test_several_at_once(small: Desk) -> None:
    """Each sees the same, and what they note about the machine stays whole."""
    program = [sys.executable, "-m", "penstock.aim_cli"]
    env = small.machine.environ
    with ThreadPoolExecutor(4) as threads:
        jobs = [
            threads.submit(child, "status", "-j", cwd=small.root, env=env, program=program)
            for _ in range(4)
        ]
        said = [job.result() for job in jobs]
    assert [one.code for one in said] == [0] * 4
    assert {one.json["tools"][0]["version"] for one in said} == {"0.86.2"}
    cache = small.machine.home / ".cache" / "penstock"
    assert [path.name for path in cache.iterdir()] == ["tools.json"]
    json.loads((cache / "tools.json").read_text(encoding="utf-8"))


def test_a_cache_that_cannot_be_written_costs_only_time(small: Desk) -> None:
    """Status says the same, and asks again the next time."""
    (small.machine.home / ".cache").write_text("", encoding="utf-8")
    assert small.tool("aider")["version"] == "0.86.2"
    assert small.tool("aider")["version_from"] == "asked"


# -- route -----------------------------------------------------------------------------------------
def test_route_tells_the_order_and_the_reasons(desk: Desk) -> None:
    """Candidates in order, rejected ones with reasons, nothing started."""
    desk.install("codex", "codex-cli 0.169.0")
    said = desk("route", "code_generation", "--explain")
    assert said.code == 0
    assert said.out.startswith("code_generation: aider (")
    assert "  1. aider\n  2. codex\n  not jules: not installed: npm install" in said.out
    assert said.out.endswith("strategy: fixed\n")


def test_route_judges_the_payload(small: Desk) -> None:
    """What the rule requires must be there; `{}` lacks it."""
    said = small("route", "code_generation", "--payload", "{}")
    assert said.code == 1
    assert "the payload lacks what code_generation requires: prompt" in said.out
    assert small("route", "code_generation", "--payload", '{"prompt": "x"}').code == 0


def test_route_tells_a_refusal(small: Desk) -> None:
    """A payload beyond a security limit is refused, whichever tool there is."""
    payload = '{"prompt": "x", "files": ["src/../.env"]}'
    said = small("route", "code_generation", "--payload", payload)
    assert said.code == 1
    assert said.out.startswith("refused: src/../.env (that is .env) lies under the forbidden path")
    document = small("route", "code_generation", "--payload", payload, "--json").json
    assert "forbidden path /.env" in document["refused"]


def test_route_reads_a_payload_from_a_file_or_stdin(
    small: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`@FILE` and `-`, for payloads that no command line holds."""
    path = write_json(tmp_path / "payload.json", {"prompt": "x"})
    assert small("route", "code_generation", "--payload", f"@{path}").code == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"prompt": "x"}'))
    assert small("route", "code_generation", "--payload", "-").code == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "@/nonexistent/x", "@", "[" * 100_000])
def test_a_payload_that_is_none(text: str, small: Desk) -> None:
    """Exit 2 and what is wrong."""
    said = small("route", "code_generation", "--payload", text)
    assert said.code == 2
    assert "--payload" in said.err


def test_an_unknown_capability_lists_the_known(small: Desk) -> None:
    """In the documented words."""
    said = small("route", "dancing")
    assert said.code == 1
    assert "Capability 'dancing' not defined in coordination rules" in said.err
    assert "code_generation, review" in said.err


def test_route_rotates_and_learns(desk: Desk) -> None:
    """round_robin goes on after the last tool, auto prefers the better record."""
    desk.install("codex", "codex-cli 0.169.0")
    rule = {"primary": "aider", "fallback": ["codex"]}
    desk.rules(a={**rule, "strategy": "round_robin"}, b={**rule, "loadBalance": True})
    with open_workspace(desk.root) as workspace:
        journal = workspace.open_journal()
        journal.set_last_routed("a", "aider")
        journal.set_last_routed("b", "codex")
    assert desk("route", "a", "--json").json["order"] == ["codex", "aider"]
    assert desk("route", "b", "--json").json["order"] == ["aider", "codex"]


def test_a_tool_that_does_not_offer_the_capability(desk: Desk) -> None:
    """The registry says what a tool can do; a capability of the user's own is anybody's."""
    desk.rules(linting={"primary": "aider"}, poetry={"primary": "aider"})
    said = desk("route", "linting")
    assert said.code == 1
    assert "its registry entry does not list linting" in said.out
    assert desk("route", "poetry").code == 0


def test_a_tool_without_an_adapter(desk: Desk) -> None:
    """A tool that is there and that nobody can drive is passed over."""
    tools = {"hammer": {"name": "Hammer", "detectCommands": ["sh"]}}
    write_registry(desk.root / FOLDER, tools, rules={"capabilities": {"x": {"primary": "hammer"}}})
    assert "not hammer: penstock has no adapter for it" in desk("route", "x").out


# -- contracts -------------------------------------------------------------------------------------
def test_contracts_are_probed_once(small: Desk) -> None:
    """The result is kept until the tool changes, and shown in status."""
    assert small.tool("aider")["contract"] is None
    said = small("tools", "contract")
    assert said.code == 0, said.out
    assert "aider  0.86.2   0.86.2         kept, probed" in said.out
    assert "codex  -        -              not installed" in said.out
    asked = small.machine.times_asked("aider")
    assert small("tools", "contract", "aider").code == 0
    assert small.machine.times_asked("aider") == asked
    assert small("tools", "contract", "aider", "--fresh").code == 0
    assert small.machine.times_asked("aider") > asked
    assert small.tool("aider")["contract"]["ok"] is True


def test_drift_is_seen_before_a_run(small: Desk) -> None:
    """A flag that is gone fails the contract, and the tool is not chosen any more."""
    small("tools", "contract")
    small.install("aider", "aider 0.99.0", without="--message-file")
    assert small.tool("aider")["contract"] is None
    said = small("tools", "contract", "--json")
    assert said.code == 1
    assert said.json["aider"]["mismatches"] == ["aider no longer knows --message-file"]
    assert "broken: aider no longer knows --message-file" in small("status").out
    reason = "its contract is broken: aider no longer knows --message-file"
    assert {"tool_id": "aider", "reason": reason} in small.now("review")["rejected"]


def test_contracts_of_tools_that_have_none(small: Desk) -> None:
    """A tool that is not there is a failure when named; an unknown one is an error."""
    assert small("tools", "contract", "codex").code == 1
    said = small("tools", "contract", "hammer")
    assert said.code == 1
    assert "known tools: aider, codex" in said.err


# -- bundles ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", sorted(STAGING.glob("*.json")), ids=lambda path: path.stem)
def test_the_staging_examples_are_valid(path: Path, desk: Desk) -> None:
    """Each one by the documented script, and each names a capability with its payload."""
    program = [sys.executable, str(SCRIPTS / "validate_workstreams.py")]
    said = child(str(path), cwd=desk.root, program=program)
    assert said.out == "1 workstream bundles validated successfully.\n", said.err
    bundle = json.loads(path.read_text(encoding="utf-8"))
    payload = json.dumps(bundle["capability_payload"])
    assert desk("route", bundle["capability"], "--payload", payload).code == 0


def test_the_staging_examples_fit_together() -> None:
    """The four of the deployment guide, valid as a set."""
    names = {path.stem for path in STAGING.glob("*.json")}
    guide = {"ws-aim-validation", "ws-add-docstrings", "ws-add-tests", "ws-refactor-simple"}
    assert names == guide
    assert penstock.validate(directory=str(STAGING)).ok


def test_validation_knows_the_effective_capabilities(desk: Desk) -> None:
    """Names of the rules are accepted, others are refused with the known ones."""
    bundle = json.loads((STAGING / "ws-add-tests.json").read_text(encoding="utf-8"))
    path = write_json(desk.root / "workstreams" / "a.json", {**bundle, "capability": "poetry"})
    wrong = penstock.validate(path)
    assert "unknown capability 'poetry'; known are code_generation, linting" in wrong.errors[0].text
    desk.rules(poetry={"primary": "aider"})
    assert penstock.validate(path).ok
    write_json(path, bundle)
    assert "known are poetry" in penstock.validate(path).errors[0].text


def test_validation_without_a_reachable_registry(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packaged names are known then: the direct tool will do the work."""
    monkeypatch.setenv("AIM_REGISTRY_PATH", "gone")
    path = write_json(
        desk.root / "workstreams" / "a.json",
        json.loads((STAGING / "ws-add-tests.json").read_text(encoding="utf-8")),
    )
    assert penstock.validate(path).ok


# -- the documented functions ----------------------------------------------------------------------
def test_the_documented_functions(small: Desk) -> None:
    """They tell what the commands tell, as values."""
    assert penstock.get_aim_registry_path() == small.root / FOLDER
    assert list(penstock.load_aim_registry().tools) == ["aider", "codex"]
    assert penstock.load_coordination_rules().capabilities["code_generation"].primary == "codex"
    assert (penstock.detect_tool("aider"), penstock.detect_tool("codex")) == (True, False)
    assert penstock.get_tool_version("aider") == "0.86.2"
    assert penstock.get_tool_version("codex") is None
    assert penstock.route_to_capability("code_generation").tool_id == "aider"
    assert penstock.route_to_capability("code_generation", {}).tool_id is None
    with pytest.raises(penstock.AIMToolNotFoundError):
        penstock.detect_tool("hammer")
    with pytest.raises(penstock.AIMCapabilityNotFoundError):
        penstock.route_to_capability("dancing")


def test_whether_aim_is_available(small: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when it is off or its registry is gone; a wrong registry is an error."""
    assert penstock.is_aim_available()
    write_config(small.root, {"enable_aim": False})
    assert not penstock.is_aim_available()
    write_config(small.root, {})
    monkeypatch.setenv("AIM_REGISTRY_PATH", "gone")
    assert not penstock.is_aim_available()
    monkeypatch.delenv("AIM_REGISTRY_PATH")
    write_json(small.root / FOLDER / RULES, {"capabilities": []})
    with pytest.raises(penstock.AIMRegistryLoadError):
        penstock.is_aim_available()
