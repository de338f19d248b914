"""`aim health check`, `report` and `verify` on machines of their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support.cli import bundle, make_repository, write_bundles
from tests.support.machines import Desk, make_desk


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """A repository on a machine with one AI tool that is signed in."""
    return make_desk(tmp_path, capsys, monkeypatch)


def test_a_machine_that_is_fit(desk: Desk) -> None:
    """With a tool that is signed in, everything passes, and `verify` says so with its exit code."""
    said = desk("health", "check")
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("healthy: ")
    assert desk("health", "verify").code == 0


def test_the_documented_shape(desk: Desk) -> None:
    """The report has the documented members, and counts its checks."""
    report = desk("health", "check", "--json").json
    assert set(report) == {"timestamp", "overall_status", "summary", "checks"}
    assert set(report["summary"]) == {"pass", "warn", "fail"}
    assert sum(report["summary"].values()) == len(report["checks"])
    for check in report["checks"]:
        assert {"name", "status", "message", "details", "timestamp"} <= set(check)


def test_a_warning_is_no_failure(desk: Desk) -> None:
    """Without any AI tool the machine is degraded: `check` exits 0, `verify` does not."""
    desk.remove("codex")
    assert desk("health", "check").code == 0
    said = desk("health", "verify")
    assert said.code == 1
    assert "warn  ai_tools: no AI tool is installed" in said.out


def test_a_failure(desk: Desk) -> None:
    """A required command that is not there makes it unhealthy, with the key to mend."""
    desk.configure(environment={"healthChecks": {"requiredCommands": ["no-such-program"]}})
    said = desk("health", "check")
    assert said.code == 1
    assert "1 of 1 required commands missing: no-such-program" in said.out
    assert "environment.healthChecks.requiredCommands" in said.out


@pytest.mark.parametrize("name", ["r.json", "r.html", "r.md"])
def test_a_report_in_a_file(desk: Desk, tmp_path: Path, name: str) -> None:
    """The file's name tells the form."""
    target = tmp_path / name
    assert desk("health", "report", "-o", str(target)).code == 0
    text = target.read_text(encoding="utf-8")
    assert text.startswith({"json": "{", "html": "<!doctype", "md": "# Health"}[name[2:]])


def test_what_is_recorded(desk: Desk) -> None:
    """Every look is an event of the audit trail."""
    desk("health", "check")
    (line,) = [json.loads(line) for line in desk.audit_lines()]
    assert line["event_type"] == "health_check"
    assert line["details"]["status"] == "healthy"


# -- whatever the machine is like ------------------------------------------------------------
def found(desk: Desk, name: str) -> dict[str, Any]:
    """Return one check of a fresh look."""
    checks: list[dict[str, Any]] = desk("health", "check", "--json").json["checks"]
    return next(check for check in checks if check["name"] == name)


def test_tools_that_hang_and_lie(desk: Desk) -> None:
    """A tool that never answers, one that prints rubbish, and one that dies: the report comes in
    time, and tells which are there."""
    desk.machine.program("claude", "exec sleep 60")
    desk.machine.program("gemini", "head -c 100000 /dev/urandom")
    desk.machine.program("qwen", "kill -9 $$")
    begun = time.monotonic()
    check = found(desk, "ai_tools")
    assert time.monotonic() - begun < 15.0
    assert {"claude-cli", "codex", "gemini", "qwen"} == set(check["details"])
    assert check["details"]["claude-cli"]["version"] is None


def test_no_key_is_shown(desk: Desk) -> None:
    """Of a key only the name of its variable is told, whatever the form of the report."""
    for form in ("markdown", "json", "html"):
        assert "sk-of-a-test" not in desk("health", "report", "--format", form).out
    assert found(desk, "ai_tools")["details"]["codex"]["sign_in"] == "key in OPENAI_API_KEY"


