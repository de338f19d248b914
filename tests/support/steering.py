"""Runs at work in a thread of this process, to be told what to do from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from penstock.engine.ports import RunRequest
from penstock.errors import NotFoundError
from penstock.model.records import Attempt, Run
from penstock.model.results import RunResult
from penstock.process.api import Stop
from tests.support.children import eventually
from tests.support.pipeline import Project

DEADLINE_S = 30.0
T = TypeVar("T")


class Live:
    """A run at work; `result` is what came of it, `error` what it raised, once it has ended."""

    def __init__(self, project: Project, work: Callable[[Stop], RunResult], run_id: str) -> None:
        self.project = project
        self.run_id = run_id
        self.result: RunResult | None = None
        self.error: BaseException | None = None
        self.stop = Stop()
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work(self.stop)
        except Exception as error:  # noqa: BLE001 - shown by the test that waits for the end
            self.error = error

    def at_work(self, ws_id: str, step: str = "edit") -> None:
        """Wait until an attempt of a step is under way, its process included."""

        def begun() -> bool:
            found = self._attempts(ws_id)
            return any(a.step_name == step and a.status == "running" and a.pid for a in found)

        self.when(begun)

    def reaches(self, ws_id: str, status: str) -> None:
        """Wait until a workstream is in a state."""
        self.when(lambda: self._status(ws_id) == status)

    def when(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, as long as the run is at work."""

        def holds() -> bool:
            return bool(self._asked(condition))

        eventually(lambda: holds() or not self._thread.is_alive(), DEADLINE_S)
        assert holds(), self.error or self.result

    def _attempts(self, ws_id: str) -> list[Attempt]:
        return self._asked(lambda: self.project.attempts(ws_id, self.run_id)) or []

    def _status(self, ws_id: str) -> str | None:
        return self._asked(lambda: self.project.row(ws_id, self.run_id).status.value)

    @staticmethod
    def _asked(question: Callable[[], T]) -> T | None:
        """Return the answer, None as long as the run is not entered yet."""
        try:
            return question()
        except NotFoundError:
            return None

    def end(self) -> RunResult:
        """Wait until it has ended and return what came of it."""
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "it does not end"
        assert self.error is None, self.error
        assert self.result is not None
        return self.result

    def give_up(self) -> None:
        """Stop it, if it is still at work."""
        self.stop.ask()
        self._thread.join(DEADLINE_S)


@contextmanager
def live(project: Project, run_id: str = "run-1", **request: Any) -> Iterator[Live]:
    """Run all bundles of a project in a thread."""

    def work(stop: Stop) -> RunResult:
        with project.workspace() as workspace:
            bundles = tuple(item.bundle for item in workspace.load_bundles().bundles)
            asked = RunRequest(bundles=bundles, run_id=run_id, **request)
            return workspace.run(asked, stop=stop)

    with project.workspace() as workspace:
        workspace.open_journal()  # so that it can be asked from the first moment on
    run = Live(project, work, run_id)
    try:
        yield run
    finally:
        run.give_up()


def run_of(project: Project, run_id: str = "run-1") -> Run:
    """Return the row of a run."""
    with project.workspace() as workspace:
        return workspace.reader.get_run(run_id)


def statuses(project: Project, run_id: str = "run-1") -> dict[str, str]:
    """Return the state of each workstream of a run."""
    with project.workspace() as workspace:
        return {w.ws_id: w.status.value for w in workspace.reader.list_workstreams(run_id)}


def left_running(project: Project, run_id: str = "run-1") -> list[str]:
    """Return the markers of the run's attempts that a living process still carries."""
    with project.workspace() as workspace:
        attempts = workspace.reader.list_attempts(run_id)
    markers = [attempt.marker for attempt in attempts if attempt.marker]
    places = [place / "environ" for place in Path("/proc").glob("[0-9]*")]
    seen = "".join(_text(place) for place in places)
    return [marker for marker in markers if marker in seen]


def _text(place: Path) -> str:
    try:
        return place.read_text(errors="replace")
    except OSError:
        return ""


# A tool that takes its time until somebody says `go`, in a file outside of the repository.
PATIENT = """\
import pathlib, time
deadline = time.monotonic() + 60
while not pathlib.Path({go!r}).exists() and time.monotonic() < deadline:
    time.sleep(0.02)
pathlib.Path({name!r}).write_text("fine\\n")
"""


def hold(project: Project, ws_id: str, **more: Any) -> None:
    """Write a bundle whose edit takes until `let_go`."""
    name = f"{ws_id}.txt"
    project.agent(PATIENT.format(go=str(_go(project)), name=name))
    project.bundle(ws_id, tool="agent", **more)


def let_go(project: Project) -> None:
    """Let what is held come to its end."""
    _go(project).touch()


def _go(project: Project) -> Path:
    return project.root.parent / "go"
