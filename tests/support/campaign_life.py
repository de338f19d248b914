"""Lives of an orchestrator: each a fork of a process that has imported everything already.

`python -m tests.support.campaign_life` reads one order a line, forks, and answers with the number
of the new process, later with how it ended. A life notes what it does in a file, a line at a time,
and kills itself at the boundaries that it is told to die at.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.ports import RunRequest
from penstock.errors import PenstockError
from penstock.model.bundle import Bundle
from penstock.model.states import RUN_MOVES, AttemptState, is_terminal
from penstock.store.sqlite import SqliteJournal
from penstock.wiring import open_workspace
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.campaign_processes import survivors
from tests.support.campaign_work import BUNDLES, RUN

TOP = Path(__file__).parents[2]
JOURNAL_WRITES = (
    "create_run", "add_workstream", "move_run", "set_run_base", "claim_run", "release_run",
    "move_workstream", "move_integration", "update_workstream", "begin_attempt", "finish_attempt",
    "note_process", "heed_request", "retry_workstream",
)  # fmt: skip
GIT_WRITES = (
    "ensure_branch", "lease", "release", "merge", "advance", "commit_tree", "try_merge", "recover",
)  # fmt: skip
TREE_WRITES = ("commit", "reset", "lay")
ROOMS = (
    "model", "schedule", "breakers", "config", "process", "store", "worktrees", "tools", "checks",
    "environment", "registry", "audit", "engine",
)  # fmt: skip


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a life is to do: run or resume in `root`, note to `notes`, die at `boundaries`.

    With `share` (k, n) it also dies at its part, k of n, of the boundaries that are not `known`
    from the undisturbed run, but not where it `died` before. `path` replaces PATH; `said` takes
    what the life prints.
    """

    root: str
    notes: str
    said: str
    resume: bool
    max_parallel: int = 1
    boundaries: tuple[str, ...] = ()
    share: tuple[int, int] | None = None
    known: tuple[str, ...] = ()
    died: tuple[str, ...] = ()
    path: str | None = None


