"""Secrets of ten kinds are planted, everything is let run that tells them on, and none is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.canary import AIM, CRASH, RUN, Canary, Plants, fresh_seed
from tests.support.pipeline import Project

FORMATS = ("text", "md", "json", "junit")
LOOKS: tuple[tuple[str, ...], ...] = (
    ("status",), ("status", "--json"), ("status", RUN, "--json"), ("show", RUN), ("show", RUN, "ws-one", "--json"),
    ("logs", RUN, "ws-one"), ("logs", RUN, "ws-two"), ("logs", RUN, "ws-three"), ("events", RUN),
    ("events", RUN, "--json"), ("diff", RUN, "ws-one"), ("graph",), ("validate",), ("errors", "list"),
    ("errors", "show", "--run-id", "e", "--ws-id", "w", "--json"),
    *(("report", RUN, "--format", form) for form in FORMATS),
)  # fmt: skip
AIM_LOOKS: tuple[tuple[str, ...], ...] = (
    ("status",), ("health", "check", "--json"), ("health", "report", "--format", "html"),
    ("health", "report", "--format", "markdown"), ("config", "show"), ("config", "validate"), ("version", "check"),
    ("tools", "contract"), ("scan", "secrets", "--format", "json"), ("scan", "secrets", "--audit", "--logs"),
    ("scan", "secrets", "--history"), ("scan", "all"), ("secrets", "list"), ("secrets", "get", "CANARY_VAULT"),
    ("secrets", "doctor"), ("audit", "query", "--json"), ("audit", "show"), ("audit", "stats"),
    ("audit", "export", "trail.jsonl"),
)  # fmt: skip
CALL = """\
import json, pathlib, penstock
known, looks = json.loads(pathlib.Path({plants!r}).read_text())
payload = {{"files": ["ws-two.txt"], "prompt": " ".join(known + looks), "api_key": known[0]}}
print(penstock.route_capability("tell", payload))
print(penstock.execute_with_aim("tell", payload, fallback_tool="agent"))
"""


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Canary:
    """A project in which everything has run once, telling all it knows."""
    made = Canary(tmp_path_factory.mktemp("canary"), seed := fresh_seed())
    print(f"PENSTOCK_CANARY_SEED={seed}")
    _let_it_sing(made)
    return made


def _let_it_sing(canary: Canary) -> None:
    plants = str(canary.outside / "plants.json")
    kept = canary("secrets", "set", "CANARY_VAULT", "-", program=AIM, stdin=canary.plants.vault)
    assert kept.code == 0, kept.err
    ran = canary("run", "--all", "--run-id", RUN, "--no-preflight")
    assert ran.code in (0, 1), ran.err
    canary("quarantine", RUN, "ws-three", "--reason", f"it said {canary.plants.vault}")
    canary("check", "--json", "ws-one.txt", "ws-two.txt")
    canary("check", "--format", "sarif", "ws-two.txt")
    canary("check", "--baseline", "known.json", "--update-baseline")
    mended = canary("errors", "run", "--run-id", "e", "--ws-id", "w", "--file", "ws-two.txt")
    assert mended.code == 1, mended.err
    for line in LOOKS:
        canary(*line)
    for line in AIM_LOOKS:
        canary(*line, program=AIM)
    canary.python(CALL.format(plants=plants))
    crashed = canary.python(CRASH.format(plants=plants))
    assert crashed.code == 3, crashed.err


def test_no_secret_is_found_anywhere(canary: Canary) -> None:
    """In no file, log, table, audit line, commit or screen, plain, in base64, in a URL or in JSON."""
    assert canary.found() == []


def test_everything_has_been_said(canary: Canary) -> None:
    """The search is worth something: what was looked through is there, and was redacted."""
    report = json.loads(canary.output_of("report", RUN, "--format", "json"))
    ended = {w["ws_id"]: w["final_status"] for w in report["workstreams"]}
    assert ended == {"ws-one": "done", "ws-two": "done", "ws-three": "quarantined"}
    for place in ("logs", "state", ".state", ".AIM_ai-tools-registry"):
        kept = b"".join(p.read_bytes() for p in (canary.root / place).rglob("*") if p.is_file())
        assert b"[REDACTED]" in kept, place


def test_a_secret_that_is_let_out_is_found(canary: Canary, tmp_path: Path) -> None:
    """The search sees each kind in each form, so that it is not blind."""
    needles = canary.plants.needles()
    for name, forms in needles.items():
        for form in forms:
            canary.said.append(("a slip", b"x" + form[:9] + b"\n" + form[9:]))
            assert f"{name} in a slip" in canary.found_in(canary.said[-1:])
            canary.said.pop()


def test_a_key_that_a_tool_commits_goes_no_further_than_its_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the worktree and the branch, where the gate stops it, and in nothing that is kept."""
    plants = Plants(fresh_seed())
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    project = Project(tmp_path / "project")
    keys = f'token = "{plants.output}"\nkey = "{plants.prompt}"\n'
    project.agent(f"open('ws-a.txt', 'w').write({keys!r})")
    project.bundle("ws-a", tool="agent")
    project.bundle("ws-b", tool="agent")  # whose scope is another file
    ended = {found.ws_id: found.final_status for found in project.run().workstreams}
    assert ended == {"ws-a": "failed", "ws-b": "failed"}
    trail = project.root / ".AIM_ai-tools-registry"
    kept = project.everything_kept() + b"".join(p.read_bytes() for p in trail.rglob("*.jsonl"))
    assert b"[REDACTED]" in kept
    for name in ("output", "prompt"):
        assert not [form for form in plants.needles()[name] if form in kept], name
