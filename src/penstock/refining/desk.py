"""Where a tool works on a plan: in a worktree that goes again with all that was done in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.assembly import Parts, jitter, new_marker
from penstock.engine.calls import Caller, CallResult, Terms, call_capability, refused
from penstock.engine.evidence import write_private
from penstock.errors import UsageError
from penstock.locks import GRACE_S, exclusive
from penstock.masking import redactor
from penstock.model.outcome import OutcomeKind
from penstock.planning.files import UnreadableError, reason
from penstock.planning.refining.api import ANSWER_FILE, CAPABILITY
from penstock.process.api import Stop
from penstock.registry.api import Registry
from penstock.routing.api import RouteDecision, Try
from penstock.store.api import Journal
from penstock.toolside import ToolSide
from penstock.worktrees.api import Repository, Worktree

WS_ID, RUN_ID = "plan", "refine"
BRANCH = f"workstream/{WS_ID}/{RUN_ID}"
MAX_BYTES = 64 << 20
"""How long an answer may be."""


class Desk:
    """One draft that a tool is asked about. `scratch` keeps the prompt, the log and the answer."""

    def __init__(
        self, parts: Parts, journal: Journal, tree: Worktree, shown: bytes, stop: Stop | None
    ) -> None:
        self._parts = parts
        self._journal = journal
        self._tree = tree
        self._shown = shown
        self.scratch = parts.root / parts.state / "calls" / secrets.token_hex(6)
        self._file = tree.path / ANSWER_FILE
        self._caller = self._make_caller(stop or Stop())
        self._lay()

    def ask(self, payload: Mapping[str, Any], timeout_s: float | None) -> CallResult:
        """Ask the tools of the capability until one succeeds, each with the draft as it was.

        Raises AIMCapabilityNotFoundError.
        """
        aim = self._parts.aim
        if aim is None:
            raise UsageError("AIM is off")
        rule, registry = aim.registry.rule(CAPABILITY), aim.registry
        asked = {**payload, "files": [ANSWER_FILE]}
        why_not = aim.check_payload(self._tree.path, asked)
        if why_not is not None:
            return refused(why_not)
        usual = rule.timeout_ms or aim.settings.switches.default_timeout_ms
        return call_capability(
            self._caller,
            CAPABILITY,
            asked,
            lambda tries: self._decide(registry, asked, tries),
            timeout_s=timeout_s or usual / 1000,
            settle=self._settle,
        )

    def answer(self) -> bytes:
        """Return what the tool made of the draft, and keep it beside the prompt.

        Raises UsageError when there is no regular file any more, or it is too large.
        """
        try:
            if self._file.is_symlink() or not self._file.is_file():
                raise UnreadableError("is no regular file any more")
            if self._file.stat().st_size > MAX_BYTES:
                raise UnreadableError(f"is larger than {MAX_BYTES >> 20} MB")
            data = self._file.read_bytes()
        except OSError as error:
            raise UsageError(f"the answer cannot be read: {reason(error)}") from error
        except UnreadableError as error:
            raise UsageError(f"there is no answer: {ANSWER_FILE} {error}") from error
        write_private(self.scratch / "answer.json", data)
        return data

    def _make_caller(self, stop: Stop) -> Caller:
        masks = redactor()
        return Caller(
            self._parts.toolbox,
            self._tree.path,
            self.scratch,
            make_filter=masks.stream,
            mask=masks.prose,
            new_marker=new_marker,
            stop=stop,
            terms=Terms(
                run_id=RUN_ID,
                ws_id=WS_ID,
                repo_root=self._parts.root,
                idle_s=self._parts.settings.limits.idle_s,
            ),
        )

    def _decide(
        self, registry: Registry, payload: Mapping[str, Any], tries: Sequence[Try]
    ) -> RouteDecision:
        side = ToolSide(registry, self._parts.toolbox, self._journal)
        return side.decide(CAPABILITY, payload, tries, jitter=jitter())

    def _settle(self, tool_id: str, attempt: Try) -> None:
        self._journal.record_tool_result(tool_id, attempt.kind, attempt.reset_at)
        if attempt.kind not in (OutcomeKind.EDITED, OutcomeKind.NO_CHANGE):
            self._lay()

    def _lay(self) -> None:
        """Bring the tree to its start, with the draft in it."""
        self._tree.reset(self._tree.base)
        write_private(self._file, self._shown)


@contextmanager
def lent_tree(repository: Repository, root: Path, state: Path) -> Iterator[Worktree]:
    """Lend a worktree with all that the checkout holds now; at the end it is gone.

    Raises ClaimError while another process has it, RepositoryError, GitError.
    """
    held = exclusive(
        state / "locks" / "refine.lock",
        busy="another process is refining a plan in this repository",
        hint="wait for it, or plan without --refine",
        patience_s=GRACE_S,
    )
    with held:
        start = repository.snapshot(root)
        clear(repository, root, start)
        tree = repository.lease(WS_ID, RUN_ID, BRANCH, start)
        try:
            yield tree
        finally:
            tree.reset(start)
            repository.release(tree)
            repository.remove_branch(BRANCH)


def clear(repository: Repository, root: Path, start: str) -> None:
    """Give back the worktree that a dead process had, if there is one."""
    repository.recover(live_runs=[])
    for held in repository.worktrees():
        if (held["ws_id"], held["run_id"]) != (WS_ID, RUN_ID):
            continue
        left = repository.reopen(root / str(held["path"]), BRANCH, start, start)
        if left is not None:
            left.reset(start)
            repository.release(left)
    if repository.resolve(BRANCH) is not None:
        repository.remove_branch(BRANCH)
