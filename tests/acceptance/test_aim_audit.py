"""`aim audit` and its documented script, on trails that were written by the room itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.aim_cli.main import main
from penstock.audit.api import AuditTrail
from penstock.audit.trail import FileTrail
from penstock.wiring import open_workspace
from tests.support.cli import Said, child, make_repository, plain_environment
from tests.support.trails import DAY, NOON, Clock

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with four calls, one failed at its login, and an event in its trail."""
    folder = make_repository(tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PENSTOCK_AUDIT_KEY", str(tmp_path / "key"))
    monkeypatch.delenv("AIM_REGISTRY_PATH", raising=False)
    with open_workspace() as workspace:
        record(workspace.recorded)
    return folder


def record(trail: AuditTrail) -> None:
    """Record what the tests look for."""
    files = {"prompt": "Add é", "files": ["src/app.py"]}
    for tool, success, outcome in (
        ("jules", False, "auth"), ("aider", True, "edited"), ("aider", True, "edited"),
        ("ruff", True, "no_change"),
    ):  # fmt: skip
        trail.invocation(
            tool_id=tool, capability="linting" if tool == "ruff" else "code_generation",
            payload=files, success=success, message=f"{tool} said so", outcome=outcome,
            duration_s=2.5, run_id="run-1",
        )  # fmt: skip
    trail.event("workstream_end", "ws-a: over", run_id="run-1")
    trail.anchor()


def aim(capsys: pytest.CaptureFixture[str], *args: str) -> Said:
    """Run `aim audit ...` in this process."""
    capsys.readouterr()
    code = main(["audit", *args])
    out, err = capsys.readouterr()
    return Said(code, out, err)


def trail_file(repo: Path) -> Path:
    """Return the file of the day's lines."""
    return next((repo / ".AIM_ai-tools-registry" / "AIM_audit").glob("*/audit.jsonl"))


def test_show(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest entries are shown, as many as asked for."""
    said = aim(capsys, "show", "-n", "2")
    assert said.code == 0, said.err
    assert "ws-a: over" in said.out
    assert "ruff said so" in said.out
    assert "jules" not in said.out
    entries = aim(capsys, "show", "-j").json["entries"]
    assert len(entries) == 5
    assert "tool_id" not in entries[0]
    assert "event_type" not in entries[1]


def test_nothing_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                          capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Without a trail every command says so, and none is made."""
    folder = make_repository(tmp_path / "empty")
    monkeypatch.chdir(folder)
    assert aim(capsys, "show").out == "Nothing is recorded yet.\n"
    assert aim(capsys, "query").out == ""
    assert aim(capsys, "stats", "--json").json["total_events"] == 0
    assert "Nothing to drop" in aim(capsys, "prune").out
    assert "is whole" in aim(capsys, "verify").out
    assert [p.name for p in folder.iterdir() if p.name != ".git"] == ["README.md"]


def test_query_filters(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text is one line an entry that tells how it went; filters and limit apply."""
    assert "success=false" in aim(capsys, "query", "--tool", "jules").out
    assert aim(capsys, "query", "--capability", "linting").out.count("\n") == 1
    assert aim(capsys, "query", "--kind", "event", "--type", "workstream_end").out.count("\n") == 1
    assert aim(capsys, "query", "--failed", "--outcome", "auth").out.count("\n") == 1
    assert aim(capsys, "query", "--since", "1h", "--limit", "3").out.count("\n") == 3
    assert aim(capsys, "query", "--until", "1h").out == ""
    assert aim(capsys, "query", "--run", "run-1", "--limit", "0").out.count("\n") == 5


def test_query_json_is_what_is_on_file(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is the lines as they are, newest first, also with --json."""
    lines = trail_file(repo).read_text().splitlines()
    for args in (("--format", "json"), ("--json",), ("--json-output",), ("-j",)):
        assert aim(capsys, "query", *args).out.splitlines() == lines[::-1]


def test_query_csv(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has the documented columns."""
    head, *rows = aim(capsys, "query", "--format", "csv", "--kind", "invocation").out.splitlines()
    assert head == "timestamp,tool_id,capability,success,message"
    assert rows[-1].endswith(",jules,code_generation,false,jules said so")


def test_a_wrong_time_is_a_mistake(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with examples."""
    said = aim(capsys, "query", "--since", "yesterday", "--json")
    assert (said.code, said.json["error"]["exit_code"]) == (2, 2)
    assert "2h, 3d, 1w" in said.err


def test_stats(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures are held against the targets, in groups when asked for."""
    said = aim(capsys, "stats", "--by", "tool")
    assert "Calls: 4" in said.out
    assert "login errors     25 %   target < 10 %    MISSED" in said.out
    assert "mean time        2.5s   target < 1m00s   met" in said.out
    document = aim(capsys, "stats", "--by", "capability", "--json").json
    assert [group["name"] for group in document["groups"]] == ["code_generation", "linting"]
    assert document["targets"]["success_rate"] == {"least": 0.8}
    assert {"total_events", "by_type", "by_severity", "log_size_bytes", "oldest_event",
            "newest_event"} <= document.keys()  # fmt: skip


def test_export(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Entries are written oldest first, in the form asked for."""
    assert "Wrote 5 entries to out.json" in aim(capsys, "export", "out.json").out
    assert len(json.loads((repo / "out.json").read_text())) == 5
    said = aim(capsys, "export", "out.jsonl", "--format", "jsonl", "--json")
    assert said.json == {"file": "out.jsonl", "format": "jsonl", "entries": 5}
    assert (repo / "out.jsonl").read_bytes() == trail_file(repo).read_bytes()


def test_verify(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole trail is 0 and proven; a damaged one is 1 and the place is named."""
    said = aim(capsys, "verify")
    assert (said.code, "Proven up to" in said.out) == (0, True), said.out
    file = trail_file(repo)
    file.write_bytes(file.read_bytes().replace(b"jules said so", b"jules said no", 1))
    said = aim(capsys, "verify")
    assert said.code == 1
    assert f"{file.parent.name}/audit.jsonl:1: altered: " in said.out
    report = aim(capsys, "verify", "--json").json
    assert (report["ok"], report["damage"][0]["line"]) == (False, 1)


def test_prune_asks(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is old goes only when agreed to, and what is left verifies."""
    (repo / "config").mkdir()
    (repo / "config" / "aim_config.yaml").write_text("audit_log_retention_days: 1\n")
    old = make_old(repo)
    assert aim(capsys, "prune").code == 2
    assert aim(capsys, "prune", "--dry-run", "--json").json["dropped"] == []
    assert old.exists()
    assert aim(capsys, "prune", "--yes", "--json").json["dropped"] == ["2026-01-01", "2026-01-02"]
    assert not old.exists()
    assert aim(capsys, "verify").code == 0


def make_old(repo: Path) -> Path:
    """Put the trail's beginning into the past, and return its file."""
    folder = repo / ".AIM_ai-tools-registry" / "AIM_audit"
    shutil.rmtree(folder)
    shutil.rmtree(repo / "state")
    for at in (NOON, NOON + DAY):
        with FileTrail(folder, clock=Clock(at)) as trail:
            trail.event("error", "old")
    return folder / "2026-01-01" / "audit.jsonl"


def test_it_reads_what_is_there_with_auditing_off(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Switching recording off does not hide what was recorded."""
    (repo / "config").mkdir()
    (repo / "config" / "aim_config.yaml").write_text("enable_audit_logging: false\n")
    assert aim(capsys, "query").out.count("\n") == 5


def test_an_ascii_terminal_gets_json_that_can_be_read(repo: Path) -> None:
    """Where stdout cannot show a character, JSON escapes it."""
    program = [sys.executable, "-m", "penstock.aim_cli"]
    env = {"PYTHONIOENCODING": "ascii", **keyed(repo)}
    said = child("audit", "query", "-j", "--tool", "ruff", cwd=repo, program=program, env=env)
    assert json.loads(said.out)["payload"]["prompt"] == "Add é"


def keyed(repo: Path) -> dict[str, str]:
    """Return the variable of the key of the fixture."""
    return {"PENSTOCK_AUDIT_KEY": str(repo.parent / "key")}


# -- the documented script -------------------------------------------------------------------
def shell(repo: Path, line: str) -> str:
    """Run a line of the deployment guide with `python` and the scripts where it expects them."""
    home = repo.parent / "bin"
    home.mkdir(exist_ok=True)
    link = home / "python"
    if not link.exists():
        link.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        link.chmod(0o755)
        (repo / "scripts").symlink_to(SCRIPTS)
    env = {**plain_environment(), **keyed(repo), "PATH": f"{home}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=repo, env=env, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


QUERY = "python scripts/aim_audit_query.py"
needs_jq = pytest.mark.skipif(
    shutil.which("jq") is None and not os.environ.get("PENSTOCK_REQUIRE_REAL"),
    reason="jq is not installed",
)


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (f"{QUERY} --since $(date -I)", 4),
        (f"{QUERY} --capability code_generation --since 2025-11-20", 3),
        (f"{QUERY} --tool aider", 2),
        (f"{QUERY} --format csv", 5),
        (f"{QUERY} --format json", 4),
    ],
)
def test_the_guides_queries(repo: Path, line: str, lines: int) -> None:
    """Every query of the guide works as written, over calls only."""
    assert shell(repo, line).count("\n") == lines


def test_the_guides_success_count(repo: Path) -> None:
    """grep counts the successes in the text."""
    line = f'{QUERY} --capability code_generation | grep -c "success.*true"'
    assert shell(repo, line) == "2\n"


def test_the_guides_security_review(repo: Path) -> None:
    """Neither secrets nor forbidden paths are found in a clean trail."""
    line = f'{QUERY} --format json | grep -iE "(password|api_key|secret|token)" || echo none'
    assert shell(repo, line) == "none\n"
    line = f'{QUERY} --format json | grep -E "(/\\.git/|/\\.env)" || echo none'
    assert shell(repo, line) == "none\n"


@needs_jq
def test_the_guides_jq_pipelines(repo: Path) -> None:
    """Failures, groups by tool and times come out of jq as the guide writes it."""
    failed = shell(repo, f"{QUERY} --format json | jq 'select(.result.success == false)'")
    assert json.loads(failed)["tool_id"] == "jules"
    by_tool = shell(
        repo, f"{QUERY} --format json | \\\n  jq -r '.tool_id' | sort | uniq -c | sort -rn"
    )
    assert by_tool.split() == ["2", "aider", "1", "ruff", "1", "jules"]
    times = shell(
        repo,
        f"{QUERY} --format json | \\\n  jq -r '[.capability, .result.content.duration_sec] | @csv'",
    )
    assert times.splitlines()[0] == '"linting",2.5'
