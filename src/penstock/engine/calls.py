"""One call of a capability outside of any run: in a folder as it is, without worktree or commit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.evidence import write_private
from penstock.engine.masked import masked
from penstock.model.capability import MUST_CHANGE
from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process.api import FilterFactory, Stop
from penstock.routing.api import FailedTry, RouteDecision, Try
from penstock.routing.decide import message_for_all_failed
from penstock.tools.api import Toolbox, TurnRequest, judge

SKIPPED = frozenset({".git", ".worktrees", "state", "logs"})
Snapshot = dict[str, tuple[int, int]]
Payload = Mapping[str, Any]


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a call came to: `content` as the adapter protocol has it, with `attempts`."""

    tool_id: str
    success: bool
    message: str
    content: dict[str, Any]
    outcome: Outcome
    argv: tuple[str, ...] = ()
    started_at: float = 0.0
    duration_s: float = 0.0
    attempts: tuple[FailedTry, ...] = ()
    usage: Usage = Usage()


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf and how a tool is called; None is as usual.

    `log` takes the output of all calls, `home` holds the tools' own folders, `repo_root` is the repository that the folder belongs to.
    `metadata`, `env` and `flags` are as in a TurnRequest; `idle_s` is how long (s) it may stay silent.
    """

    run_id: str = "call"
    ws_id: str | None = None
    home: Path | None = None
    log: Path | None = None
    repo_root: Path | None = None
    model: str | None = None
    idle_s: float | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    env: dict[str, str] = msgspec.field(default_factory=dict)
    flags: tuple[str, ...] = ()


USUAL = Terms()


class Caller:
    """Calls tools in a folder. `scratch` holds prompts, logs and the tools' own folders.

    `make_filter` takes secrets out of what they print, `mask` out of what they are told.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        folder: Path,
        scratch: Path,
        *,
        make_filter: FilterFactory,
        mask: Callable[[str], str],
        new_marker: Callable[[str, str, str, int], str],
        stop: Stop | None = None,
        terms: Terms = USUAL,
    ) -> None:
        self._terms = terms
        self._toolbox = toolbox
        self._folder = folder
        self._scratch = scratch
        self._make_filter = make_filter
        self._mask = mask
        self._new_marker = new_marker
        self._stop = stop or Stop()
        self._count = 0

    def call(
        self, tool_id: str, capability: str, payload: Payload, timeout_s: float | None
    ) -> CallResult:
        """Call one tool. Raises NotFoundError for an unknown one; never for what it does."""
        tool = self._toolbox.get(tool_id)
        self._count += 1
        payload = masked(dict(payload), self._mask)
        before, began = snapshot(self._folder), time.time()
        report = tool.run(
            self._request(tool_id, capability, payload, timeout_s), self._stop, self._make_filter
        )
        created, modified = differences(before, snapshot(self._folder))
        outcome = judge(report.signal, changed=bool(created or modified))
        success = outcome.kind is OutcomeKind.EDITED or (
            outcome.kind is OutcomeKind.NO_CHANGE and capability not in MUST_CHANGE
        )
        said = outcome.message or report.message
        message = said or ("done" if success else f"{tool_id}: {outcome.kind.value}")
        return CallResult(
            tool_id=tool_id,
            success=success,
            message=message,
            outcome=outcome,
            argv=report.argv,
            started_at=began,
            duration_s=report.duration_s,
            usage=report.usage,
            content={
                "files_created": created,
                "files_modified": modified,
                "exit_code": report.exit_code,
                "outcome": outcome.kind.value,
                "stdout": report.tail,
                "stderr": "",
                "duration_sec": round(report.duration_s, 3),
            },
        )

    def wait(self, seconds: float) -> None:
        """Let time (s) pass, until the user asks to stop."""
        self._stop.wait(seconds)

    def _request(
        self, tool_id: str, capability: str, payload: Payload, timeout_s: float | None
    ) -> TurnRequest:
        name = f"{capability}_{self._count}"
        prompt = str(payload.get("prompt") or "")
        files = tuple(str(f) for f in payload.get("files") or ())
        prompt_file = write_private(
            self._scratch / f"{name}.txt", prompt.encode("utf-8", "replace")
        )
        terms = self._terms
        ws_id, homes = terms.ws_id or capability, terms.home or self._scratch / "homes"
        return TurnRequest(
            run_id=terms.run_id,
            ws_id=ws_id,
            step="edit",
            turn=self._count - 1,
            worktree=self._folder,
            repo_root=terms.repo_root or self._folder,
            prompt=prompt,
            prompt_file=prompt_file,
            files=tuple(f for f in files if (self._folder / f).is_file()),
            home=homes / tool_id,
            log=terms.log or self._scratch / f"{name}.log",
            marker=self._new_marker(terms.run_id, ws_id, "edit", self._count),
            model=terms.model,
            wall_s=timeout_s,
            idle_s=terms.idle_s,
            metadata=payload.get("metadata") or terms.metadata,
            env=terms.env,
            flags=terms.flags,
        )


