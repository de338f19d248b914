"""Two real clients at one capability: the first meets a fault, the second one has a good model."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from penstock.model.outcome import OutcomeKind as K
from penstock.model.toolhealth import CircuitState
from penstock.process.api import MARKER_VARIABLE
from tests.support.clients import EXECUTABLES
from tests.support.endpoint_plan import Fault, FaultKind, Plan, Turn, editing, status
from tests.support.model_endpoint import ModelEndpoint
from tests.support.pipeline import Project
from tests.support.real_turns import KEY, client_world, files_with
from tests.support.repos import git

CLIENTS = ("aider", "claude-cli", "codex")
LEFT = "left.txt"
"""What the first client writes before it fails: in the scope, so that only its own turn undoes it."""
_HALF = Turn(edits={"ws-a.txt": "half\n", LEFT: "half\n"})
_REPLIES_TO_EDIT = {"aider": 0, "claude-cli": 4, "codex": 2}
"""After how many replies of its model a client has made the edits of `_HALF`. aider makes them all
from one reply, which is its last: a fault finds it with nothing done."""
_GOOD = editing({"ws-a.txt": "good\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What befalls the first client, and what is to be said of it.

    `fault` hits every request after the edits of `turn` are made. `outcome` is that of the turn,
    `reason` why it is passed over afterwards (default: it was tried), `cools` whether it is then
    kept from further turns for a while.
    """

    outcome: K
    fault: Fault | None = None
    turn: Turn = _HALF
    reason: str = ""
    cools: bool = False
    timeout_ms: int = 120_000
    killed: bool = False
    installed: bool = True

    def plan(self, client: str) -> Plan:
        """Return what the model of the client that meets it plays."""
        after = _REPLIES_TO_EDIT[client]
        return Plan((self.turn,), (replace(self.fault, after=after),) if self.fault else ())

    def edits_of(self, client: str) -> bool:
        """Tell whether the client has made edits when it meets the trouble."""
        played = self.fault is None or _REPLIES_TO_EDIT[client] > 0
        return self.installed and played and bool(self.turn.edits)


TROUBLES: Mapping[str, Trouble] = {
    "401": Trouble(outcome=K.AUTH, fault=status(401), cools=True),
    "403": Trouble(outcome=K.AUTH, fault=status(403), cools=True),
    "429 with Retry-After": Trouble(
        outcome=K.RATE_LIMITED,
        fault=status(429, retry_after_s=3),
        reason="rate_limited",
        cools=True,
    ),
    "429": Trouble(outcome=K.RATE_LIMITED, fault=status(429), reason="rate_limited", cools=True),
    "500": Trouble(outcome=K.OVERLOADED, fault=status(500)),
    "malformed": Trouble(outcome=K.BAD_OUTPUT, fault=Fault(FaultKind.NOT_JSON)),
    "hang": Trouble(outcome=K.TIMEOUT, fault=Fault(FaultKind.HANG), timeout_ms=30_000),
    "killed": Trouble(outcome=K.CRASHED, fault=Fault(FaultKind.HANG), killed=True),
    "no edit": Trouble(outcome=K.NO_CHANGE, turn=Turn(text="Nothing needs to be changed.")),
    "out of scope": Trouble(
        outcome=K.EDITED,
        turn=Turn(edits={"ws-a.txt": "half\n", "README.md": "mine\n"}),
        reason="tried: edited outside the scope",
    ),
    "not installed": Trouble(outcome=K.NOT_INSTALLED, installed=False, reason="not installed: "),
}