def test_nobody_is_signed_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AI tool that cannot reach its model is a warning, with the command that signs in."""
    monkeypatch.delenv("OPENAI_API_KEY")
    check = found(desk, "ai_tools")
    assert (check["status"], check["hint"]) == ("warn", "codex login")


def test_git_that_hangs(desk: Desk) -> None:
    """It is ended within the limit, which proves nothing on a busy machine; the rest is told."""
    desk.machine.program("git", "exec sleep 60")
    check = found(desk, "git")
    assert check["status"] == "warn"
    assert "git --version did not answer" in check["message"]


def test_every_wrong_file_is_named(desk: Desk) -> None:
    """All configuration is read, and all that is wrong told at once, without a failure of others."""
    desk.configure(environment={"nonsense": 1})
    (desk.root / "config" / "pipeline.yaml").write_text("limits: 7\n")
    (desk.root / "config" / "tool_profiles.json").write_text("{")
    check = found(desk, "config")
    assert check["status"] == "fail"
    for name in ("aim_config.json", "pipeline.yaml", "tool_profiles.json"):
        assert name in check["message"]


@pytest.mark.parametrize("content", ["[]", "{", '{"tools": 3}', "\x00"])
def test_a_registry_that_is_wrong(desk: Desk, content: str) -> None:
    """The file is named, and what needs it says so without failing, too."""
    folder = desk.root / ".AIM_ai-tools-registry"
    folder.mkdir()
    (folder / "AIM_registry.json").write_text(content)
    checks = {c["name"]: c for c in desk("health", "check", "--json").json["checks"]}
    assert checks["registry"]["status"] == "fail"
    assert "AIM_registry.json" in checks["registry"]["message"]
    assert checks["ai_tools"]["status"] == "warn"


@pytest.mark.parametrize(
    "content", [b"", b"no journal at all", b"SQLite format 3\0" + bytes(range(256)) * 40]
)
def test_a_foreign_journal(desk: Desk, content: bytes) -> None:
    """Whatever lies where the journal should be fails the check and is left as it is."""
    (desk.root / "state").mkdir()
    file = desk.root / "state" / "pipeline.db"
    file.write_bytes(content)
    check = found(desk, "journal")
    assert check["status"] == "fail"
    assert "penstock db" in check["hint"]
    assert file.read_bytes() == content


def test_a_journal_that_is_a_folder(desk: Desk) -> None:
    """Not even that is an error of ours."""
    (desk.root / "state" / "pipeline.db").mkdir(parents=True)
    assert found(desk, "journal")["status"] == "fail"


def test_a_trail_that_was_changed(desk: Desk) -> None:
    """A changed line of today is found, and where."""
    desk("health", "check")
    (file,) = (desk.root / ".AIM_ai-tools-registry/AIM_audit").glob("*/audit.jsonl")
    file.write_bytes(file.read_bytes().replace(b"health", b"wealth", 1))
    check = found(desk, "audit")
    assert check["status"] == "fail"
    assert "audit.jsonl" in check["message"]


def test_without_auditing(desk: Desk) -> None:
    """Where nothing is recorded there is nothing to prove, and nothing is written."""
    desk.configure(enable_audit_logging=False)
    assert "switched off" in found(desk, "audit")["message"]
    assert desk.audit_lines() == []


def test_what_dead_runs_left(desk: Desk) -> None:
    """A folder among the worktrees that is none is named; it is for its owner to clear away."""
    (desk.root / ".worktrees" / "stray").mkdir(parents=True)
    check = found(desk, "worktrees")
    assert (check["status"], check["details"]["stray"]) == ("warn", ["stray"])
    assert "remove the rest" in check["hint"]
    assert check["message"] == ".worktrees holds what is no worktree: stray"


def test_what_a_run_keeps_for_the_next_one_is_not_left_over(desk: Desk) -> None:
    """The worktree in the pool, which each run leaves behind, is no reason for a warning."""
    write_bundles(desk.root, bundle("ws-one"))
    assert desk.penstock("run", "ws-one").code == 0
    assert any((desk.root / ".worktrees" / ".pool").iterdir())
    check = found(desk, "worktrees")
    assert (check["status"], check["details"]["stray"]) == ("pass", [])


def test_a_repository_without_a_commit(desk: Desk, tmp_path: Path) -> None:
    """git works, the repository does not yet: that fails with the command that mends it."""
    make_repository(tmp_path / "fresh", commit=False)
    os.chdir(tmp_path / "fresh")
    check = found(desk, "git")
    assert (check["status"], "has no commit yet" in check["message"]) == ("fail", True)


def test_outside_of_any_repository(desk: Desk, tmp_path: Path) -> None:
    """The machine can be looked at from anywhere, and nothing is written there."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    os.chdir(folder)
    assert desk("health", "check").code == 0
    assert list(folder.iterdir()) == []


def test_a_trail_that_cannot_be_written(desk: Desk) -> None:
    """Looking works all the same, with a warning that it was not recorded."""
    folder = desk.root / ".AIM_ai-tools-registry"
    folder.mkdir()
    (folder / "AIM_audit").write_text("in the way")
    said = desk("health", "check")
    assert "not recorded in the audit trail" in said.err
    assert "python" in said.out


def test_a_report_that_cannot_be_written(desk: Desk, tmp_path: Path) -> None:
    """The place is named, with what to do."""
    said = desk("health", "report", "-o", str(tmp_path / "gone" / "r.html"))
    assert said.code == 2
    assert "cannot write the report to" in said.err
    assert "--output" in said.err


def test_details(desk: Desk) -> None:
    """`--verbose` shows the facts of every check, a line each."""
    said = desk("health", "check", "--verbose")
    assert "git.version: 2." in said.out
    assert "disk.free_mb: " in said.out


def test_nothing_is_asked_of_the_network(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is made or name looked up in this process."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert desk("health", "verify").code == 0


def test_the_status_screen(desk: Desk) -> None:
    """`aim status` sums it up: a line, what is not in order, and the same for machines."""
    desk.configure(version="1.2", environment={"healthChecks": {"requiredCommands": ["gone"]}})
    said = desk("status")
    assert "Configuration: config/aim_config.json, version 1.2" in said.out
    assert "Cooling down: none" in said.out
    assert "Health: unhealthy: " in said.out
    assert "  fail  required_commands: 1 of 1 required commands missing: gone" in said.out
    assert desk("status", "--json").json["health"]["overall_status"] == "unhealthy"


def test_git_that_answers_but_works_on_nothing(desk: Desk) -> None:
    """A git that hangs as soon as it is asked about the repository is ended, and nothing of it stays."""
    real = shutil.which("git", path="/usr/bin:/bin")
    sleep = f"sleep 61.{os.getpid()}"  # nobody else's
    script = f'case "$*" in *--version*|config*) exec {real} "$@";; *) exec {sleep};; esac'
    desk.machine.program("git", script)
    check = found(desk, "git")
    assert "git rev-parse did not answer" in check["message"]
    left = subprocess.run(["pgrep", "-f", sleep], capture_output=True, check=False)
    assert left.stdout == b""