def call_capability(
    caller: Caller,
    capability: str,
    payload: Payload,
    choose: Callable[[Sequence[Try]], RouteDecision],
    *,
    timeout_s: float | None,
    settle: Callable[[str, Try], None],
) -> CallResult:
    """Call the tools of a capability, one after the other, until one succeeds or none is left.

    `choose` decides over the tries so far, `settle` takes each into the tool's circuit breaker.
    """
    tries: list[Try] = []
    failed: list[FailedTry] = []
    while True:
        decision = choose(tries)
        if decision.tool_id is None:
            return _nobody(capability, decision, failed)
        if decision.delay_s:
            caller.wait(decision.delay_s)
        result = caller.call(decision.tool_id, capability, payload, timeout_s)
        kind = result.outcome.kind
        tries.append(Try(tool_id=decision.tool_id, kind=kind, reset_at=result.outcome.reset_at))
        settle(decision.tool_id, tries[-1])
        if result.success:
            content = {**result.content, "attempts": [msgspec.to_builtins(f) for f in failed]}
            return msgspec.structs.replace(result, content=content, attempts=tuple(failed))
        failed.append(FailedTry(tool_id=decision.tool_id, message=result.message, kind=kind))


def refused(refusal: str) -> CallResult:
    """Return the result of a call that a security limit refused before anything was started."""
    return CallResult(
        tool_id="aim",
        success=False,
        message=f"refused: {refusal}",
        content={"refused": True, "attempts": []},
        outcome=Outcome(kind=OutcomeKind.DENIED, message=refusal),
    )


def _nobody(capability: str, decision: RouteDecision, failed: Sequence[FailedTry]) -> CallResult:
    named = [FailedTry(tool_id=r.tool_id, message=r.reason) for r in decision.rejected]
    known = {f.tool_id for f in failed}
    told = (*failed, *(f for f in named if f.tool_id not in known))
    return CallResult(
        tool_id="aim",
        success=False,
        message=message_for_all_failed(capability, told),
        content={"attempts": [msgspec.to_builtins(f) for f in told]},
        outcome=Outcome(kind=OutcomeKind.CRASHED, message=decision.reason),
        attempts=tuple(failed),
    )


def snapshot(folder: Path) -> Snapshot:
    """Return size and modification time (ns) of every file below a folder, but for ours and git's."""
    found: Snapshot = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in SKIPPED]
        for name in names:
            path = Path(place, name)
            try:
                state = path.stat(follow_symlinks=False)
            except OSError:
                continue  # gone since it was listed
            found[path.relative_to(folder).as_posix()] = (state.st_size, state.st_mtime_ns)
    return found


def differences(before: Snapshot, after: Snapshot) -> tuple[list[str], list[str]]:
    """Return the files that were created, and those that were changed or deleted, sorted."""
    created = sorted(after.keys() - before.keys())
    changed = sorted(k for k in before if after.get(k) != before[k])
    return created, changed
