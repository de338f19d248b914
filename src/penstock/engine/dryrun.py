"""A dry run: the whole flow on a journal in memory, with edges that write and start nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.checks.api import Check, CheckContext, CheckRun, Checks
from penstock.engine.ports import PlannedStep, PlannedWorkstream
from penstock.model.bundle import Bundle
from penstock.process.api import FilterFactory, Stop
from penstock.tools.api import Tool, Toolbox, TurnReport, TurnRequest
from penstock.worktrees.api import (
    Change,
    Changes,
    Fingerprint,
    Handover,
    HandoverStrategy,
    MergeOutcome,
    Repository,
    Worktree,
)


class Plan:
    """Collects what a dry run would do, workstream by workstream, in order."""

    def __init__(self) -> None:
        self._prompts: dict[str, str] = {}
        self._steps: dict[str, list[PlannedStep]] = {}
        self._tools: dict[str, str] = {}
        self._notes: dict[str, list[str]] = {}

    def turn(self, request: TurnRequest, tool_id: str, argv: tuple[str, ...]) -> None:
        """Take down a tool turn."""
        self._prompts[request.ws_id] = request.prompt
        self._tools[request.ws_id] = tool_id
        step = PlannedStep(step=request.step, what=tool_id, argv=argv)
        self._steps.setdefault(request.ws_id, []).append(step)

    def check(self, ws_id: str, check: Check, argv: tuple[str, ...]) -> None:
        """Take down a check."""
        step = PlannedStep(step=check.step, what=check.check_id, argv=argv)
        self._steps.setdefault(ws_id, []).append(step)

    def note(self, ws_id: str, notes: Sequence[str]) -> None:
        """Take down remarks about what will not be run."""
        kept = self._notes.setdefault(ws_id, [])
        kept.extend(n for n in notes if n not in kept)

    def workstreams(
        self, bundles: Mapping[str, Bundle], run_id: str
    ) -> tuple[PlannedWorkstream, ...]:
        """Return the plan in the order in which the workstreams would run."""
        return tuple(
            PlannedWorkstream(
                ws_id=ws_id,
                tool=tool,
                branch=f"workstream/{ws_id}/{run_id}",
                depends_on=bundles[ws_id].depends_on,
                prompt=self._prompts[ws_id],
                steps=tuple(self._steps.get(ws_id, ())),
                notes=tuple(self._notes.get(ws_id, ())),
            )
            for ws_id, tool in self._tools.items()
        )


class _Same:
    """A fingerprint of a checkout that nobody touches."""

    def differences(self, later: Fingerprint) -> tuple[str, ...]:
        """Return nothing: no tool ran."""
        return ()


class DryWorktree:
    """Stands for a worktree that would be made; the user's checkout is only read."""

    def __init__(self, root: Path, branch: str, start: str) -> None:
        self.path = root
        self.branch = branch
        self.base = start
        self.head = start

    def reset(self, commit: str) -> None:
        """Do nothing."""

    def lay(self, commit: str, *, base: str) -> None:
        """Do nothing."""

    def unrecorded_work(self) -> bytes:
        """Return nothing: there is no tree."""
        return b""

    def changes(self, *, exclude: Sequence[str] = ()) -> Changes:
        """Return the change that an edit is taken to make."""
        return Changes(changes=(), diff_hash="dry-run", tree="", assumed=True)

    def patch(self, paths: Sequence[str]) -> bytes:
        """Return nothing."""
        return b""

    def revert(self, paths: Sequence[str]) -> Changes:
        """Return the same change."""
        return self.changes()

    def commit(self, subject: str, trailers: Mapping[str, str]) -> str:
        """Return the commit that the tree is at."""
        return self.head

    def scope_since_base(self) -> tuple[Change, ...]:
        """Return nothing."""
        return ()

    def diff_hash(self) -> str:
        """Return the hash of the change that an edit is taken to make."""
        return self.changes().diff_hash

    def diff_text(self, *, max_bytes: int) -> str:
        """Return nothing."""
        return ""


