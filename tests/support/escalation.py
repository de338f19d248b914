"""Error pipelines to test with: a checker that reads marks in files, agents that are real programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from penstock.checks.api import InspectionRequest, Place, PluginInfo
from penstock.engine.escalation.pipeline import Pipeline
from penstock.engine.escalation.ports import Seed
from penstock.model.escalation import EscalationContext, EscalationState
from penstock.model.finding import Category, Finding, Severity
from penstock.model.fingerprint import fingerprints
from penstock.model.inspection import (
    NO_CHECKER,
    CheckReport,
    FileResult,
    FileStatus,
    PluginState,
    PluginUse,
)
from penstock.process.api import Stop
from penstock.wiring import Workspace
from tests.support.pipeline import Project
from tests.support.repos import write

RUN, WS = "run-e", "ws-e"
FILE = "code.py"
LONG, WORSE = "x = 1  # broken loose\n", "x = 2  # broken\n"
GOOD, BROKEN = "x = 1\n", "x = 1  # broken\n"
WORDS = {
    "broken": (Category.SYNTAX, Severity.ERROR),
    "untyped": (Category.TYPE, Severity.ERROR),
    "ugly": (Category.STYLE, Severity.WARNING),
    "loose": (Category.FORMATTING, Severity.WARNING),
}
"""A file is at fault for each line that holds one of these; fixers take `loose` away."""
EDIT = "import pathlib; p = pathlib.Path({name!r}); p.write_text({text!r})\n"


class MarkChecker:
    """An error engine whose findings stand in the files; `infra` says why it cannot work."""

    def __init__(self) -> None:
        self.infra: str | None = None
        self.without: tuple[str, ...] = ()
        self.asked: list[InspectionRequest] = []
        self.on_inspect: Callable[[InspectionRequest], None] | None = None

    def inspect(
        self,
        request: InspectionRequest,
        *,
        stop: Stop | None = None,
        on_progress: Callable[[str, int, int], None] | None = None,  # noqa: ARG002
    ) -> CheckReport:
        """Read the marks; with `fix` take the loose ones away first."""
        self.asked.append(request)
        if self.on_inspect is not None:
            self.on_inspect(request)
        files = tuple(self._file(request, path) for path in request.files)
        state = PluginState.FAILED if self.infra else PluginState.RAN
        use = PluginUse(plugin_id="marks", state=state, version="1.0", reason=self.infra)
        gone = PluginUse(plugin_id="gone", state=PluginState.UNAVAILABLE, reason="not installed")
        asked = stop is not None and stop.asked
        return CheckReport(
            started_at=0.0, duration_s=0.0, files=files, plugins=(use, gone), interrupted=asked
        )

    def _file(self, request: InspectionRequest, path: str) -> FileResult:
        place = request.place.tree / path
        by: tuple[str, ...] = ()
        if request.fix and "loose" in place.read_text():
            place.write_text(place.read_text().replace("loose", "tight"))
            by = ("marks_fix",)
        if path in self.without:
            told = Finding(tool="penstock", path=path, code=NO_CHECKER, message="no checker for it",
                           severity=Severity.WARNING)  # fmt: skip
            return FileResult(path=path, status=FileStatus.PASSED, findings=(told,))
        found = marks(place.read_text() if place.is_file() else "broken: gone", path)
        bad = any(f.severity is Severity.ERROR for f in found)
        status = FileStatus.FAILED if bad else FileStatus.PASSED
        return FileResult(path=path, status=status, findings=found, fixed_by=by)

    def plugins(self, place: Place) -> tuple[PluginInfo, ...]:  # noqa: ARG002
        """Return none."""
        return ()


def marks(text: str, path: str) -> tuple[Finding, ...]:
    """Return the findings that stand in a text, with their fingerprints."""
    lines = text.splitlines()
    found = [
        Finding(tool="marks", path=path, line=number, code=word.upper(), message=f"{word} here",
                category=category, severity=severity)
        for number, line in enumerate(lines, 1)
        for word, (category, severity) in WORDS.items()
        if word in line
    ]  # fmt: skip
    return fingerprints(found, lambda _: lines)


class Ladder:
    """A project with a file at fault, and agents whose programs a test gives."""

    def __init__(self, project: Project, checker: MarkChecker) -> None:
        self.project = project
        self.checker = checker
        self.root = project.root
        self.profiles()

    def profiles(self, *, agents: dict[str, Any] | None = None, **escalation: Any) -> None:
        """Write config/agent_profiles.json: aider, codex and claude are programs of the test."""
        table: dict[str, Any] = {
            "aider": {"tool": "first"}, "codex": {"tool": "second"}, "claude": {"tool": "agent"},
        }  # fmt: skip
        for name, more in (agents or {}).items():
            table[name] = {**table[name], **more}
        document = {"agents": table, "escalation": escalation}
        write(self.root, {"config/agent_profiles.json": json.dumps(document)})

    def aim(self, *, on: bool) -> None:
        """Switch AIM on or off."""
        config = {"version": "1", "enable_aim": on}
        write(self.root, {"config/aim_config.json": json.dumps(config)})

    def agents(self, aider: str = "pass", codex: str = "pass", claude: str = "pass") -> None:
        """Give the agents' programs."""
        for name, code in (("first", aider), ("second", codex), ("agent", claude)):
            self.project.agent(code, name)

    def file(self, text: str, name: str = FILE) -> None:
        """Write the file at fault."""
        write(self.root, {name: text})

    def text(self, name: str = FILE) -> str:
        """Return a file of the repository."""
        return (self.root / name).read_text()

    @contextmanager
    def pipeline(self, stop: Stop | None = None) -> Iterator[Pipeline]:
        """Open the pipeline."""
        with (
            self.project.workspace() as workspace,
            workspace.error_pipeline(RUN, WS, stop=stop) as pipeline,
        ):
            yield pipeline

    def tick(self, seed: Seed | None = None) -> EscalationContext:
        """Tick once, in a workspace of its own."""
        with self.pipeline() as pipeline:
            return pipeline.tick(seed or Seed(python_files=(FILE,)))

    def run(self, seed: Seed | None = None, **how: Any) -> list[EscalationContext]:
        """Tick to the end and return what each tick came to."""
        seen: list[EscalationContext] = []
        with self.pipeline() as pipeline:
            pipeline.run(seed or Seed(python_files=(FILE,)), on_tick=seen.append, **how)
        return seen

    def folder(self) -> Path:
        """Return the pipeline's own folder."""
        return self.root / ".state" / "error_pipeline" / RUN / WS

    def report(self, label: str) -> Any:
        """Return a report as it is on file."""
        place = self.folder() / "error_reports" / f"error_report_attempt_{label}.json"
        return json.loads(place.read_text())

    def prompt(self, label: str) -> str:
        """Return the prompt of an AI attempt."""
        (place,) = (self.folder() / "attempts" / label).glob("*_1.txt")
        return place.read_text()


def states(seen: Sequence[EscalationContext]) -> list[str]:
    """Return the names of the states that ticks came to, without their prefixes."""
    return [EscalationState(context.current_state).name for context in seen]


def edit(text: str, name: str = FILE) -> str:
    """Return the program of an agent that writes a file."""
    return EDIT.format(name=name, text=text)


def use(monkeypatch: pytest.MonkeyPatch, checker: MarkChecker) -> None:
    """Let workspaces check with a checker of the test's."""
    monkeypatch.setattr(
        Workspace, "inspector", lambda *_, **__: nullcontext(checker), raising=False
    )


def make_long_ladder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """Make a project with a file that fixers, aider and codex mend together; attempts may be lost."""
    ladder = make_ladder(folder, monkeypatch)
    ladder.profiles(max_total_attempts=8)
    ladder.file(LONG)
    ladder.agents(edit(WORSE), edit(GOOD))
    return ladder


def make_ladder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """Make a project that is the current folder, with one file and AIM off."""
    checker = MarkChecker()
    use(monkeypatch, checker)
    ladder = Ladder(Project(folder / "project"), checker)
    ladder.aim(on=False)
    ladder.agents()
    monkeypatch.chdir(ladder.root)
    return ladder
