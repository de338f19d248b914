"""A project whose workstreams meet in one file, and whose tests fail when certain words meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from penstock.engine.loop import Coordinator
from penstock.model.events import EventType
from tests.support.pipeline import Project
from tests.support.repos import git, write

# Notes where it runs and on which commit; words that it fails for: `fail`, two of `fuse`, and
# `unlucky` as often as the project says, among other files.
TESTS = """\
import os, pathlib, subprocess, sys
mark = pathlib.Path(sys.argv[1])
found = sorted(pathlib.Path(".").glob("*.txt"))
words = [word for path in found for word in path.read_text().split()]
with open(f"{mark}.runs", "a") as file:
    file.write(f"{pathlib.Path.cwd().name} {' '.join(p.stem for p in found)}\\n")
if "unlucky" in words and len(found) > 2 and (left := mark.read_text()):
    mark.write_text(left[1:])
    sys.exit("unlucky")
if words.count("fuse") > 1:
    print("tests.txt:1:1: T2 two fuses at once")
    sys.exit(1)
sys.exit("fail" in words)
"""
BASE = "one\ntwo\nthree\n"
SHARED = "shared.txt"


class Merging(Project):
    """A project with a shared file, in which workstreams may overlap."""

    def __init__(self, path: Path, **settings: Any) -> None:
        super().__init__(path)
        write(self.root, {"tools/tests.py": TESTS, SHARED: BASE})
        self.unlucky(0)
        git(self.root, "add", "tools", SHARED)
        git(self.root, "commit", "--quiet", "--message=a shared file")
        self.configure(overlap_policy="merge", **settings)

    def unlucky(self, times: int) -> None:
        """Say how often the tests fail for the word `unlucky`; a failed check is run once more."""
        self.mark.write_text("." * times)

    def meets(self, ws_id: str, *texts: str, **more: Any) -> None:
        """Write a bundle whose turns write the shared file, one text after the other."""
        turns = [{"edits": {SHARED: text}} for text in texts]
        self.bundle(ws_id, *turns, files_scope=[SHARED], **more)

    def runs(self, place: str = "integration") -> list[str]:
        """Return what was in the tree at each run of the tests in a worktree."""
        log = Path(f"{self.mark}.runs")
        lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
        return [found for where, found in lines if where.startswith(place)]

    def history(self, run_id: str = "run-1") -> list[str]:
        """Return the subjects of the first parents of the integration branch, oldest first."""
        form = ("--first-parent", "--reverse", "--format=%s", f"main..integration/{run_id}")
        return git(self.root, "log", *form).splitlines()

    def texts_of_history(self, run_id: str = "run-1") -> str:
        """Return every text that a commit of the integration branch ever added."""
        return git(self.root, "log", "-m", "-p", f"main..integration/{run_id}")

    def leftovers(self) -> list[str]:
        """Return the branches and worktrees that merging should have left none of."""
        branches = git(self.root, "branch", "--list", "*.candidate", "--format=%(refname:short)")
        trees = [p.name for p in (self.root / ".worktrees").glob("integration*")]
        return [*branches.splitlines(), *trees]

    def told(self, kind: EventType, run_id: str = "run-1") -> list[dict[str, Any]]:
        """Return the payloads of the events of one type."""
        return [event.payload for event in self.events(kind, run_id)]

    def integrations(self, run_id: str = "run-1") -> dict[str, str]:
        """Return how the integration of each workstream stands."""
        with self.workspace() as workspace:
            rows = workspace.reader.list_workstreams(run_id)
        return {row.ws_id: row.integration.value for row in rows}

    def prompt(self, ws_id: str, number: int = 1) -> str:
        """Return the prompt of a FIX turn."""
        fixes = [a for a in self.attempts(ws_id) if a.step_name == "fix"]
        return (self.root / str(fixes[number - 1].result["prompt_file"])).read_text()


@contextmanager
def together(count: int) -> Iterator[None]:
    """Let nothing be merged before `count` workstreams wait for it: which are ready at the same
    moment is otherwise a matter of luck."""
    merge = Coordinator._integrate
    opened: list[bool] = []

    def wait(self: Coordinator) -> None:
        if opened or len(self._queued) >= count:
            opened.append(True)
            merge(self)

    with patch.object(Coordinator, "_integrate", wait):
        yield


def steps_of_merge(project: Project, name: str) -> list[tuple[str, str]]:
    """Return the attempts around the merge of a workstream: (integrate or fix, status)."""
    found = [a for a in project.attempts(name) if "integrate" in (a.step_name, a.for_step)]
    return [(a.step_name, a.status.value) for a in found]