class DryRepository:
    """Reads the real repository, changes nothing."""

    def __init__(self, real: Repository) -> None:
        self._real = real
        self.root = real.root
        self.objects = real.objects

    def head(self) -> str:
        """Return the commit that HEAD names."""
        return self._real.head()

    def resolve(self, name: str) -> str | None:
        """Return the commit that a name stands for; branches to be made are at HEAD."""
        return self._real.resolve(name) or self.head()

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Return True: a dry run merges nothing."""
        return True

    def ensure_branch(self, branch: str, commit: str) -> str:
        """Return the commit that the branch would be made at."""
        return commit

    def lease(self, ws_id: str, run_id: str, branch: str, start: str) -> Worktree:
        """Return a stand-in for the worktree that would be made."""
        return DryWorktree(self.root, branch, start)

    def reopen(self, path: Path, branch: str, base: str, head: str) -> Worktree | None:
        """Return nothing: a dry run leaves nothing to open again."""
        return None

    def release(self, worktree: Worktree) -> None:
        """Do nothing."""

    def merge(
        self, branch: str, into: str, *, message: str, trailers: Mapping[str, str]
    ) -> MergeOutcome:
        """Return a merge that went well."""
        return MergeOutcome(commit=self.head())

    def try_merge(
        self, ours: str, theirs: str, *, message: str, trailers: Mapping[str, str]
    ) -> MergeOutcome:
        """Return a merge that went well."""
        return MergeOutcome(commit=self.head())

    def tree_of(self, commit: str) -> str:
        """Return the tree of a real commit."""
        return self._real.tree_of(commit)

    def commit_tree(
        self, tree: str, parents: Sequence[str], *, message: str, trailers: Mapping[str, str]
    ) -> str:
        """Return the first parent: nothing is written."""
        return parents[0] if parents else self.head()

    def snapshot(self, tree: Path, *, include: Sequence[str] = ()) -> str:
        """Return the commit that HEAD names: nothing is written."""
        return self.head()

    def patch_between(self, base: str, head: str) -> bytes:
        """Return nothing: nothing was changed."""
        return b""

    def remove_branch(self, branch: str) -> None:
        """Do nothing."""

    def advance(self, branch: str, commit: str, *, expected: str) -> bool:
        """Return True, as if the branch had moved."""
        return True

    def handover(
        self,
        source: str,
        target: str,
        *,
        strategy: HandoverStrategy,
        base: str,
        allow_moved: bool = False,
        update_checkout: bool = False,
        message: str,
        trailers: Mapping[str, str],
        dry_run: bool = False,
    ) -> Handover:
        """Return what the real repository would do."""
        return self._real.handover(
            source,
            target,
            strategy=strategy,
            base=base,
            allow_moved=allow_moved,
            update_checkout=update_checkout,
            message=message,
            trailers=trailers,
            dry_run=True,
        )

    def read_file(self, commit: str, path: str) -> bytes | None:
        """Return what a plain file holds in a real commit."""
        return self._real.read_file(commit, path)

    def list_files(self, commit: str, folder: str) -> tuple[str, ...]:
        """Return the plain files below a folder of a real commit."""
        return self._real.list_files(commit, folder)

    def amend(
        self,
        branch: str,
        expected: str,
        files: Mapping[str, bytes | None],
        *,
        message: str,
        trailers: Mapping[str, str],
    ) -> str | None:
        """Return the commit that the branch is at: nothing is written."""
        return expected

    def fingerprint(self) -> Fingerprint:
        """Return a fingerprint that never differs."""
        return _Same()

    def holds(self, base: str, commit: str, place: str) -> bool:
        """Return True, as after a merge."""
        return True

    def discard_idle(self, path: Path) -> bool:
        """Return False: nothing is removed."""
        return False

    def recover(self, *, live_runs: Sequence[str]) -> tuple[str, ...]:
        """Return nothing: there is nothing to mend."""
        return ()

    def worktrees(self) -> list[dict[str, Any]]:
        """Return the real worktrees."""
        return self._real.worktrees()

    def overview(self) -> dict[str, Any]:
        """Return the real branches and worktrees."""
        return self._real.overview()


class DryTool:
    """Takes down the command line of a turn instead of starting it."""

    def __init__(self, real: Tool, plan: Plan) -> None:
        self._real = real
        self._plan = plan
        self.tool_id = real.tool_id

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv of a turn, with secrets masked."""
        return self._real.command_line(request)

    def available(self) -> str | None:
        """Return None when the real tool can be started, else why not."""
        return self._real.available()

    def own_login(self) -> bool:
        """Tell what the real tool tells."""
        return self._real.own_login()

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Take the turn down and report that all went well."""
        argv = self._real.command_line(request)
        self._plan.turn(request, self.tool_id, argv)
        missing = self._real.available()
        if missing is not None:
            self._plan.note(request.ws_id, [f"{self.tool_id} cannot be started here: {missing}"])
        return TurnReport(tool_id=self.tool_id, argv=argv, exit_code=0, duration_s=0.0)


class DryToolbox:
    """The real tools, each of which only takes its turns down."""

    def __init__(self, real: Toolbox, plan: Plan) -> None:
        self._real = real
        self._plan = plan

    def get(self, tool_id: str) -> Tool:
        """Return a tool. Raises NotFoundError that lists the known ones."""
        return DryTool(self._real.get(tool_id), self._plan)

    def ids(self) -> Sequence[str]:
        """Return the known tool ids, sorted."""
        return self._real.ids()


class DryChecks:
    """The real plan of checks, none of which is run."""

    def __init__(self, real: Checks, plan: Plan) -> None:
        self._real = real
        self._plan = plan

    def plan(
        self, step: str, tree: Path, acceptance_tests: tuple[str, ...]
    ) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return the checks that would run."""
        return self._real.plan(step, tree, acceptance_tests)

    def run(
        self, check: Check, context: CheckContext, stop: Stop, make_filter: FilterFactory
    ) -> CheckRun:
        """Take the check down and say that it passed."""
        self._plan.check(context.ws_id, check, check.argv)
        return CheckRun(check=check, passed=True, exit_code=0, duration_s=0.0)