def pairs() -> list[tuple[str, str, str]]:
    """Return (trouble, first client, second client): each trouble with each second client, and
    with each first one as well.
    """
    found = []
    for turn, name in enumerate(TROUBLES):
        for place, second in enumerate(CLIENTS):
            first = CLIENTS[(place + 1 + turn % 2) % len(CLIENTS)]
            found.append((name, first, second))
    return found


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of the audit trail; only what it came to is compared."""

    tool_id: str
    success: bool
    outcome: str
    fallback: bool
    message: str = field(default="", compare=False)
    patch: str | None = field(default=None, compare=False)
    rejected: Sequence[Mapping[str, Any]] = field(default=(), compare=False)


@dataclass
class Matrix:
    """One pair of clients in one project."""

    project: Project
    trouble: Trouble
    first: str
    second: str
    failing: ModelEndpoint
    good: ModelEndpoint

    def run(self) -> str | None:
        """Run the only workstream and return its final status."""
        with self._killer() if self.trouble.killed else ExitStack():
            return self.project.run_one().final_status

    @contextmanager
    def _killer(self) -> Iterator[None]:
        after = _REPLIES_TO_EDIT[self.first]
        over = threading.Event()

        def wait() -> None:
            while not over.is_set() and len(self.failing.asks) <= after:
                time.sleep(0.02)
            for process in self.processes(f"{MARKER_VARIABLE}=run-1/ws-a/edit/1/"):
                if _parent(process) == os.getpid():
                    with suppress(ProcessLookupError):
                        os.kill(int(process.name), signal.SIGKILL)

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def processes(self, word: str = "") -> list[Path]:
        """Return what runs with this project in its environment, and with a word in it."""
        wanted = (str(self.project.root.parent).encode(), word.encode())
        everything = [p for p in Path("/proc").glob("[0-9]*") if p.name != str(os.getpid())]
        return [p for p in everything if all(each in _environ(p) for each in wanted)]

    def calls(self) -> list[Call]:
        """Return the invocations in the audit trail, oldest first."""
        days = (self.project.root / ".AIM_ai-tools-registry/AIM_audit").glob("2*")
        lines = [line for day in sorted(days) for line in _lines(day / "audit.jsonl")]
        return [_call(e) for e in map(json.loads, lines) if e["kind"] == "invocation"]

    def expected_calls(self) -> list[Call]:
        """Return the invocations that the trail must have: both, or one when the other cannot be."""
        last = Call(self.second, success=True, outcome="edited", fallback=True)
        if not self.trouble.installed:
            return [last]
        outcome = self.trouble.outcome.value
        return [Call(self.first, success=False, outcome=outcome, fallback=False), last]

    def first_is_passed_over(self) -> bool:
        """Tell whether the second one's entry says why the first one did not get the work."""
        reason = self.trouble.reason or f"tried: {self.trouble.outcome.value}"
        passed = self.calls()[-1].rejected
        assert [p["tool_id"] for p in passed] == [self.first]
        return reason in passed[0]["reason"]

    def cooling(self) -> dict[str, str]:
        """Return the tools whose circuit breaker is open, with the reason."""
        with self.project.workspace() as workspace:
            breakers = workspace.reader.list_tool_breakers()
        return {b.tool_id: b.reason or "" for b in breakers if b.state is CircuitState.OPEN}

    def expected_cooling(self) -> dict[str, str]:
        """Return the tools that the outcome must keep from further turns."""
        return {self.first: self.trouble.outcome.value} if self.trouble.cools else {}

    def trail_is_whole(self) -> bool:
        """Tell whether the audit trail's chain is found to be whole and anchored."""
        with self.project.workspace() as workspace:
            assert workspace.trail is not None
            report = workspace.trail.verify()
        return report.ok and report.anchors > 0

    def left_of_the_first(self) -> list[str]:
        """Return the files of the checkout and its worktrees that have words of the first client."""
        root = self.project.root
        files = [p for p in root.rglob("*") if p.is_file() and not _ours(p.relative_to(root))]
        return [str(p) for p in files if p.read_bytes() in (b"half\n", b"mine\n")]

    def kept_as_a_patch(self) -> bool:
        """Tell whether what the first client did, if anything, can still be read."""
        place = self.calls()[0].patch
        if not self.trouble.edits_of(self.first):
            return place is None
        return place is not None and "+half" in (self.project.root / place).read_text()

    def merged(self) -> dict[str, str]:
        """Return what the integration branch has beyond the branch that it began from."""
        names = git(self.project.root, "diff", "--name-only", "main", "integration/run-1")
        return {name: self.project.integrated(name) or "" for name in names.splitlines()}


def _call(entry: Mapping[str, Any]) -> Call:
    result = entry["result"]
    content = result["content"]
    return Call(
        tool_id=entry["tool_id"],
        success=result["success"],
        outcome=content["outcome"],
        fallback=content["fallback"],
        message=result["message"],
        patch=content["patch"],
        rejected=content["routing"]["rejected"],
    )


def _ours(path: Path) -> bool:
    return path.parts[0] in (".git", "state", "logs", ".AIM_ai-tools-registry")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def _environ(process: Path) -> bytes:
    try:
        return process.joinpath("environ").read_bytes()
    except OSError:
        return b""  # it ended, or is somebody else's


def _parent(process: Path) -> int | None:
    try:
        return int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


@contextmanager
def matrix(
    name: str, first: str, second: str, root: Path, patch: pytest.MonkeyPatch
) -> Iterator[Matrix]:
    """Set the stage for a pair. At its end no process may be left, and the key is in no file."""
    trouble = TROUBLES[name]
    patch.setenv("AIDER_MODEL", "openai/scripted")
    with ExitStack() as stack:
        failing, good = (
            stack.enter_context(client_world(client, plan, _folder(root / client), patch))
            for client, plan in ((first, trouble.plan(first)), (second, _GOOD))
        )
        if not trouble.installed:
            patch.setenv("PATH", _path_without(EXECUTABLES[first], root))
        project = _project(root, trouble, first, second)
        pair = Matrix(project, trouble, first, second, failing, good)
        yield pair
        left = [str(process) for process in pair.processes()]
    assert left == [], "processes of a turn outlived it"
    kept = [name for each in ("project", first, second) for name in files_with(root / each, KEY)]
    assert kept == [], "the key was written to a file"


def _project(root: Path, trouble: Trouble, first: str, second: str) -> Project:
    project = Project(root / "project")
    project.rules(code_generation={"primary": first, "fallback": [second]})
    payload = {"max_retries": 0, "timeout_ms": trouble.timeout_ms}
    project.bundle(
        "ws-a",
        tool=first,
        capability="code_generation",
        capability_payload=payload,
        files_scope=["ws-a.txt", LEFT],
    )
    return project


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _path_without(executable: str, root: Path) -> str:
    """Return a PATH that has all but one executable: the folders with it are mirrored without."""
    entries = []
    for number, entry in enumerate(map(Path, os.environ["PATH"].split(os.pathsep))):
        entries.append(entry)
        if (entry / executable).exists():
            entries[-1] = _folder(root / f"bin-{number}")
            for other in entry.iterdir():
                if other.name != executable:
                    (entries[-1] / other.name).symlink_to(other.resolve())
    return os.pathsep.join(map(str, entries))