class Notes:
    """An append-only file of lines that survive a SIGKILL."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def say(self, at: str, **facts: Any) -> None:
        """Write a line with the time (s, the machine's monotonic clock)."""
        line = json.dumps({"at": at, "t": time.monotonic(), **facts})
        os.write(self._file, line.encode() + b"\n")


class Boundaries:
    """Notes every boundary that is reached and dies at those that were ordered."""

    def __init__(self, order: Order, notes: Notes) -> None:
        self._deadly, self._notes, self._share = frozenset(order.boundaries), notes, order.share
        self._root, self._has_looked = Path(order.root), False
        self._usual = frozenset(order.known).union(order.died)

    def reach(self, key: str) -> None:
        """Note a boundary, and die at it when that is wanted."""
        self._notes.say("boundary", key=key)
        if key in self._deadly or self._of_recovery(key):
            self._notes.say("dies", key=key)
            os.kill(os.getpid(), signal.SIGKILL)

    def _of_recovery(self, key: str) -> bool:
        if self._share is None or key in self._usual:
            return False
        number, count = self._share
        return zlib.crc32(key.encode()) % count == number

    def watch(self, owner: type, names: Collection[str], describe: Callable[..., str]) -> None:
        """Wrap the methods of a class that are there."""
        for name in names:
            if (method := getattr(owner, name, None)) is not None:
                setattr(owner, name, self._wrapped(name, method, describe))

    def _wrapped(
        self, name: str, method: Callable[..., Any], describe: Callable[..., str]
    ) -> Callable[..., Any]:
        @functools.wraps(method)
        def wrapped(self_: Any, *args: Any, **named: Any) -> Any:
            key = f"{name} {describe(self_, name, args, named)}".strip()
            if name == "begin_attempt":
                self._look_round()
            self.reach(f"before {key}")
            result = method(self_, *args, **named)
            if name == "begin_attempt":
                self._notes.say("attempt")
            self.reach(f"after {key}")
            return result

        return wrapped

    def _look_round(self) -> None:
        """Before the first attempt of this life, note what an earlier one has left running."""
        if not self._has_looked:
            self._has_looked = True
            for who in survivors(self._root):
                self._notes.say("survivor", who=who)


def ended_of(journal: SqliteJournal, ws_id: str) -> int:
    """Count the attempts of a workstream that came to an end: the same with and without kills."""
    done = (AttemptState.SUCCEEDED, AttemptState.FAILED)
    return sum(a.status in done for a in journal.list_attempts(RUN, ws_id))


def journal_key(journal: SqliteJournal, name: str, args: Any, named: Any) -> str:
    """Name a write to the journal in words that do not depend on earlier deaths."""
    if name == "begin_attempt":
        intent = args[0]
        count = ended_of(journal, intent.ws_id)
        return f"{intent.ws_id} {intent.step_name} {intent.for_step or ''} {count}"
    if name in ("finish_attempt", "note_process"):
        attempt = next(a for a in journal.list_attempts(RUN) if a.id == args[0])
        status = args[1] if name == "finish_attempt" else ""
        count = ended_of(journal, attempt.ws_id)
        return f"{attempt.ws_id} {attempt.step_name} {attempt.for_step or ''} {count} {status}"
    words = [str(value) for value in args if isinstance(value, str) and not _is_commit(value)]
    words += sorted(named) if name == "update_workstream" else []
    if len(args) > 1 and name in ("move_integration", "update_workstream"):
        words.append(str(ended_of(journal, args[1])))
    return " ".join(words)


def git_key(_: Any, _name: str, args: Any, _named: Any) -> str:
    """Name a write to the repository."""
    words = (getattr(arg, "branch", arg) for arg in args)
    return " ".join(w for w in words if isinstance(w, str) and not _is_commit(w))


def tree_key(tree: GitWorktree, name: str, args: Any, _named: Any) -> str:
    """Name a write in a worktree; a commit by its step without the attempt's number."""
    step = args[1].get("Penstock-Step", "") if name == "commit" else ""
    return f"{tree.branch} {' '.join(w for w in step.split() if not w.isdigit())}".strip()


def _is_commit(text: str) -> bool:
    return len(text) == 40 and not set(text) - set("0123456789abcdef")


def live(order: Order) -> int:
    """Live one life and return its exit code."""
    notes = Notes(order.notes)
    notes.say("start")
    os.chdir(order.root)
    if order.path is not None:
        os.environ["PATH"] = order.path
    boundaries = Boundaries(order, notes)
    boundaries.watch(SqliteJournal, JOURNAL_WRITES, journal_key)
    boundaries.watch(GitRepository, GIT_WRITES, git_key)
    boundaries.watch(GitWorktree, TREE_WRITES, tree_key)
    try:
        status = work(order)
    except PenstockError as error:
        notes.say("error", kind=type(error).__name__, message=str(error))
        return int(error.exit_code)
    notes.say("end", status=status)
    return 0


def work(order: Order) -> str:
    """Run or resume, and return the state of the run."""
    with open_workspace(Path(order.root)) as workspace:
        if order.resume:
            return str(workspace.resume(RUN).status)
        return str(workspace.run(_request(order, BUNDLES)).status)


def _request(order: Order, bundles: tuple[Bundle, ...]) -> RunRequest:
    fields: dict[str, Any] = {"bundles": bundles, "run_id": RUN}
    if "max_parallel" in RunRequest.__struct_fields__:
        fields["max_parallel"] = order.max_parallel
    return RunRequest(**fields)


def child(order: Order) -> int:
    """Be the life: a session of its own, everything it says kept in a file."""
    os.setsid()
    said = os.open(order.said, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 70
    try:
        code = live(order)
    except BaseException:  # noqa: BLE001 - a fork must not go on as its parent would
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code


class Lives:
    """The process that forks lives, one at a time."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.campaign_life"],
            cwd=TOP,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP), *filter(None, sys.path)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._code: int | None = None
        self._read()

    def begin(self, order: Order) -> int:
        """Fork a life and return its number."""
        assert self._server.stdin is not None
        self._server.stdin.write(msgspec.json.encode(order) + b"\n")
        self._code = None
        return int(self._read()["pid"])

    def has_ended(self, within_s: float) -> bool:
        """Tell whether the life ends within so many seconds."""
        assert self._server.stdout is not None
        if self._code is None and select.select([self._server.stdout], [], [], within_s)[0]:
            self._code = int(self._read()["ended"])
        return self._code is not None

    def ended(self, within_s: float) -> int | None:
        """Return how the life ended (negative: by that signal), None when it still lives."""
        self.has_ended(within_s)
        return self._code

    def _read(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        with self._server as server:
            assert server.stdin is not None
            server.stdin.close()


def standing(root: Path) -> str:
    """Return whether the run is `absent` from the journal, `open`, or `ended`."""
    if not (root / "state/pipeline.db").exists():
        return "absent"
    try:
        with open_workspace(root) as workspace:
            states = [run.status for run in workspace.reader.list_runs() if run.run_id == RUN]
    except PenstockError:  # it was killed while it made the journal
        return "absent"
    if not states:
        return "absent"
    return "ended" if is_terminal(RUN_MOVES, states[0]) or states[0] == "failed" else "open"


def serve() -> None:
    """Fork a life for each order."""
    for room in ("penstock", *(f"penstock.{room}" for room in ROOMS)):
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}."):
            if not module.ispkg and not module.name.endswith(("_child", "portable")):
                importlib.import_module(module.name)  # a life does not have to, after its fork
    importlib.import_module("cryptography.hazmat.primitives.serialization")
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        pid = os.fork()
        if pid == 0:
            os._exit(child(order))
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    serve()
