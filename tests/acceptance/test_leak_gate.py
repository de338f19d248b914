"""The gate before a workstream's branch is integrated: an AI that commits a key is stopped."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from penstock.aim_cli.main import main
from penstock.errors import ConfigError, Interrupted
from penstock.model.events import EventType
from penstock.store.sqlite import SqliteJournal
from penstock.worktrees.worktree import GitWorktree
from tests.support.merging import SHARED, Merging, together
from tests.support.pipeline import Project, says
from tests.support.planting import line_with, scan_of, token
from tests.support.repos import git, write

FOUND = EventType.SECRET_FOUND
SECRET = line_with(token())


@pytest.fixture(autouse=True)
def _home_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the key of fingerprints out of the home of whoever runs the tests."""
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.delenv("AIM_FINGERPRINT_KEY", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with quick checks."""
    return Project(tmp_path / "project")


# The journal holds bundles without secrets, so a scripted turn cannot bring one: a program does.
AGENT = """\
import base64, json, pathlib
mark = pathlib.Path({mark!r})
turn = int(mark.read_text()) if mark.exists() else 0
mark.write_text(str(turn + 1))
turns = json.loads(base64.b64decode({turns!r}))
for name, text in turns[min(turn, len(turns) - 1)].items():
    pathlib.Path(name).write_text(text)
"""


def brings(project: Project, ws_id: str, *turns: str | Mapping[str, str], **more: Any) -> None:
    """Write a bundle whose agent writes these texts to its file (or files), one a turn."""
    name = more.get("files_scope", [f"{ws_id}.txt"])[0]
    told = [{name: turn} if isinstance(turn, str) else dict(turn) for turn in turns]
    hidden = base64.b64encode(json.dumps(told).encode()).decode()
    mark = str(project.root.parent / "agent.turns")
    Path(mark).unlink(missing_ok=True)
    project.agent(AGENT.format(mark=mark, turns=hidden))
    project.bundle(ws_id, tool="agent", **more)


def texts_of(project: Project, ref: str) -> str:
    """Return every text that commits of a ref ever added since main."""
    return git(project.root, "log", "-m", "-p", f"main..{ref}")


def nothing_tells(project: Project, secret: str = token()) -> bool:
    """Tell whether no prompt, log, patch, journal or audit line holds the secret."""
    trail = project.root / ".AIM_ai-tools-registry"
    lines = b"".join(p.read_bytes() for p in trail.rglob("*") if p.is_file())
    return secret.encode() not in project.everything_kept() + lines


def told(project: Project) -> list[dict[str, Any]]:
    """Return the payloads of the events that tell of secrets."""
    return [event.payload for event in project.events(FOUND)]


# -- taken out by a FIX turn -------------------------------------------------------------------
def test_a_fix_turn_takes_the_secret_out(project: Project) -> None:
    """The FIX turn is told what and where; then the workstream is merged, and no commit of the
    integration branch or of its own has ever held the secret."""
    brings(project, "ws-a", SECRET, "TOKEN = None\n")
    assert project.run().status == "succeeded"
    assert project.steps("ws-a") == [
        ("edit", "succeeded"), ("static", "failed"), ("fix", "succeeded"),
        ("static", "succeeded"), ("runtime", "succeeded"),
    ]  # fmt: skip
    for ref in ("integration/run-1", "workstream/ws-a/run-1"):
        assert token() not in texts_of(project, ref)
    assert project.integrated("ws-a.txt") == "TOKEN = None"


def test_the_fix_turn_is_told_without_the_value(project: Project) -> None:
    """Prompt, findings and reasons have the kind and place; the value is nowhere in what is kept."""
    brings(project, "ws-a", SECRET, "TOKEN = None\n")
    project.run()
    (fix,) = [a for a in project.attempts("ws-a") if a.step_name == "fix"]
    prompt = (project.root / str(fix.result["prompt_file"])).read_text()
    assert "ws-a.txt:1:10: github-token GitHub token ghp_… (40 characters)" in prompt
    assert "penstock: allow-secret" not in prompt
    assert token() not in prompt


def test_one_commit_with_the_same_work_is_left(project: Project) -> None:
    """What was several commits is one, on the same base, with who made it in its trailers."""
    brings(project, "ws-a", SECRET, "fine\n")
    project.run()
    branch = "workstream/ws-a/run-1"
    assert git(project.root, "rev-list", "--count", f"main..{branch}") == "1"
    message = git(project.root, "log", "-1", "--format=%B", branch)
    assert message.startswith("ws-a: write ws-a.txt")
    assert "Penstock-Workstream: ws-a" in message


def test_a_clean_workstream_keeps_its_commits(project: Project) -> None:
    """Without a secret nothing is rewritten and nothing told."""
    project.bundle("ws-a", says("bad\n"), says("fine\n"))
    assert project.run().status == "succeeded"
    assert git(project.root, "rev-list", "--count", "main..workstream/ws-a/run-1") == "2"
    assert told(project) == []


# -- stopped -----------------------------------------------------------------------------------
def test_who_does_not_take_it_out_is_stopped(project: Project) -> None:
    """A workstream that keeps its secret fails with the reason, and nothing is integrated."""
    brings(project, "ws-a", SECRET)
    found = project.run_one()
    assert found.final_status == "failed"
    reason = str(project.row("ws-a").reason)
    assert "it brings secrets (ws-a.txt:1 github-token): revoke" in reason
    assert project.integrated("ws-a.txt") is None
    assert token() not in texts_of(project, "integration/run-1")
    assert nothing_tells(project)


def test_what_was_found_is_told_once(project: Project) -> None:
    """One event has places, kinds and masks; the same finding again is not told again."""
    brings(project, "ws-a", SECRET)
    project.run()
    (event,) = told(project)
    assert (event["step"], event["policy"], event["count"]) == ("static", "stop", 1)
    (secret,) = event["secrets"]
    assert (secret["path"], secret["line"], secret["rule"]) == ("ws-a.txt", 1, "github-token")
    assert secret["commit"] == git(project.root, "rev-parse", "workstream/ws-a/run-1")


def test_the_audit_trail_knows(project: Project) -> None:
    """The finding is a critical event of the audit trail."""
    brings(project, "ws-a", SECRET)
    project.run()
    with project.workspace() as workspace:
        texts = [bytes(line).decode() for line in workspace.recorded.lines(_everything())]
    (line,) = [text for text in texts if "secret found" in text]
    assert json.loads(line)["severity"] == "critical"
    assert token() not in "".join(texts)


def test_a_mark_of_its_own_does_not_help(project: Project) -> None:
    """An agent cannot allow its own secret by a comment, nor by a baseline on its branch."""
    marked = SECRET.replace("\n", "  # penstock: allow-secret\n")
    brings(project, "ws-a", marked)
    assert project.run_one().final_status == "failed"


def test_an_attribute_hides_nothing(project: Project) -> None:
    """A file that the agent declares binary is looked through all the same."""
    edits = {"ws-a.txt": SECRET, ".gitattributes": "*.txt binary -diff\n"}
    scope = {"files_scope": ["ws-a.txt", ".gitattributes"]}
    brings(project, "ws-a", edits, **scope)
    assert project.run_one().final_status == "failed"


def test_what_was_there_before_is_not_charged(project: Project) -> None:
    """A secret that the user has committed long ago stops nobody who works on the same file."""
    write(project.root, {"ws-a.txt": SECRET})
    git(project.root, "add", "ws-a.txt")
    git(project.root, "commit", "--quiet", "--message=old")
    brings(project, "ws-a", SECRET + "fine\n")
    assert project.run().status == "succeeded"
    assert told(project) == []


# -- what the user says ------------------------------------------------------------------------
def test_what_the_baseline_of_the_user_knows_may_pass(project: Project) -> None:
    """The baseline in the user's checkout lets a secret pass; it is read anew for each branch."""
    brings(project, "ws-a", SECRET)
    assert project.run_one().final_status == "failed"
    write(project.root, {"ws-a.txt": SECRET})
    scan = scan_of(project.root, baseline=project.root / ".aim-secrets-baseline.json")
    assert scan.update_baseline(scan.report()) == 1
    (project.root / "ws-a.txt").unlink()
    assert project.run(run_id="run-2").status == "succeeded"
    assert project.integrated("ws-a.txt", "run-2") == SECRET.strip()


def test_what_was_let_pass_afterwards_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan of the branch's commits adds to the baseline, and the workstream is tried again from its
    checks, without another edit."""
    brings(project, "ws-a", SECRET)
    project.run()
    monkeypatch.chdir(project.root)
    wanted = ("--range", "main..workstream/ws-a/run-1", "--update-baseline")
    assert main(["scan", "secrets", *wanted]) == 0
    with project.workspace() as workspace:
        result = workspace.retry("run-1", ["ws-a"], from_step="static")
    assert result is not None
    assert result.status == "succeeded"
    assert project.integrated("ws-a.txt") == SECRET.strip()


def test_a_retry_from_the_edit_keeps_no_secret(project: Project) -> None:
    """What is put away of the try before does not hold the value either."""
    brings(project, "ws-a", SECRET, SECRET, "fine\n")
    project.run()
    with project.workspace() as workspace:
        result = workspace.retry("run-1", ["ws-a"])
    assert result is not None
    assert result.status == "succeeded"
    assert nothing_tells(project)
    assert token() not in texts_of(project, "integration/run-1")


@pytest.mark.parametrize("method", ["lay", "update_workstream"])
def test_dying_while_the_commits_become_one(project: Project, method: str) -> None:
    """Whenever that is cut short, the resumed run has one clean commit and the same work."""
    brings(project, "ws-a", SECRET, "fine\n")
    owner = GitWorktree if method == "lay" else SqliteJournal
    real = getattr(owner, method)

    def die(self: Any, *args: Any, **named: Any) -> None:
        real(self, *args, **named)
        raise Interrupted("killed")

    with patch.object(owner, method, die), pytest.raises(Interrupted):
        project.run()
    assert project.resume().status == "succeeded"
    assert project.integrated("ws-a.txt") == "fine"
    assert token() not in texts_of(project, "integration/run-1")


@pytest.mark.parametrize(("policy", "events"), [("warn", 1), ("off", 0)])
def test_the_policy(project: Project, policy: str, events: int) -> None:
    """With `warn` it is told and passes; with `off` nobody looks."""
    project.configure(secrets={"policy": policy})
    brings(project, "ws-a", SECRET)
    assert project.run().status == "succeeded"
    assert len(told(project)) == events


def test_the_level(project: Project) -> None:
    """With `certain` only shapes of providers stop, not what is merely named like a secret."""
    project.configure(secrets={"level": "certain"})
    brings(project, "ws-a", 'password = "x8Kd93mQpz71Lw"\n')  # penstock: allow-secret
    assert project.run().status == "succeeded"


def test_a_broken_baseline_stops_the_run(project: Project) -> None:
    """Where it cannot be told what may pass, nothing passes."""
    write(project.root, {".aim-secrets-baseline.json": "{"})
    brings(project, "ws-a", SECRET)
    with pytest.raises(ConfigError, match="no baseline of secrets"):
        project.run()


def test_it_needs_no_home_of_the_user(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a baseline there is nothing that a kept key would be for: it stops all the same."""
    blocked = project.root.parent / "a file"
    blocked.write_text("")
    monkeypatch.setenv("AIM_HOME", str(blocked / "aim"))
    brings(project, "ws-a", SECRET)
    assert project.run_one().final_status == "failed"


def test_workstreams_at_once_are_judged_apart(project: Project) -> None:
    """One that brings a secret is stopped, and those beside it are merged."""
    brings(project, "ws-a", SECRET)
    for name in ("ws-b", "ws-c", "ws-d"):
        project.bundle(name, says("fine\n", f"{name}.txt"))
    found = {ws.ws_id: ws.final_status for ws in project.run().workstreams}
    assert found == {"ws-a": "failed", "ws-b": "done", "ws-c": "done", "ws-d": "done"}
    assert token() not in texts_of(project, "integration/run-1")
    assert project.integrated("ws-d.txt") == "fine"


# -- at the merge ------------------------------------------------------------------------------
def test_commits_that_hold_what_is_gone_are_not_merged(project: Project) -> None:
    """Where the commits were not made one, the merge is refused, and no FIX turn is spent on it."""
    brings(project, "ws-a", SECRET, "fine\n")
    with patch("penstock.engine.step.make_one_commit"):
        assert project.run().status == "failed"
    assert project.row("ws-a").integration == "conflict"
    assert "it brings GitHub token ghp_…" in str(project.row("ws-a").reason)
    assert [a.status for a in project.merges("ws-a")] == ["failed"]
    assert token() not in texts_of(project, "integration/run-1")


def test_a_merge_turn_that_brings_a_secret_is_mended(tmp_path: Path) -> None:
    """A FIX turn of a merge is looked through as well; the next one takes the secret out, and it is
    in no commit of the branch."""
    project = Merging(tmp_path / "project")
    project.meets("ws-a", "ours\ntwo\nthree\n")
    texts = ("theirs\ntwo\nthree\n", f"both\n{SECRET}", "both\ntwo\nthree\n")
    brings(project, "ws-b", *texts, files_scope=[SHARED])
    with together(2):
        assert project.run().status == "succeeded"
    assert token() not in project.texts_of_history()
    assert project.integrated(SHARED) == "both\ntwo\nthree"


def test_a_merge_turn_that_keeps_its_secret_is_not_merged(tmp_path: Path) -> None:
    """Such a workstream is given up with the reason; the others land."""
    project = Merging(tmp_path / "project")
    project.meets("ws-a", "ours\ntwo\nthree\n")
    brings(project, "ws-b", "theirs\ntwo\nthree\n", f"both\n{SECRET}", files_scope=[SHARED])
    with together(2):
        assert project.run().status == "failed"
    assert project.integrations() == {"ws-a": "merged", "ws-b": "conflict"}
    assert "it brings GitHub token ghp_…" in str(project.row("ws-b").reason)
    assert token() not in project.texts_of_history()


def _everything() -> Any:
    from penstock.audit.api import EVERYTHING

    return EVERYTHING
