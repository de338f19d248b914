"""A small project with quick real checks, and runs of it in this process or another."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.engine.ports import RunRequest
from penstock.model.events import EventType
from penstock.model.records import Attempt, Event, Workstream
from penstock.model.results import RunResult, WorkstreamResult
from penstock.process.api import Stop
from penstock.wiring import Workspace, open_workspace
from tests.support.repos import git, make_repo, write

# A linter: one finding for each `bad` word of a .txt file.
LINT = """\
import pathlib, sys
found = 0
for path in sorted(pathlib.Path(".").glob("*.txt")):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for word in line.split():
            if word.startswith("bad"):
                found += 1
                print(f"{path}:{number}:1: L1 {word} is not allowed")
sys.exit(bool(found))
"""
# A test runner: `fail` fails, each `test` counts, `flaky` fails the first time only.
TESTS = """\
import pathlib, sys
words = [w for p in sorted(pathlib.Path(".").glob("*.txt")) for w in p.read_text().split()]
mark = pathlib.Path(sys.argv[1])
if "flaky" in words and not mark.exists():
    mark.write_text("")
    print("first time unlucky")
    sys.exit(1)
failed = words.count("fail")
for number in range(failed):
    print(f"tests.txt:1:1: T1 test {number} failed")
sys.exit(bool(failed))
"""
QUICK_LIMITS = {"defaults": {"max_attempts_per_step": 3, "max_fix_attempts_per_step": 2}}


class Project:
    """A repository with a linter and a test runner of its own, both real processes."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.mark = path.parent / f"{path.name}-flaky"
        files: dict[str, str | bytes] = {
            "README.md": "a project\n",
            "tools/lint.py": LINT,
            "tools/tests.py": TESTS,
            "config/tool_profiles.json": json.dumps(self._profiles(path.parent)),
        }
        self.root = make_repo(path, files)
        self.configure(**settings)

    def _profiles(self, outside: Path) -> dict[str, Any]:
        python = sys.executable
        return {
            "lint": {"type": "static-check", "command": python, "args": ["tools/lint.py"]},
            "tests": {
                "type": "test", "command": python, "args": ["tools/tests.py", str(self.mark)],
            },
            **{
                name: {"type": "ai", "command": python, "args": [str(outside / f"{name}.py")]}
                for name in ("agent", "first", "second")
            },
        }  # fmt: skip

    def configure(self, **settings: Any) -> None:
        """Write config/pipeline.yaml (JSON is YAML)."""
        known = {"static_tools": ["lint"], "runtime_tools": ["tests"], "checkout_policy": "stop"}
        write(self.root, {"config/pipeline.yaml": json.dumps({**known, **settings})})

    def breakers(self, **defaults: Any) -> None:
        """Write config/circuit_breakers.yaml."""
        write(self.root, {"config/circuit_breakers.yaml": json.dumps({"defaults": defaults})})

    def agent(self, code: str, name: str = "agent") -> None:
        """Make the tool `agent` (or `first`, `second`) a Python program; it runs in the worktree."""
        (self.root.parent / f"{name}.py").write_text(code)

    def rules(self, **capabilities: Mapping[str, Any]) -> None:
        """Write the coordination rules of a registry of the repository's own."""
        place = ".AIM_ai-tools-registry/AIM_cross-tool/AIM_coordination-rules.json"
        write(self.root, {place: json.dumps({"capabilities": capabilities})})

    def bundle(self, ws_id: str, *turns: Mapping[str, Any], **more: Any) -> None:
        """Write a bundle whose scripted tool plays `turns`; its scope is `<ws_id>.txt`."""
        fields = {
            "id": ws_id,
            "openspec_change": "c",
            "ccpm_issue": 1,
            "gate": 1,
            "files_scope": [f"{ws_id}.txt"],
            "tasks": [f"write {ws_id}.txt"],
            "tool": "scripted",
            "metadata": {"scripted": list(turns)},
            **more,
        }
        write(self.root, {f"workstreams/{ws_id}.json": json.dumps(fields)})

    def workspace(self) -> Workspace:
        """Open the project; close it yourself."""
        return open_workspace(self.root)

    def run(
        self, *, run_id: str = "run-1", tool: str | None = None, stop: Stop | None = None
    ) -> RunResult:
        """Run all bundles in this process."""
        with self.workspace() as workspace:
            report = workspace.load_bundles()
            assert report.ok, report.errors
            bundles = tuple(item.bundle for item in report.bundles)
            request = RunRequest(bundles=bundles, run_id=run_id, tool=tool)
            return workspace.run(request, stop=stop)

    def run_one(self, **how: Any) -> WorkstreamResult:
        """Run the only bundle and return what became of it."""
        (found,) = self.run(**how).workstreams
        return found

    def resume(self, run_id: str = "run-1", *, stop: Stop | None = None) -> RunResult:
        """Resume a run in this process."""
        with self.workspace() as workspace:
            return workspace.resume(run_id, stop=stop)

    def events(self, kind: EventType, run_id: str = "run-1") -> list[Event]:
        """Return the events of one type."""
        with self.workspace() as workspace:
            return workspace.reader.list_events(run_id=run_id, event_type=kind, limit=1000)

    def attempts(self, ws_id: str, run_id: str = "run-1") -> list[Attempt]:
        """Return the attempts of a workstream."""
        with self.workspace() as workspace:
            return workspace.reader.list_attempts(run_id, ws_id)

    def row(self, ws_id: str, run_id: str = "run-1") -> Workstream:
        """Return the row of a workstream."""
        with self.workspace() as workspace:
            return workspace.reader.get_workstream(run_id, ws_id)

    def steps(self, ws_id: str, run_id: str = "run-1") -> list[tuple[str, str]]:
        """Return (step, status) of each attempt of a workstream's own steps, in order."""
        found = self.attempts(ws_id, run_id)
        return [(a.step_name, a.status.value) for a in found if a.step_name != "integrate"]

    def merges(self, ws_id: str, run_id: str = "run-1") -> list[Attempt]:
        """Return the attempts to merge a workstream, in order."""
        return [a for a in self.attempts(ws_id, run_id) if a.step_name == "integrate"]

    def tripped(self, run_id: str = "run-1") -> list[str]:
        """Return which breakers tripped."""
        return [e.payload["reason"] for e in self.events(EventType.BREAKER_TRIP, run_id)]

    def integrated(self, name: str, run_id: str = "run-1") -> str | None:
        """Return a file of the integration branch, or None when it is not there."""
        ref = f"integration/{run_id}:{name}"
        if not git(self.root, "ls-tree", f"integration/{run_id}", "--", name):
            return None
        return git(self.root, "show", ref)

    def everything_kept(self) -> bytes:
        """Return every byte below state/ and logs/."""
        places: Sequence[Path] = [self.root / "state", self.root / "logs"]
        files = [p for place in places for p in sorted(place.rglob("*")) if p.is_file()]
        return b"\n".join(p.read_bytes() for p in files)


def says(text: str, name: str = "ws-a.txt", **more: Any) -> dict[str, Any]:
    """A scripted turn that writes one file."""
    return {"edits": {name: text}, **more}