class DryEvidence:
    """Names the places where evidence would go, and writes nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def prompt(self, run_id: str, ws_id: str, step: str, attempt: int, text: str) -> Path:
        """Return where a prompt would be kept."""
        return self._root / "state" / "prompts" / run_id / f"{ws_id}_{step}_{attempt}.txt"

    def patch(self, run_id: str, ws_id: str, name: str, content: bytes) -> Path:
        """Return where a patch would be kept."""
        return self._root / "state" / "artifacts" / run_id / f"{ws_id}_{name}.patch"

    def quarantine(self, run_id: str, ws_id: str) -> Path:
        """Return where a workstream would be set apart."""
        return self._root / "state" / "quarantine" / f"{run_id}_{ws_id}"

    def of_workstream(self, run_id: str, ws_id: str) -> dict[str, list[Path]]:
        """Return nothing: nothing was written."""
        return {}

    def log(self, run_id: str, ws_id: str, step: str, attempt: int) -> Path:
        """Return where a log would be kept."""
        return self._root / "logs" / run_id / ws_id / f"{step}_{attempt}.log"

    def home(self, run_id: str, ws_id: str, tool_id: str) -> Path:
        """Return where a tool would keep its own configuration."""
        return self._root / "state" / "homes" / run_id / ws_id / tool_id


class DryIsolation:
    """Names no ports and no folders."""

    def take(self, run_id: str, ws_id: str) -> dict[str, str]:
        """Return nothing."""
        return {}

    def give_back(self, run_id: str, ws_id: str) -> None:
        """Do nothing."""

    def recover(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()
